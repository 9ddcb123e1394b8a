#include "exporter/report.h"

#include "base/memory.h"

#include <assert.h>
#include <stdio.h>

static const char *const native_names[] = {
    [NATIVE_WAIT] = "wait",
    [NATIVE_POST] = "post",
    [NATIVE_AGENT_WRITES] = "agent_writes",
    [NATIVE_OFF] = "off",
};
static_assert(sizeof(native_names) / sizeof(native_names[0]) == NATIVE_OFF + 1,
              "one each");

static void write_destination(const struct report_sources *sources,
                              const struct target *target,
                              struct destination_status *status)
{
    const struct outbox_destination *stored = &target->stored;
    const struct host_registry *hosts = sources->loader->hosts;

    *status = (struct destination_status){
        .kind = stored->destination.kind,
        .name = memory_copy(stored->destination.name),
        .host_id = memory_copy(stored->destination.host_id),
        .custom_identifier = memory_copy(stored->destination.custom_identifier),
        .native = "",
        .queued = stored->values,
        .oldest_minute_s = stored->oldest_minute_s,
        .last_post_ns = target->last_post_ns,
        .last_error_ns = target->last_error_ns,
    };
    snprintf(status->last_error, sizeof(status->last_error), "%s", target->last_error);
    if (stored->destination.kind != MACKEREL_HOST)
        return;

    const char *host_id = host_registry_id(hosts, stored->id);

    snprintf(status->mackerel_id, sizeof(status->mackerel_id), "%s",
             host_id ? host_id : "");
    status->native = native_names[host_registry_native(hosts, stored->id)];
}

static bool write_unknown_host(const struct report_sources *sources,
                               const struct target *target, struct unknown_status *status,
                               struct instant now)
{
    struct host_unknown unknown;

    if (!host_registry_explain(sources->loader->hosts, target->stored.id, &unknown))
        return false;

    uint64_t since_ms = unknown.since_ms < now.mono_ms ? now.mono_ms - unknown.since_ms
                                                       : 0;

    status->since_ns = now.unix_ns - since_ms * 1000000;
    snprintf(status->sought, sizeof(status->sought), "%s", unknown.sought);
    snprintf(status->problem, sizeof(status->problem), "%s", unknown.problem);
    snprintf(status->hint, sizeof(status->hint), "%s", unknown.hint);
    return true;
}

static bool write_unknown_service(const struct report_sources *sources,
                                  const struct target *target,
                                  struct unknown_status *status)
{
    struct slice name = target->stored.destination.name;

    if (!service_registry_explain(sources->services, target->stored.id, status->problem,
                                  sizeof(status->problem)))
        return false;
    snprintf(status->sought, sizeof(status->sought), "service \"%.*s\"", SLICE_ARG(name));
    snprintf(status->hint, sizeof(status->hint),
             "create the service \"%.*s\" in Mackerel, or set services.create: true",
             SLICE_ARG(name));
    return true;
}

static void write_unknown(const struct report_sources *sources,
                          const struct target *target, struct delivery_status *status,
                          struct instant now)
{
    struct unknown_status *unknown = &status->unknown[status->unknown_count];
    bool is_unknown;

    unknown->kind = target->stored.destination.kind;
    unknown->waiting = target->stored.values;
    if (unknown->kind == MACKEREL_HOST)
        is_unknown = write_unknown_host(sources, target, unknown, now);
    else
        is_unknown = write_unknown_service(sources, target, unknown);
    if (is_unknown)
        status->unknown_count++;
}

static void write_counts(const struct health *health, struct delivery_status *status)
{
    status->api = memory_new(health->count, sizeof(status->api[0]));
    status->api_count = health->count;
    if (health->count)
        memcpy(status->api, health->counts, health->count * sizeof(status->api[0]));
}

void report_write(const struct report_sources *sources, struct delivery_status *status,
                  struct instant now)
{
    const struct target_table *table = &sources->loader->targets;

    *status = (struct delivery_status){
        .state = health_state(sources->health),
        .last_post_ns = sources->receipts->last_post_ns,
        .destinations = memory_new(table->count, sizeof(status->destinations[0])),
        .destination_count = table->count,
        .unknown = memory_new(table->count, sizeof(status->unknown[0])),
    };
    if (status->state != DELIVERY_OK)
        snprintf(status->message, sizeof(status->message), "%s",
                 sources->health->message);
    snprintf(status->last_rejected, sizeof(status->last_rejected), "%s",
             sources->receipts->last_rejected);
    for (size_t i = 0; i < table->count; i++) {
        write_destination(sources, &table->targets[i], &status->destinations[i]);
        write_unknown(sources, &table->targets[i], status, now);
    }
    write_counts(sources->health, status);
}
