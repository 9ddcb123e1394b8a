#include "pipeline/reach.h"

static const struct source *source_of(const struct pipeline *p,
                                      const struct stream *stream)
{
    return state_source(p, state_family(p, stream->family)->source);
}

bool reach_is_covered(const struct pipeline *p, const struct stream *stream,
                      uint64_t from_ns)
{
    const struct source *source = source_of(p, stream);

    return source->last_ns && source->unbroken_ns <= from_ns;
}

uint64_t reach_reported_ns(const struct pipeline *p, const struct stream *stream)
{
    const struct source *source = source_of(p, stream);

    if (stream->shape != SHAPE_DELTA || source->last_ns < stream->last_ns)
        return stream->last_ns;
    return source->last_ns;
}

uint64_t reach_passed_ns(const struct pipeline *p, const struct stream *stream)
{
    const struct source *source = source_of(p, stream);

    if (stream->shape != SHAPE_DELTA || source->before_ns < stream->last_ns)
        return stream->last_ns;
    return source->before_ns;
}

uint64_t reach_known_ns(const struct pipeline *p, const struct stream *stream)
{
    return reach_is_covered(p, stream, stream->last_ns) ? reach_reported_ns(p, stream)
                                                        : stream->last_ns;
}
