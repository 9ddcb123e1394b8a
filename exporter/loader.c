#include "exporter/loader.h"

#include "base/memory.h"

#include <stdlib.h>

void loader_init(struct loader *loader, struct outbox *outbox,
                 struct host_registry *hosts)
{
    *loader = (struct loader){
        .outbox = outbox,
        .hosts = hosts,
        .live = portion_of(PORTION_LIVE, PORTION_LIVE_MAX),
        .backlog = portion_of(PORTION_LIVE, PORTION_BACKLOG_MAX),
    };
}

void loader_release(struct loader *loader)
{
    owner_table_release(&loader->owners);
    target_table_release(&loader->targets);
    poison_list_release(&loader->poisons);
}

struct instant loader_time(const struct loader *loader, struct instant now)
{
    if (loader->confirms_at_once)
        now.unix_ns += OUTBOX_CONFIRM_S * UINT64_C(1000000000);
    return now;
}

/* ---- sorting out ------------------------------------------------------------------------- */

/* Items of a batch that are not to be sent. */
struct refuse {
    struct outbox_item *items;
    size_t count, capacity;
};

static void set_aside(struct refuse *refuse, const struct outbox_item *item)
{
    refuse->items = memory_grow(refuse->items, refuse->count + 1, &refuse->capacity,
                                sizeof(refuse->items[0]));
    refuse->items[refuse->count++] = *item;
}

static void settle_refuse(const struct loader *loader, struct refuse *refuse,
                          const struct outbox_verdict *verdict)
{
    if (refuse->count)
        outbox_settle(loader->outbox, refuse->items, refuse->count, verdict);
    free(refuse->items);
}

/* Ends what others own and what is refused anyway of the items from `first` on; the rest moves
 * together. `host_id` is empty for a service, which owns all it has. */
static void sort_out(struct loader *loader, struct outbox_batch *batch, size_t first,
                     struct slice host_id, struct instant now)
{
    struct refuse not_ours = {0}, barred = {0};
    size_t kept = first;

    for (size_t i = first; i < batch->count; i++) {
        const struct outbox_item *item = &batch->items[i];

        if (poison_is_barred(&loader->poisons, item->destination, item->name,
                             now.mono_ms))
            set_aside(&barred, item);
        else if (host_id.len && !owner_claim(&loader->owners, host_id, item->name,
                                             item->destination, item->minute_s))
            set_aside(&not_ours, item);
        else
            batch->items[kept++] = *item;
    }
    batch->count = kept;
    settle_refuse(
        loader, &barred,
        &(struct outbox_verdict){.end = OUTBOX_REJECTED, .now_ns = now.unix_ns});
    settle_refuse(loader, &not_ours,
                  &(struct outbox_verdict){
                      .end = OUTBOX_WITHHELD,
                      .reason = WITHHELD_OTHER_IDENTITY,
                      .now_ns = now.unix_ns,
                  });
}

/* ---- entries and bodies ------------------------------------------------------------------ */

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

/* Keeps what one body holds and gives the rest back. */
static void keep_one_body(const struct loader *loader, struct errand *errand,
                          const struct batch_limits *limits, struct instant now)
{
    struct outbox_batch *batch = &errand->batch;
    size_t fits = batch_write(errand->entries, batch->count, limits,
                              &errand->request.body);

    errand->is_written = true;
    if (fits == batch->count)
        return;
    outbox_settle(
        loader->outbox, batch->items + fits, batch->count - fits,
        &(struct outbox_verdict){.end = OUTBOX_RETURNED, .now_ns = now.unix_ns});
    batch->count = fits;
}

static void load(struct loader *loader, struct errand *errand,
                 const struct batch_limits *limits, struct instant now)
{
    fill_entries(loader, errand);
    if (errand->lane == MACKEREL_BACKFILL)
        keep_one_body(loader, errand, limits, now);
    errand_load(errand, limits);
}

/* ---- hosts ------------------------------------------------------------------------------- */

static void take_host(struct loader *loader, const struct target *target,
                      struct errand *errand, struct instant now)
{
    uint64_t id = target->stored.id;
    const char *host_id = host_registry_id(loader->hosts, id);
    size_t first = errand->batch.count, most = errand->limits.max_values;

    if (!host_id || target->hold_ms > now.mono_ms || target->stored.values == 0 ||
        first >= most)
        return;

    bool takes_native = host_registry_native(loader->hosts, id) == NATIVE_POST;

