#include "exporter/errand.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

struct errand *errand_new(enum errand_kind kind)
{
    struct errand *errand = memory_new(1, sizeof(*errand));

    errand->kind = kind;
    return errand;
}

void errand_free(struct errand *errand)
{
    if (!errand)
        return;
    api_request_release(&errand->request);
    outbox_batch_release(&errand->batch);
    free(errand->entries);
    free(errand);
}

void errand_load(struct errand *errand, const struct batch_limits *limits)
{
    errand->limits = *limits;
    errand->ranges[0] = (struct range){0, errand->batch.count};
    errand->range_count = 1;
}

struct range errand_top(const struct errand *errand)
{
    assert(errand->range_count);
    return errand->ranges[errand->range_count - 1];
}

void errand_pop(struct errand *errand)
{
    assert(errand->range_count);
    errand->range_count--;
}

void errand_cut(struct errand *errand, size_t at)
{
    struct range top = errand_top(errand);

    assert(at > 0 && at < top.count && errand->range_count < ERRAND_RANGES_MAX);
    errand->ranges[errand->range_count - 1] = (struct range){top.first + at,
                                                             top.count - at};
    errand->ranges[errand->range_count++] = (struct range){top.first, at};
}

void errand_write(struct errand *errand)
{
    struct range top = errand_top(errand);

    if (errand->is_written && top.count == errand->batch.count &&
        errand->request.body.len)
        return;
    buffer_reset(&errand->request.body);

    size_t written = batch_write(errand->entries + top.first, top.count, &errand->limits,
                                 &errand->request.body);

    if (written < top.count)
        errand_cut(errand, written);
}
