/*
 * JSON strings, written. With quotes; control characters escaped; what is no UTF-8 becomes U+FFFD.
 *
 * Source: RFC 8259, section 7.
 */
#ifndef PROTO_JSON_STRING_H
#define PROTO_JSON_STRING_H

#include "base/buffer.h"
#include "base/slice.h"

void json_string_append(struct buffer *out, struct slice text);

#endif
