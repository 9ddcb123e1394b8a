#include "pipeline/kept.h"

#include "pipeline/name.h"
#include "pipeline/names.h"
#include "pipeline/route.h"
#include "pipeline/suffix.h"

/* What stands for values that have no place, and for attributes that are not there. */
static const struct hash128 OTHER = {1, 0}, MISSING = {2, 0};

bool kept_is_asked(const struct rule *rule)
{
    return rule->kept_count || (rule->metric && template_has_attributes(rule->metric));
}

static bool is_overflow(const struct template_source *source)
{
    struct buffer value = {0};
    bool is_there = template_look_up(source, "otel.metric.overflow", &value);
    bool is_true = is_there && slice_is(buffer_slice(&value), "true");

    buffer_release(&value);
    return is_true;
}

/* One of a metric's kept attributes in one destination. */
static struct hash128 group_of(const struct pipeline *p, const struct family *family,
                               const struct rule_kept *attribute)
{
    struct hash128 group = state_destination(p, family->destination)->hash;

    group = hash_mix(group,
                     hash_bytes((struct slice){family->name, family->name_len}, 0));
    return hash_mix(group, hash_bytes(attribute->attribute, 1));
}

static uint32_t top_of(const struct pipeline *p, const struct rule_kept *attribute)
{
    uint32_t budget = p->options.budgets.attribute_values;

    return budget && budget < attribute->top ? budget : attribute->top;
}

/* A walk over the kept attributes of a point. */
struct walk {
    struct pipeline *p;
    const struct family *family;
    const struct template_source *source;
    struct kept_name *kept;
    struct buffer *name;
    bool collapses, is_overflow;
};

/* Does the value have a place, or is there one for it? */
static bool takes_place(struct walk *walk, const struct rule_kept *attribute,
                        struct kept_value *value)
{
    if (walk->collapses ||
        (!names_has_value(walk->p, value) &&
         !names_has_room(walk->p, value, top_of(walk->p, attribute)))) {
        walk->kept->is_collapsed = true;
        return false;
    }
    walk->kept->values[walk->kept->count++] = *value;
    return true;
}

/* Appends the attribute's segment; returns what tells it from others. */
static struct hash128 append_kept(struct walk *walk, const struct rule_kept *attribute)
{
    struct buffer text = {0};
    struct hash128 hash = OTHER;
    bool is_there = template_look_up(walk->source, attribute->attribute.ptr, &text);

    buffer_append_char(walk->name, '.');
    if (walk->is_overflow || (is_there && slice_is(buffer_slice(&text), "other"))) {
        buffer_append_text(walk->name, "other");
    } else if (!is_there) {
        buffer_append_char(walk->name, '_');
        hash = MISSING;
    } else {
        struct kept_value value = {group_of(walk->p, walk->family, attribute),
                                   hash_bytes(buffer_slice(&text), 2)};
        bool has_place = takes_place(walk, attribute, &value);

        name_append_segment(walk->name,
                            has_place ? buffer_slice(&text) : slice_of("other"));
        hash = has_place ? value.value : OTHER;
    }
    buffer_release(&text);
    return hash;
}

/* The texts of the template's attributes: two that look alike once they are sanitised differ here. */
static struct hash128 hash_template(const struct template *template,
                                    const struct template_source *source)
{
    struct hash128 hash = {3, 0};
    struct buffer text = {0};

    for (size_t i = 0; i < template->count; i++) {
        const struct template_part *part = &template->parts[i];
        bool is_there = false;

        for (size_t key = 0; !part->is_literal && !is_there && key < part->key_count;
             key++)
            is_there = template_look_up(source, part->keys[key].ptr, &text);
        hash = hash_mix(hash, is_there ? hash_bytes(buffer_slice(&text), 2) : MISSING);
        buffer_reset(&text);
    }
    buffer_release(&text);
    return hash;
}

void kept_make(struct pipeline *p, const struct family *family,
               const struct template_source *source, bool collapses,
               struct kept_name *kept)
{
    const struct rule *rule = route_rule(p, family);
    struct buffer *name = &kept->name;
    struct walk walk = {p, family, source, kept, name, collapses, is_overflow(source)};

    /* Not the family's name, which is cut already: the hash is that of the whole. */
    route_append_full_name(p, family, source, name);
    if (rule->metric && template_has_attributes(rule->metric))
        kept->label = hash_template(rule->metric, source);
    for (size_t i = 0; i < rule->kept_count; i++)
        kept->label = hash_mix(hash_mix(kept->label, (struct hash128){4, 0}),
                               append_kept(&walk, &rule->kept[i]));
    name_bound(name, 0, NAME_MAX_POSTED - suffix_longest(state_plan(p, family->plan)));
}
