/*
 * Protobuf messages written field by field, so that a test can say exactly which bytes it means.
 */
#ifndef TESTS_PROTO_MESSAGE_H
#define TESTS_PROTO_MESSAGE_H

#include "base/buffer.h"
#include "proto/otlp_field.h"
#include "proto/wire.h"

void put_varint(struct buffer *out, uint64_t value);
void put_number(struct buffer *out, unsigned field, uint64_t value);
void put_fixed64(struct buffer *out, unsigned field, uint64_t value);
void put_double(struct buffer *out, unsigned field, double value);
void put_bytes(struct buffer *out, unsigned field, struct slice bytes);
void put_text(struct buffer *out, unsigned field, const char *text);
/* Takes the message's memory. */
void put_message(struct buffer *out, unsigned field, struct buffer message);

/* KeyValue{key, AnyValue{string}} as a field. */
void put_attribute(struct buffer *out, unsigned field, const char *key,
                   const char *value);

/* A NumberDataPoint of one second with that value; give it more fields and put it somewhere. */
struct buffer number_point(double value);

/* A gauge "m" of these points as a whole request; takes the memory of `points`. */
struct buffer gauge_request(struct buffer points);
/* A metric of any kind: `data` is the content of the kind's message. */
struct buffer metric_message(const char *name, unsigned kind_field, struct buffer data);
/* The metrics (already put as field 2 of ScopeMetrics) as a whole request. */
struct buffer request_of(struct buffer scope_metrics);

#endif
