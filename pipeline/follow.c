#include "pipeline/follow.h"

#include "pipeline/cell.h"
#include "pipeline/members.h"
#include "pipeline/minutes.h"
#include "pipeline/stream.h"

static bool feeds_native(const struct pipeline *p, const struct stream *stream)
{
    return stream->cell != POOL_NONE && cell_is_native(state_cell(p, stream->cell));
}

static bool keeps_native_place(const struct pipeline *p, const struct stream *stream,
                               const struct family *family)
{
    const struct cell *cell = state_cell(p, stream->cell);

    return cell->destination == family->destination &&
           (cell_is_container(cell) ? family->is_container : family->is_native);
}

bool follow_rules(struct pipeline *p, uint32_t index, const struct stream_seed *seed)
{
    const struct family *family = state_family(p, seed->family);
    struct stream *stream = state_stream(p, index);
    bool is_native = feeds_native(p, stream);
    struct placing placing;

    stream->generation = (uint16_t)family->generation;
    if (is_native && keeps_native_place(p, stream, family))
        return true;
    if (is_native || family->is_native || family->is_container || stream->refusal) {
        stream_begin_anew(p, index);
        return false;
    }
    placing = place_stream(p, seed);
    stream->labels = placing.labels;
    if (placing.cell != stream->cell)
        members_move(p, index, placing.cell, p->changed_minute);
    return true;
}

void follow_default(struct pipeline *p, uint32_t index)
{
    const struct family *family = state_family(p, state_stream(p, index)->family);
    uint32_t cell;

    if (state_stream(p, index)->refusal || state_stream(p, index)->owner != POOL_NONE ||
        family->is_container)
        return;
    cell = place_family_cell(p, family);
    members_move(p, index, cell, family->changed_minute);
    /* Nobody looks ahead into the first minute there, should nothing arrive in it. */
    if (cell != POOL_NONE)
        minutes_open(p, cell, family->changed_minute);
}
