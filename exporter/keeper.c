#include "exporter/keeper.h"

enum {
    SWEEP_EVERY_MS = 5000,
    PRUNE_EVERY_MS = 10 * 60 * 1000,
    /* A destination that got nothing for this long is looked up anew when it comes back. */
    QUIET_S = 2 * 3600,
    /* Mackerel ignores what is older than 24 h but answers 200; stop a minute short of that. */
    AGE_MARGIN_S = 60,
};

static bool is_unknown(const struct keeper *keeper, const struct target *target)
{
    return target->stored.destination.kind == MACKEREL_HOST && target->stored.values &&
           !host_registry_id(keeper->loader->hosts, target->stored.id);
}

/* ---- seeking and withholding ------------------------------------------------------------- */

static void withhold_native(const struct keeper *keeper, uint64_t id,
                            enum withheld reason, struct instant now)
{
    outbox_drop(keeper->loader->outbox,
                &(struct outbox_selection){
                    .destination = id,
                    .until_minute_s = UINT64_MAX,
                    .pick = OUTBOX_NATIVE,
                },
                &(struct outbox_verdict){
                    .end = OUTBOX_WITHHELD,
                    .reason = reason,
                    .now_ns = now.unix_ns,
                });
}

/* What an earlier process found is used at once; what we find is kept for a later one. */
static void seek_host(const struct keeper *keeper, const struct target *target,
                      struct instant now)
{
    struct host_registry *hosts = keeper->loader->hosts;
    struct outbox *outbox = keeper->loader->outbox;
    uint64_t id = target->stored.id;
    struct outbox_host known;

    if (host_registry_seek(hosts, id, &target->stored.destination, now.mono_ms) &&
        outbox_find_host(outbox, id, &known))
        host_registry_restore(hosts, id, &known, now);
    host_registry_export(hosts, id, &known, now);
    outbox_keep_host(outbox, id, &known);
}

static void seek_service(const struct keeper *keeper, const struct target *target,
                         struct instant now)
{
    struct service_registry *services = keeper->services;
    struct outbox *outbox = keeper->loader->outbox;
    uint64_t id = target->stored.id;

    if (service_registry_seek(services, id, target->stored.destination.name,
                              now.mono_ms) &&
        outbox_has_service(outbox, id))
        service_registry_restore(services, id);
    outbox_keep_service(outbox, id, service_registry_exists(services, id));
}

/* Looking through a day of values takes time: only when something changed, or now and then. */
static bool has_news(struct target *target, enum native_state native, bool is_sweep)
{
    bool has_changed = target->stored.values != target->tended_values ||
                       native != target->tended_native;

    target->tended_values = target->stored.values;
    target->tended_native = native;
    return target->stored.values && (has_changed || is_sweep);
}

static void tend_host(const struct keeper *keeper, struct target *target, bool is_sweep,
                      struct instant now)
{
    uint64_t id = target->stored.id;
    struct host_registry *hosts = keeper->loader->hosts;
    enum native_state native;

    seek_host(keeper, target, now);
    native = host_registry_native(hosts, id);
    if (!has_news(target, native, is_sweep))
        return;
    switch (native) {
    case NATIVE_WAIT:
    case NATIVE_POST: return;
    case NATIVE_AGENT_WRITES:
        withhold_native(keeper, id, WITHHELD_AGENT_WRITES, now);
        return;
    case NATIVE_OFF: withhold_native(keeper, id, WITHHELD_NATIVE_OFF, now); return;
    }
}

/* ---- limits ------------------------------------------------------------------------------ */

static void withhold_until(const struct keeper *keeper, const struct target *target,
                           uint64_t minute_s, struct instant now)
{
    outbox_drop(keeper->loader->outbox,
                &(struct outbox_selection){
                    .destination = target->stored.id,
                    .until_minute_s = minute_s,
                    .pick = OUTBOX_ALL,
                },
                &(struct outbox_verdict){
                    .end = OUTBOX_WITHHELD,
                    .reason = WITHHELD_HOST_UNKNOWN,
                    .now_ns = now.unix_ns,
                });
}

static void expire(const struct keeper *keeper, struct instant now)
{
    uint64_t age_s = OUTBOX_MAX_AGE_S - AGE_MARGIN_S;

    if (instant_unix_s(now) < age_s)
        return;
    for (size_t i = 0; i < keeper->loader->targets.count; i++) {
        const struct target *target = &keeper->loader->targets.targets[i];

        if (is_unknown(keeper, target) &&
            target->stored.oldest_minute_s <= instant_unix_s(now) - age_s)
            withhold_until(keeper, target, instant_unix_s(now) - age_s, now);
    }
    outbox_drop(keeper->loader->outbox,
                &(struct outbox_selection){
                    .until_minute_s = instant_unix_s(now) - age_s,
                    .pick = OUTBOX_ALL,
                },
                &(struct outbox_verdict){.end = OUTBOX_EXPIRED, .now_ns = now.unix_ns});
}

/* The unknown host with the oldest minute; *bytes is what all of them hold. */
static const struct target *find_oldest_unknown(const struct keeper *keeper,
                                                size_t *bytes)
{
    const struct target *oldest = NULL;

    *bytes = 0;
    for (size_t i = 0; i < keeper->loader->targets.count; i++) {
        const struct target *target = &keeper->loader->targets.targets[i];

        if (!is_unknown(keeper, target))
            continue;
        *bytes += target->stored.bytes;
        if (!oldest || target->stored.oldest_minute_s < oldest->stored.oldest_minute_s)
            oldest = target;
    }
    return oldest;
}

static void limit_unknown(const struct keeper *keeper, struct instant now)
{
    size_t bytes, before = SIZE_MAX;

    if (keeper->unknown_max_bytes == 0)
        return;
    for (;;) {
        const struct target *oldest = find_oldest_unknown(keeper, &bytes);

        if (!oldest || bytes <= keeper->unknown_max_bytes || bytes >= before)
            return;
        before = bytes;
        withhold_until(keeper, oldest, oldest->stored.oldest_minute_s, now);
        target_table_refresh(&keeper->loader->targets, keeper->loader->outbox);
    }
}

/* ---- forgetting -------------------------------------------------------------------------- */

static void forget(void *self, uint64_t id)
{
    const struct keeper *keeper = self;

    host_registry_forget(keeper->loader->hosts, id);
    service_registry_forget(keeper->services, id);
    target_remove(&keeper->loader->targets, id);
}

static void prune(struct keeper *keeper, struct instant now)
{
    if (now.mono_ms < keeper->pruned_ms + PRUNE_EVERY_MS || instant_unix_s(now) < QUIET_S)
        return;
    keeper->pruned_ms = now.mono_ms;
    outbox_prune(keeper->loader->outbox, instant_unix_s(now) - QUIET_S, forget, keeper);
    owner_prune(&keeper->loader->owners, instant_unix_s(now) - QUIET_S);
}

void keeper_tend(struct keeper *keeper, struct instant now)
{
    bool is_sweep = !keeper->swept_ms || now.mono_ms >= keeper->swept_ms + SWEEP_EVERY_MS;

    target_table_refresh(&keeper->loader->targets, keeper->loader->outbox);
    for (size_t i = 0; i < keeper->loader->targets.count; i++) {
        struct target *target = &keeper->loader->targets.targets[i];

        if (target->stored.destination.kind == MACKEREL_HOST)
            tend_host(keeper, target, is_sweep, now);
        else
            seek_service(keeper, target, now);
    }
    if (!is_sweep)
        return;
    keeper->swept_ms = now.mono_ms;
    expire(keeper, now);
    limit_unknown(keeper, now);
    prune(keeper, now);
}
