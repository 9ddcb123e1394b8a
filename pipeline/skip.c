#include "pipeline/skip.h"

#include "pipeline/books.h"
#include "pipeline/stream.h"

void skip_superseded(struct pipeline *p, uint32_t family, const struct otlp_batch *batch,
                     const struct otlp_metric *metric)
{
    for (uint32_t i = 0; i < metric->point_count; i++) {
        const struct otlp_point *point = &batch->points[metric->first_point + i];
        uint32_t at = stream_find(p, state_family(p, family), point);

        if (at == TABLE_NONE)
            continue;
        if (!state_stream(p, at)->ended_ns)
            state_stream(p, at)->ended_ns = point->time_ns;
        stream_advance(state_stream(p, at), point->time_ns);
    }
    books_count(p, REASON_SUPERSEDED, metric->point_count, metric->name);
}
