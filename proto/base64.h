/*
 * Base64 (RFC 4648, section 4). gRPC sends binary headers without padding.
 */
#ifndef PROTO_BASE64_H
#define PROTO_BASE64_H

#include "base/buffer.h"
#include "base/slice.h"

enum base64_padding {
    BASE64_PADDED,
    BASE64_UNPADDED
};

void base64_append(struct buffer *out, struct slice bytes, enum base64_padding padding);

#endif
