/*
 * ExportMetricsServiceResponse, the answer to a request that was taken.
 *
 * Nothing refused and nothing to say is an empty message: partial_success stays unset then, as the
 * OTLP specification demands.
 *
 * Source: OTLP specification, "Full Success", "Partial Success".
 */
#ifndef PROTO_EXPORT_RESPONSE_H
#define PROTO_EXPORT_RESPONSE_H

#include "base/buffer.h"
#include "base/slice.h"

#include <stdint.h>

/* `text` says why points were refused, or warns. Invalid UTF-8 becomes U+FFFD. */
void export_response_encode(uint64_t rejected, struct slice text, struct buffer *out);

#endif
