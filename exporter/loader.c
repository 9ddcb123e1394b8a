#include "exporter/loader.h"

#include "base/memory.h"

/* Withholds what others own of the items from `first` on; the rest moves together. */
static void keep_owned(struct loader *loader, struct outbox_batch *batch, size_t first,
                       struct slice host_id, struct instant now)
{
    const struct outbox_verdict not_ours = {
        .end = OUTBOX_WITHHELD,
        .reason = WITHHELD_OTHER_IDENTITY,
        .now_ns = now.unix_ns,
    };
    size_t kept = first;

    for (size_t i = first; i < batch->count; i++) {
        const struct outbox_item *item = &batch->items[i];

        if (owner_claim(&loader->owners, host_id, item->name, item->destination,
                        item->minute_s))
            batch->items[kept++] = *item;
        else
            outbox_settle(loader->outbox, item, 1, &not_ours);
    }
    batch->count = kept;
}

static void take_host(struct loader *loader, const struct target *target,
                      struct errand *errand, struct instant now)
{
    uint64_t id = target->stored.id;
    const char *host_id = host_registry_id(loader->hosts, id);
    size_t first = errand->batch.count;

    if (!host_id || target->hold_ms > now.mono_ms || target->stored.values == 0)
        return;

    bool takes_native = host_registry_native(loader->hosts, id) == NATIVE_POST;

    outbox_take(loader->outbox,
                &(struct outbox_query){
                    .destination = id,
                    .lane = errand->lane,
                    .pick = takes_native ? OUTBOX_ALL : OUTBOX_CUSTOM,
                    .now_s = instant_unix_s(now),
                    .max_values = BATCH_HOST_VALUES - first,
                },
                &errand->batch);
    keep_owned(loader, &errand->batch, first, slice_of(host_id), now);
}

static void fill_entries(struct loader *loader, struct errand *errand)
{
    errand->entries = memory_new(errand->batch.count, sizeof(errand->entries[0]));
    for (size_t i = 0; i < errand->batch.count; i++) {
        const struct outbox_item *item = &errand->batch.items[i];
        const char *host_id = host_registry_id(loader->hosts, item->destination);

        errand->entries[i].item = item;
        errand->entries[i].host_id = host_id ? slice_of(host_id) : (struct slice){0};
    }
}

/* Position of the host that comes after the one that was served last. */
static size_t next_position(const struct loader *loader)
{
    size_t at = 0;

    while (at < loader->targets.count &&
           loader->targets.targets[at].stored.id <= loader->rotor)
        at++;
    return at;
}

struct errand *loader_take_hosts(struct loader *loader, enum mackerel_lane lane,
                                 struct instant now)
{
    struct errand *errand = errand_new(ERRAND_POST);
    size_t count = loader->targets.count, start = next_position(loader);

    errand->lane = lane;
    for (size_t i = 0; i < count && errand->batch.count < BATCH_HOST_VALUES; i++) {
        const struct target *target = &loader->targets.targets[(start + i) % count];

        if (target->stored.destination.kind != MACKEREL_HOST)
            continue;
        take_host(loader, target, errand, now);
        loader->rotor = target->stored.id;
    }
    if (errand->batch.count == 0) {
        errand_free(errand);
        return NULL;
    }
    api_request_reset(&errand->request, API_HOST_TSDB, 0);
    buffer_append_text(&errand->request.path, "/api/v0/tsdb");
    fill_entries(loader, errand);
    errand_load(errand, &(struct batch_limits){BATCH_HOST_VALUES, BATCH_BYTES});
    return errand;
}

/* Near enough to what the JSON will be to choose a body size. */
static size_t estimate_bytes(const struct outbox_batch *batch)
{
    size_t bytes = 0;

    for (size_t i = 0; i < batch->count; i++)
        bytes += batch->items[i].name.len + 64;
    return bytes;
}

struct errand *loader_take_service(struct loader *loader, struct target *target,
                                   enum mackerel_lane lane, struct instant now)
{
    struct errand *errand = errand_new(ERRAND_POST);
    size_t max_bytes;

    errand->lane = lane;
    outbox_take(loader->outbox,
                &(struct outbox_query){
                    .destination = target->stored.id,
                    .lane = lane,
                    .pick = OUTBOX_ALL,
                    .now_s = instant_unix_s(now),
                    .max_values = LOADER_SERVICE_VALUES,
                },
                &errand->batch);
    if (errand->batch.count == 0) {
        errand_free(errand);
        return NULL;
    }
    api_request_reset(&errand->request, API_SERVICE_TSDB, target->stored.id);
    buffer_append_text(&errand->request.path, "/api/v0/services/");
    api_append_encoded(&errand->request.path, target->stored.destination.name);
    buffer_append_text(&errand->request.path, "/tsdb");
    fill_entries(loader, errand);
    max_bytes = batch_service_bytes(estimate_bytes(&errand->batch),
                                    pace_left(&target->pace, now.mono_ms));
    if (target->max_bytes && target->max_bytes < max_bytes)
        max_bytes = target->max_bytes;
    errand_load(errand, &(struct batch_limits){0, max_bytes});
    target->is_busy = true;
    return errand;
}