    outbox_take(loader->outbox,
                &(struct outbox_query){
                    .destination = id,
                    .lane = errand->lane,
                    .pick = takes_native ? OUTBOX_ALL : OUTBOX_CUSTOM,
                    .now_s = instant_unix_s(loader_time(loader, now)),
                    .max_values = most - first,
                },
                &errand->batch);
    sort_out(loader, &errand->batch, first, slice_of(host_id), now);
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

static void take_in_turn(struct loader *loader, struct errand *errand, struct instant now)
{
    size_t count = loader->targets.count, start = next_position(loader);

    for (size_t i = 0; i < count && errand->batch.count < errand->limits.max_values;
         i++) {
        const struct target *target = &loader->targets.targets[(start + i) % count];

        if (target->stored.destination.kind != MACKEREL_HOST)
            continue;
        take_host(loader, target, errand, now);
        loader->rotor = target->stored.id;
    }
}

/* Whose backlog goes first: those whose last post went well, and of them the oldest minute. */
static int compare_backlog(const void *left, const void *right)
{
    const struct target *a = *(const struct target *const *)left;
    const struct target *b = *(const struct target *const *)right;

    if (a->failed_ms != b->failed_ms)
        return a->failed_ms < b->failed_ms ? -1 : 1;
    if (a->stored.oldest_minute_s != b->stored.oldest_minute_s)
        return a->stored.oldest_minute_s < b->stored.oldest_minute_s ? -1 : 1;
    return a->stored.id < b->stored.id ? -1 : 1;
}

static void take_oldest(struct loader *loader, struct errand *errand, struct instant now)
{
    const struct target **hosts = memory_new(loader->targets.count + 1,
                                             sizeof(struct target *));
    size_t count = 0;

    for (size_t i = 0; i < loader->targets.count; i++) {
        const struct target *target = &loader->targets.targets[i];

        if (target->stored.destination.kind == MACKEREL_HOST && target->stored.values)
            hosts[count++] = target;
    }
    qsort(hosts, count, sizeof(struct target *), compare_backlog);
    for (size_t i = 0; i < count && errand->batch.count < errand->limits.max_values; i++)
        take_host(loader, hosts[i], errand, now);
    free(hosts);
}

struct errand *loader_take_hosts(struct loader *loader, enum mackerel_lane lane,
                                 struct instant now)
{
    struct errand *errand = errand_new(ERRAND_POST);
    struct portion *portion = lane == MACKEREL_LIVE ? &loader->live : &loader->backlog;

    errand->lane = lane;
    errand->limits.max_values = portion_size(portion, now.mono_ms);
    errand->limits.max_bytes = lane == MACKEREL_LIVE ? BATCH_BYTES : BATCH_BACKLOG_BYTES;
    if (lane == MACKEREL_LIVE)
        take_in_turn(loader, errand, now);
    else
        take_oldest(loader, errand, now);
    if (errand->batch.count == 0) {
        errand_free(errand);
        return NULL;
    }
    api_request_reset(&errand->request, API_HOST_TSDB, 0);
    buffer_append_text(&errand->request.path, "/api/v0/tsdb");
    load(loader, errand, &errand->limits, now);
    return errand;
}

/* ---- services ---------------------------------------------------------------------------- */

/* Near enough to what the JSON will be to choose a body size. */
static size_t estimate_bytes(const struct outbox_batch *batch)
{
    size_t bytes = 0;

    for (size_t i = 0; i < batch->count; i++)
        bytes += batch->items[i].name.len + 64;
    return bytes;
}

static size_t choose_bytes(const struct target *target, const struct errand *errand,
                           struct instant now)
{
    size_t max_bytes = BATCH_BACKLOG_BYTES;

    if (errand->lane == MACKEREL_LIVE)
        max_bytes = batch_service_bytes(estimate_bytes(&errand->batch),
                                        pace_left(&target->pace, now.mono_ms));
    if (now.mono_ms < target->small_until_ms && target->max_bytes < max_bytes)
        return target->max_bytes;
    return max_bytes;
}

struct errand *loader_take_service(struct loader *loader, struct target *target,
                                   enum mackerel_lane lane, struct instant now)
{
    struct errand *errand = errand_new(ERRAND_POST);
    size_t max_values = LOADER_SERVICE_VALUES;

    if (lane == MACKEREL_BACKFILL)
        max_values = portion_size(&target->backlog, now.mono_ms);
    errand->lane = lane;
    outbox_take(loader->outbox,
                &(struct outbox_query){
                    .destination = target->stored.id,
                    .lane = lane,
                    .pick = OUTBOX_ALL,
                    .now_s = instant_unix_s(loader_time(loader, now)),
                    .max_values = max_values,
                },
                &errand->batch);
    sort_out(loader, &errand->batch, 0, (struct slice){0}, now);
    if (errand->batch.count == 0) {
        errand_free(errand);
        return NULL;
    }
    api_request_reset(&errand->request, API_SERVICE_TSDB, target->stored.id);
    buffer_append_text(&errand->request.path, "/api/v0/services/");
    api_append_encoded(&errand->request.path, target->stored.destination.name);
    buffer_append_text(&errand->request.path, "/tsdb");
    load(loader, errand, &(struct batch_limits){0, choose_bytes(target, errand, now)},
         now);
    target->is_busy[lane] = true;
    return errand;
}
