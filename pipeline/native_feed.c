#include "pipeline/native_feed.h"

#include "pipeline/cell.h"
#include "pipeline/drawing.h"
#include "pipeline/reach.h"

static uint32_t source_of(const struct pipeline *p, const struct stream *stream)
{
    return state_family(p, stream->family)->source;
}

enum native_platform native_feed_platform(const struct pipeline *p,
                                          const struct stream *stream)
{
    uint32_t resource = state_source(p, source_of(p, stream))->resource;

    return (enum native_platform)state_resource(p, resource)->identity.platform;
}

/* ---- joining a cell ----------------------------------------------------------------------- */

/* Of the group; where filesystems are named by mountpoints, of the device, of which one is posted. */
static uint32_t owner_of(struct pipeline *p, uint32_t destination,
                         const struct native_input *input)
{
    struct hash128 salt = {(uint64_t)input->group + 1,
                           input->is_by_mount ? input->unit : 0};
    struct hash128 hash = hash_mix(state_destination(p, destination)->hash, salt);
    uint32_t index = table_find(&p->owner_table, hash);

    if (index != TABLE_NONE)
        return index;
    index = pool_take(&p->owners);
    state_owner(p, index)->hash = hash;
    state_owner(p, index)->source = state_owner(p, index)->before = POOL_NONE;
    table_insert(&p->owner_table, hash, index);
    return index;
}

/* Is the cell that of another device of the source, whose name became the same? */
static bool is_taken(const struct pipeline *p, const struct stream *stream, uint32_t cell)
{
    uint32_t at = state_cell(p, cell)->first_stream;

    for (; at != POOL_NONE; at = state_stream(p, at)->next_in_cell) {
        const struct stream *other = state_stream(p, at);

        if (source_of(p, other) == source_of(p, stream))
            return native_unit(other->rank) != native_unit(stream->rank);
    }
    return false;
}

/* The cell that `p->text` names; names that clash get a `_` each. */
static uint32_t open_cell(struct pipeline *p, uint32_t index, struct cell_key *key)
{
    bool may_clash = key->group == NATIVE_DISK || key->group == NATIVE_NETWORK;

    for (;;) {
        key->name = buffer_slice(&p->text);

        uint32_t cell = cell_open(p, key);

        if (!may_clash || !is_taken(p, state_stream(p, index), cell))
            return cell;
        buffer_append_char(&p->text, '_');
    }
}

/* Of the same source, and saying the same thing. */
static bool are_twins(const struct pipeline *p, const struct stream *a,
                      const struct stream *b)
{
    return a != b && a->component == b->component && a->rank == b->rank &&
           source_of(p, a) == source_of(p, b);
}

static void note_twins(struct pipeline *p, uint32_t index)
{
    struct stream *stream = state_stream(p, index);
    uint32_t at = state_cell(p, stream->cell)->first_stream;

    for (; at != POOL_NONE; at = state_stream(p, at)->next_in_cell)
        if (are_twins(p, stream, state_stream(p, at)))
            stream->has_twin = state_stream(p, at)->has_twin = true;
}

static uint32_t draw_container(struct pipeline *p, const struct native_input *input)
{
    if (!cell_is_container_group(input->group))
        return POOL_NONE;
    return drawing_take_container(p, input->group, input->device);
}

static void set_shape(struct stream *stream, enum native_reading reading)
{
    stream->is_share = reading == NATIVE_SHARE;
    if (reading == NATIVE_VALUE)
        stream->shape = SHAPE_VALUE;
    else if (stream->shape == SHAPE_VALUE || reading == NATIVE_SHARE)
        stream->shape = SHAPE_CUMULATIVE;
}

void native_feed_join(struct pipeline *p, uint32_t index, uint32_t destination,
                      const struct native_input *input)
{
    bool is_total = input->reading != NATIVE_VALUE || input->group == NATIVE_CPU ||
                    input->group == NATIVE_CONTAINER_CPU;
    bool is_container = cell_is_container_group(input->group);
    struct cell_key key = {
        .destination = destination,
        .plan = POOL_NONE,
        .drawing = draw_container(p, input),
        .kind = is_total ? CELL_TOTALS : CELL_INSTANTS,
        .group = input->group,
    };
    /* Many sources feed a host's containers; each has components of its own. */
    uint32_t owner = is_container ? POOL_NONE : owner_of(p, destination, input);
    struct stream *stream = state_stream(p, index);

    if (input->is_by_mount && state_owner(p, owner)->source == POOL_NONE)
        state_owner(p, owner)->mount = input->rank;
    stream->owner = owner;
    stream->component = input->component;
    stream->source_rank = (uint8_t)input->source;
    stream->rank = input->rank;
    set_shape(stream, input->reading);
    p->text.len = input->device.len;
    cell_add_stream(p, open_cell(p, index, &key), index);
    drawing_give(p, key.drawing);
    if (!is_container && input->source != NATIVE_BESIDE)
        note_twins(p, index);
}

/* ---- who feeds ---------------------------------------------------------------------------- */

/*
 * Did the source report since the owner's metric was last there? The fallback of the same source may
 * come first in an export after a pause.
 */
