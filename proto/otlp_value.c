#include "proto/otlp_value.h"

#include "proto/otlp_field.h"

static void take_member(struct otlp_value *value, enum otlp_value_kind kind,
                        struct slice text)
{
    bool continues = value->kind == kind &&
                     (kind == OTLP_VALUE_ARRAY || kind == OTLP_VALUE_KVLIST);

    value->kind = kind;
    if (!continues)
        value->text = text;
}

/* Applies the members of one piece of an AnyValue, in their order. */
static bool read_any(struct slice piece, struct otlp_value *value)
{
    struct wire wire = wire_of(piece);
    struct wire_field field;
    const struct slice none = {0};

    while (wire_next(&wire, &field)) {
        switch (field.tag) {
        case WIRE_TAG(FIELD_ANY_STRING_VALUE, WIRE_LENGTH):
            take_member(value, OTLP_VALUE_STRING, field.bytes);
            break;
        case WIRE_TAG(FIELD_ANY_BYTES_VALUE, WIRE_LENGTH):
            take_member(value, OTLP_VALUE_BYTES, field.bytes);
            break;
        case WIRE_TAG(FIELD_ANY_ARRAY_VALUE, WIRE_LENGTH):
            take_member(value, OTLP_VALUE_ARRAY, field.bytes);
            break;
        case WIRE_TAG(FIELD_ANY_KVLIST_VALUE, WIRE_LENGTH):
            take_member(value, OTLP_VALUE_KVLIST, field.bytes);
            break;
        case WIRE_TAG(FIELD_ANY_BOOL_VALUE, WIRE_VARINT):
            take_member(value, OTLP_VALUE_BOOL, none);
            value->as_bool = field.number != 0;
            break;
        case WIRE_TAG(FIELD_ANY_INT_VALUE, WIRE_VARINT):
            take_member(value, OTLP_VALUE_INT, none);
            value->as_int = (int64_t)field.number;
            break;
        case WIRE_TAG(FIELD_ANY_DOUBLE_VALUE, WIRE_FIXED64):
            take_member(value, OTLP_VALUE_DOUBLE, none);
            value->as_double = wire_double(field.number);
            break;
        case WIRE_TAG(FIELD_ANY_STRING_VALUE_STRINDEX, WIRE_VARINT):
            /* An index into a table that only profiles have: as if nothing were there. */
            take_member(value, OTLP_VALUE_EMPTY, none);
            break;
        default: break;
        }
    }
    return !wire.broken;
}

bool otlp_value_of_attribute(struct slice key_value, struct slice *key,
                             struct otlp_value *value)
{
    struct wire wire = wire_of(key_value);
    struct wire_field field;

    *key = (struct slice){0};
    *value = (struct otlp_value){.source = key_value, .in_key_value = true};
    while (wire_next(&wire, &field)) {
        if (field.tag == WIRE_TAG(FIELD_KEY_VALUE_KEY, WIRE_LENGTH))
            *key = field.bytes;
        else if (field.tag == WIRE_TAG(FIELD_KEY_VALUE_VALUE, WIRE_LENGTH) &&
                 !read_any(field.bytes, value))
            return false;
    }
    return !wire.broken;
}

bool otlp_value_of_element(struct slice any_value, struct otlp_value *value)
{
    *value = (struct otlp_value){.source = any_value};
    return read_any(any_value, value);
}

struct otlp_elements otlp_value_elements(const struct otlp_value *value)
{
    struct otlp_elements elements = {
        .member = value->kind == OTLP_VALUE_ARRAY ? (uint32_t)FIELD_ANY_ARRAY_VALUE
                                                  : (uint32_t)FIELD_ANY_KVLIST_VALUE,
        .from = value->text.ptr,
    };

    _Static_assert((int)FIELD_ARRAY_VALUES == (int)FIELD_KVLIST_VALUES,
                   "one walk serves both");
    if (value->in_key_value)
        elements.outer = wire_of(value->source);
    else
        elements.any = wire_of(value->source);
    return elements;
}

bool otlp_elements_next(struct otlp_elements *elements, struct slice *element)
{
    struct slice piece;

    for (;;) {
        if (wire_find(&elements->list, FIELD_ARRAY_VALUES, element))
            return true;
        if (elements->list.broken)
            break;
        if (wire_find(&elements->any, elements->member, &piece)) {
            /* All pieces lie in one message; those before `from` lost to a later member. */
            if (piece.ptr >= elements->from)
                elements->list = wire_of(piece);
            continue;
        }
        if (elements->any.broken ||
            !wire_find(&elements->outer, FIELD_KEY_VALUE_VALUE, &piece))
            break;
        elements->any = wire_of(piece);
    }
    elements->broken = elements->list.broken;
    return false;
}
