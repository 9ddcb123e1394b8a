#include "pipeline/layout.h"

#include "base/memory.h"

#include <stdlib.h>

uint32_t layout_take(struct pipeline *p, const struct otlp_histogram *histogram)
{
    struct slice bounds = {histogram->bounds, histogram->bound_count * sizeof(double)};

    if (histogram->bound_count == 0)
        return POOL_NONE;

    struct hash128 hash = hash_bytes(bounds, 0);
    uint32_t index = table_find(&p->layout_table, hash);

    if (index == TABLE_NONE) {
        index = pool_take(&p->layouts);

        struct layout *layout = state_layout(p, index);

        layout->hash = hash;
        layout->bound_count = histogram->bound_count;
        layout->bounds = memory_new(histogram->bound_count, sizeof(double));
        for (uint32_t i = 0; i < histogram->bound_count; i++)
            layout->bounds[i] = otlp_bound(histogram, i);
        table_insert(&p->layout_table, hash, index);
    }
    return layout_share(p, index);
}

uint32_t layout_share(struct pipeline *p, uint32_t index)
{
    if (index != POOL_NONE)
        state_layout(p, index)->users++;
    return index;
}

void layout_give(struct pipeline *p, uint32_t index)
{
    if (index == POOL_NONE)
        return;

    struct layout *layout = state_layout(p, index);

    if (--layout->users)
        return;
    table_remove(&p->layout_table, layout->hash);
    free(layout->bounds);
    layout->bounds = NULL;
    pool_give(&p->layouts, index);
}

bool layout_matches(const struct pipeline *p, uint32_t index,
                    const struct otlp_histogram *histogram)
{
    if (index == POOL_NONE)
        return false;

    const struct layout *layout = state_layout(p, index);

    if (layout->bound_count != histogram->bound_count)
        return false;
    for (uint32_t i = 0; i < layout->bound_count; i++)
        if (layout->bounds[i] < otlp_bound(histogram, i) ||
            layout->bounds[i] > otlp_bound(histogram, i))
            return false;
    return true;
}

static struct buckets *open_buckets(struct pipeline *p, uint32_t stream)
{
    uint32_t index = state_stream(p, stream)->detail;

    if (index == POOL_NONE) {
        index = pool_take(&p->buckets);
        state_buckets(p, index)->layout = POOL_NONE;
        state_stream(p, stream)->detail = index;
    }
    return state_buckets(p, index);
}

void layout_remember(struct pipeline *p, uint32_t stream,
                     const struct otlp_histogram *histogram)
{
    struct buckets *buckets = open_buckets(p, stream);

    if (!layout_matches(p, buckets->layout, histogram)) {
        layout_give(p, buckets->layout);
        buckets->layout = layout_take(p, histogram);
    }
    if (buckets->room < histogram->bucket_count) {
        buckets->count = memory_resize(buckets->count, histogram->bucket_count,
                                       sizeof(uint64_t));
        buckets->room = histogram->bucket_count;
    }
    for (uint32_t i = 0; i < histogram->bucket_count; i++)
        buckets->count[i] = otlp_bucket(histogram, i);
    buckets->sum = histogram->sum;
    buckets->has_sum = histogram->has_sum;
}

void layout_drop_buckets(struct pipeline *p, uint32_t index)
{
    struct buckets *buckets = state_buckets(p, index);

    layout_give(p, buckets->layout);
    free(buckets->count);
    buckets->count = NULL;
    pool_give(&p->buckets, index);
}
