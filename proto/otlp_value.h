/*
 * AnyValue, read in place without a tree.
 *
 * A value's members may arrive in pieces: KeyValue.value is a singular message, so several of them
 * are parsed as one; and so are several array_value members in a row. Nothing is copied for that:
 * an array keeps where it is (`source`) and its elements are found by walking all pieces.
 *
 * Sources: common.proto (AnyValue, KeyValue); protobuf documentation, "Last One Wins" and "Oneofs".
 */
#ifndef PROTO_OTLP_VALUE_H
#define PROTO_OTLP_VALUE_H

#include "proto/otlp.h"
#include "proto/wire.h"

struct otlp_value {
    enum otlp_value_kind kind;

    union {
        bool as_bool;
        int64_t as_int;
        double as_double;
    };
    struct slice text; /* string, bytes; array and kvlist: the first piece that counts */
    struct slice source; /* what the value was read from: a KeyValue or an AnyValue */
    bool in_key_value;
};

/* Reads a whole KeyValue (duplicate keys or values: the last wins); false when it is broken. */
bool otlp_value_of_attribute(struct slice key_value, struct slice *key,
                             struct otlp_value *value) MUST_CHECK;
/* Reads an element of an array; false when it is broken. */
bool otlp_value_of_element(struct slice any_value, struct otlp_value *value) MUST_CHECK;

/* The elements of an array (AnyValue) or of a kvlist (KeyValue), over all pieces. */
struct otlp_elements {
    struct wire outer, any, list;
    uint32_t member;
    const char *from;
    bool broken;
};

struct otlp_elements otlp_value_elements(const struct otlp_value *value);
/* False at the end and when a piece is broken (`broken` is set). */
bool otlp_elements_next(struct otlp_elements *elements, struct slice *element);

#endif
