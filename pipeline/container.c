#include "pipeline/container.h"

#include "pipeline/container_name.h"
#include "pipeline/container_table.h"
#include "pipeline/name.h"

enum {
    LONGEST_STATISTIC = sizeof(".rxBytes.delta") - 1
};

/* The text of the first of the keys that the point has; empty where it has none. */
static struct slice find(struct otlp_attributes walk, const char *const *keys)
{
    struct otlp_attribute attribute;

    for (; *keys; keys++)
        if (otlp_attributes_find(walk, *keys, &attribute) &&
            attribute.kind == OTLP_VALUE_STRING)
            return attribute.text;
    return (struct slice)SLICE("");
}

/* False where the point is of no component. */
static bool choose(const struct container_row *row, struct otlp_attributes walk,
                   uint8_t *component)
{
    static const char *const modes[] = {"cpu.mode", NULL}, *const directions[] = {
                                                               "direction",
                                                               "network.io.direction",
                                                               NULL};
    struct slice direction;

    *component = row->component;
    if (row->choice == CONTAINER_BY_MODE && find(walk, modes).len)
        ++*component;
    if (row->choice != CONTAINER_BY_DIRECTION)
        return true;
    direction = find(walk, directions);
    if (slice_is(direction, "transmit"))
        ++*component;
    return slice_is(direction, "receive") || slice_is(direction, "transmit");
}

/* Appends the interface's name as mackerel-container-agent writes it, or says why it is left out. */
static bool append_interface(struct buffer *text, struct otlp_attributes walk,
                             enum reason *why)
{
    static const char *const keys[] = {"interface", "network.interface.name", "device",
                                       NULL};
    struct slice name = find(walk, keys);

    *why = name.len ? REASON_FILTERED_DEVICE : REASON_NO_DEVICE;
    if (name.len == 0 || slice_is(name, "lo") || slice_starts_with(name, "veth"))
        return false;
    name_append_plain(text, name);
    return true;
}

/* Appends which container the labels name; false for what is none, or whole pods. */
static bool append_labelled(struct buffer *text, const struct container_stream *stream,
                            uint64_t *instance)
{
    struct container_name name = container_name_of_point(
        stream->point, (enum otlp_kind)stream->metric->kind);

    if (!container_name_is_real(&name))
        return false;
    container_name_append_label(text, &name);
    *instance = container_name_instance(&name);
    return true;
}

enum native_verdict container_classify(const struct container_stream *stream,
                                       struct native_input *input, struct buffer *text,
                                       enum reason *why)
{
    const struct container_row *row = container_find(stream->metric->name);

    *why = REASON_NATIVE_ALTERNATIVE;
    if (!row) /* a damaged state says that the metric is of the table */
        return NATIVE_SKIP;

    struct otlp_attributes walk = otlp_point_attributes(
        stream->point, (enum otlp_kind)stream->metric->kind);
    bool is_network = row->group == NATIVE_CONTAINER_NETWORK;
    size_t begin = text->len;

    *input = (struct native_input){
        .group = row->group,
        .reading = row->is_total ? NATIVE_TOTAL : NATIVE_VALUE,
        .rank = stream->instance,
    };
    buffer_append(text, stream->base);
    if (!choose(row, walk, &input->component))
        return NATIVE_SKIP;
    if (is_network && !append_interface(text, walk, why))
        return NATIVE_SKIP;
    if (!is_network && stream->reads_labels &&
        !append_labelled(text, stream, &input->rank))
        return NATIVE_SKIP;
    name_bound(text, begin, NAME_MAX_POSTED - LONGEST_STATISTIC);
    input->device = (struct slice){text->ptr + begin, text->len - begin};
    return NATIVE_TAKEN;
}