static bool reported_without(const struct pipeline *p, const struct owner *owner)
{
    return state_source(p, owner->source)->last_ns > owner->last_ns + NS_PER_S / 2;
}

static bool may_own(const struct pipeline *p, const struct owner *owner,
                    const struct stream *stream, uint64_t time_ns)
{
    bool is_same = owner->source == source_of(p, stream);
    bool is_alive = owner->source != POOL_NONE &&
                    cadence_is_alive(&owner->cadence, owner->last_ns, time_ns);

    if (is_same)
        return stream->source_rank == NATIVE_BESIDE ||
               stream->source_rank >= owner->rank ||
               (!is_alive && reported_without(p, owner));
    return !is_alive || stream->source_rank > owner->rank;
}

/* Field by field: a struct from the stack would take its padding along into what is saved. */
static void change_owner(struct owner *owner, uint32_t source, uint64_t time_ns)
{
    owner->before = owner->source;
    owner->before_last_ns = owner->last_ns;
    owner->source = source;
    owner->last_ns = time_ns;
    owner->cadence = (struct cadence){0};
}

/* Of several mounts the one nearest the root, until it is not alive. */
static bool is_other_mount(const struct owner *owner, const struct stream *stream,
                           uint64_t time_ns)
{
    return owner->mount && owner->mount < stream->rank &&
           cadence_is_alive(&owner->cadence, owner->last_ns, time_ns);
}

/* Points of one export lie within half a second and say nothing about the interval. */
static void own(struct pipeline *p, struct owner *owner, const struct stream *stream,
                uint64_t time_ns)
{
    uint32_t source = source_of(p, stream);

    if (owner->source == source && stream->source_rank == NATIVE_BESIDE &&
        owner->rank != NATIVE_BESIDE)
        return;
    if (owner->source != source || owner->rank != stream->source_rank)
        owner->since_ns = time_ns - NS_PER_S / 2;
    if (owner->source != source)
        change_owner(owner, source, time_ns);
    owner->rank = stream->source_rank;
    if (time_ns > owner->last_ns + NS_PER_S / 2)
        cadence_add(&owner->cadence, time_ns - owner->last_ns);
    if (time_ns > owner->last_ns)
        owner->last_ns = time_ns;
}

/*
 * A twin that speaks and is alive keeps the word, unless this stream began after it: then the host, or
 * the sender, was started anew.
 */
static bool keeps_the_word(const struct stream *twin, const struct stream *stream,
                           uint64_t time_ns)
{
    return !twin->ended_ns && reach_is_alive(twin, twin->last_ns, time_ns) &&
           stream->start_ns <= twin->last_ns;
}

static bool is_said_by_a_twin(const struct pipeline *p, const struct stream *stream,
                              uint64_t time_ns)
{
    uint32_t at = state_cell(p, stream->cell)->first_stream;

    for (; at != POOL_NONE; at = state_stream(p, at)->next_in_cell)
        if (are_twins(p, stream, state_stream(p, at)) &&
            keeps_the_word(state_stream(p, at), stream, time_ns))
            return true;
    return false;
}

/* From now on the others are silent. */
static void take_the_word(struct pipeline *p, const struct stream *stream,
                          uint64_t time_ns)
{
    uint32_t at = state_cell(p, stream->cell)->first_stream;

    for (; at != POOL_NONE; at = state_stream(p, at)->next_in_cell) {
        struct stream *other = state_stream(p, at);

        if (are_twins(p, stream, other) && !other->ended_ns)
            other->ended_ns = time_ns;
    }
}

bool native_feed_admits(struct pipeline *p, uint32_t index, uint64_t time_ns,
                        enum reason *why)
{
    struct stream *stream = state_stream(p, index);
    struct owner *owner = state_owner(p, stream->owner);

    if (!may_own(p, owner, stream, time_ns)) {
        *why = owner->source == source_of(p, stream) ? REASON_NATIVE_ALTERNATIVE
                                                     : REASON_OTHER_SOURCE;
        return false;
    }
    *why = REASON_FILTERED_DEVICE;
    if (is_other_mount(owner, stream, time_ns))
        return false;
    own(p, owner, stream, time_ns);
    /* What others said meanwhile is not said again: it begins anew. */
    if (stream->last_ns < owner->since_ns && !stream->ended_ns)
        stream->ended_ns = time_ns;
    if (owner->mount)
        owner->mount = stream->rank;
    if (!stream->has_twin)
        return true;
    *why = REASON_NATIVE_ALTERNATIVE;
    if (is_said_by_a_twin(p, stream, time_ns))
        return false;
    take_the_word(p, stream, time_ns);
    return true;
}

bool native_feed_counts(const struct pipeline *p, const struct stream *stream,
                        uint64_t minute)
{
    const struct owner *owner = state_owner(p, stream->owner);
    bool is_of_before = owner->before != POOL_NONE &&
                        owner->before_last_ns >= minute_start_ns(minute);

    return source_of(p, stream) == (is_of_before ? owner->before : owner->source) &&
           (!owner->mount || owner->mount == stream->rank);
}
