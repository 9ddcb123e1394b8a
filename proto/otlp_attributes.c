#include "base/buffer.h"
#include "proto/otlp.h"
#include "proto/otlp_field.h"
#include "proto/otlp_text.h"
#include "proto/otlp_value.h"

struct otlp_attributes otlp_resource_attributes(const struct otlp_resource *resource)
{
    return (struct otlp_attributes){resource->message, FIELD_RESOURCE_ATTRIBUTES};
}

struct otlp_attributes otlp_scope_attributes(const struct otlp_scope *scope)
{
    return (struct otlp_attributes){scope->message, FIELD_SCOPE_ATTRIBUTES};
}

struct otlp_attributes otlp_point_attributes(const struct otlp_point *point,
                                             enum otlp_kind kind)
{
    static const uint32_t fields[] = {
        [OTLP_NO_DATA] = 0,
        [OTLP_GAUGE] = FIELD_NUMBER_ATTRIBUTES,
        [OTLP_SUM] = FIELD_NUMBER_ATTRIBUTES,
        [OTLP_HISTOGRAM] = FIELD_HISTOGRAM_POINT_ATTRIBUTES,
        [OTLP_EXPONENTIAL_HISTOGRAM] = FIELD_EXPONENTIAL_POINT_ATTRIBUTES,
        [OTLP_SUMMARY] = FIELD_SUMMARY_POINT_ATTRIBUTES,
    };

    return (struct otlp_attributes){point->message, fields[kind]};
}

static void fill(struct otlp_attribute *attribute, struct slice key,
                 const struct otlp_value *value)
{
    *attribute = (struct otlp_attribute){
        .key = key, .kind = value->kind, .text = value->text};
    switch (value->kind) {
    case OTLP_VALUE_BOOL: attribute->as_bool = value->as_bool; break;
    case OTLP_VALUE_INT: attribute->as_int = value->as_int; break;
    case OTLP_VALUE_DOUBLE: attribute->as_double = value->as_double; break;
    case OTLP_VALUE_ARRAY:
    case OTLP_VALUE_KVLIST: attribute->text = value->source; break;
    case OTLP_VALUE_EMPTY:
    case OTLP_VALUE_STRING:
    case OTLP_VALUE_BYTES: break;
    }
}

bool otlp_attributes_next(struct otlp_attributes *walk, struct otlp_attribute *attribute)
{
    struct wire wire = wire_of(walk->rest);
    struct slice key_value, key;
    struct otlp_value value;

    if (!wire_find(&wire, walk->field, &key_value)) {
        walk->rest.len = 0;
        return false;
    }
    walk->rest = (struct slice){(const char *)wire.at, (size_t)(wire.end - wire.at)};
    if (!otlp_value_of_attribute(key_value, &key, &value))
        return false;
    fill(attribute, key, &value);
    return true;
}

bool otlp_attributes_find(struct otlp_attributes walk, const char *key,
                          struct otlp_attribute *attribute)
{
    struct slice wanted = slice_of(key);
    struct otlp_attribute candidate;
    bool found = false;

    while (otlp_attributes_next(&walk, &candidate)) {
        if (slice_equal(candidate.key, wanted)) {
            *attribute = candidate;
            found = true;
        }
    }
    return found;
}

void otlp_attribute_text(const struct otlp_attribute *attribute, struct buffer *out)
{
    struct otlp_value value = {.kind = attribute->kind, .text = attribute->text};
    struct slice key;

    switch (attribute->kind) {
    case OTLP_VALUE_BOOL: value.as_bool = attribute->as_bool; break;
    case OTLP_VALUE_INT: value.as_int = attribute->as_int; break;
    case OTLP_VALUE_DOUBLE: value.as_double = attribute->as_double; break;
    case OTLP_VALUE_ARRAY:
    case OTLP_VALUE_KVLIST:
        if (!otlp_value_of_attribute(attribute->text, &key, &value))
            return;
        break;
    case OTLP_VALUE_EMPTY:
    case OTLP_VALUE_STRING:
    case OTLP_VALUE_BYTES: break;
    }
    otlp_text_append(out, &value);
}
