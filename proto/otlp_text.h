/*
 * Attribute values as text, by the common specification's rules for protocols that know only
 * strings: strings as they are, numbers and booleans as JSON writes them, NaN and infinities by
 * name, bytes in base64, nothing for empty; arrays and maps as JSON, in which NaN and infinities
 * are quoted and empty is null.
 *
 * Source: opentelemetry-specification, common/README.md, "AnyValue representation for non-OTLP
 * protocols".
 */
#ifndef PROTO_OTLP_TEXT_H
#define PROTO_OTLP_TEXT_H

#include "base/buffer.h"
#include "proto/otlp_value.h"

void otlp_text_append(struct buffer *out, const struct otlp_value *value);

#endif
