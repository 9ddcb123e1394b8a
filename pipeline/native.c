#include "pipeline/native.h"

#include "base/hash.h"
#include "pipeline/native_device.h"
#include "pipeline/native_table.h"

/* ---- components --------------------------------------------------------------------------- */

/* The value of the first of the keys that the point has. */
static bool find(struct otlp_attributes walk, const char *const *keys,
                 struct otlp_attribute *attribute)
{
    for (; *keys; keys++)
        if (otlp_attributes_find(walk, *keys, attribute))
            return true;
    return false;
}

static bool choose(const struct native_selector *selector, struct otlp_attributes walk,
                   uint8_t *component)
{
    struct otlp_attribute attribute;
    const struct native_choice *choice = selector->choices;

    if (!find(walk, selector->keys, &attribute))
        return false;
    *component = selector->other;
    if (attribute.kind != OTLP_VALUE_STRING)
        return selector->has_other;
    while (choice->value && !slice_is(attribute.text, choice->value))
        choice++;
    if (choice->value)
        *component = choice->component;
    return choice->value || selector->has_other;
}

/* ---- ranks -------------------------------------------------------------------------------- */

enum {
    RANK_LENGTH_BITS = 16,
    RANK_HASH_BITS = 64 - RANK_LENGTH_BITS
};

/* Appends the attribute's text, lets `text` shrink back and returns the text's hash. */
static uint64_t hash_text(const struct otlp_attribute *attribute, uint64_t seed,
                          struct buffer *text, size_t *len)
{
    size_t begin = text->len;

    otlp_attribute_text(attribute, text);
    *len = text->len - begin;
    text->len = begin;
    return hash_bytes((struct slice){*len ? text->ptr + begin : "", *len}, seed).low;
}

/* Mounts nearer to the root rank lower; among those of one length the text's hash decides. */
static uint64_t rank_of_mount(struct otlp_attributes walk, struct buffer *text)
{
    struct otlp_attribute mount;
    size_t len;

    if (!native_device_mount(walk, &mount))
        return 0;

    uint64_t hash = hash_text(&mount, 0, text, &len) >> RANK_LENGTH_BITS;
    uint64_t length = len < UINT16_MAX ? len : UINT16_MAX;

    return length << RANK_HASH_BITS | hash;
}

/* Tells devices, and cpus, apart, whether they are numbered by integers or by texts. */
static uint32_t unit_of(enum native_group group, struct otlp_attributes walk,
                        struct buffer *text)
{
    struct otlp_attribute attribute;
    size_t len;

    if (!find(walk, native_unit_keys(group), &attribute))
        return 0;

    uint32_t unit = (uint32_t)(hash_text(&attribute, 0, text, &len) >> 32);

    return unit ? unit : 1;
}

static bool is_one_of(struct slice key, const char *const *keys)
{
    for (; *keys; keys++)
        if (slice_is(key, *keys))
            return true;
    return false;
}

/*
 * The attributes that have no part in component and unit, in any order. States outside the list feed
 * one component and are told apart.
 */
static uint32_t rest_of(const struct native_row *row, uint8_t component,
                        struct otlp_attributes walk, struct buffer *text)
{
    struct otlp_attribute attribute;
    uint32_t rest = 0;
    size_t len;

    while (otlp_attributes_next(&walk, &attribute)) {
        bool is_state = row->selector && is_one_of(attribute.key, row->selector->keys);
        uint64_t seed = is_state ? 0 : hash_bytes(attribute.key, 0).low;

        if (is_one_of(attribute.key, native_unit_keys(row->group)) ||
            (is_state &&
             !(row->selector->has_other && component == row->selector->other)))
            continue;
        rest += (uint32_t)hash_text(&attribute, seed, text, &len);
    }
    return rest;
}

static void read_rank(const struct native_row *row, struct otlp_attributes walk,
                      struct buffer *text, struct native_input *input)
{
    input->unit = unit_of(row->group, walk, text);
    if (row->group == NATIVE_FILESYSTEM)
        input->rank = rank_of_mount(walk, text);
    else
        input->rank = (uint64_t)input->unit << 32 |
                      rest_of(row, input->component, walk, text);
}

/* ---- classification ----------------------------------------------------------------------- */

bool native_knows(struct slice metric_name)
{
    return native_find(metric_name) != NULL;
}

static bool is_wanted(const struct native_row *row,
                      const struct native_question *question)
{
    if (slice_starts_with(question->metric->name, "k8s."))
        return row->group == NATIVE_NETWORK ? question->policy->node_network
                                            : question->policy->node_memory;
    return native_has_group(question->platform, row->group);
}

enum native_verdict native_classify(const struct native_question *question,
                                    struct buffer *text, struct native_input *input,
                                    enum reason *why)
{
    const struct otlp_metric *metric = question->metric;
    const struct native_row *row = native_find(metric->name);

    if (!row || (metric->kind != OTLP_GAUGE && metric->kind != OTLP_SUM) ||
        !is_wanted(row, question))
        return NATIVE_NOT;

    struct otlp_attributes walk = otlp_point_attributes(question->point,
                                                        (enum otlp_kind)metric->kind);

    *input = (struct native_input){
        .group = row->group,
        .component = row->component,
        .reading = row->reading,
        .source = row->source,
    };
    *why = REASON_NATIVE_ALTERNATIVE;
    if (row->selector && !choose(row->selector, walk, &input->component))
        return NATIVE_SKIP;
    read_rank(row, walk, text, input);
    if (!native_has_devices(row->group))
        return NATIVE_TAKEN;
    return native_device_read(question, walk, text, input, why) ? NATIVE_TAKEN
                                                                : NATIVE_SKIP;
}
