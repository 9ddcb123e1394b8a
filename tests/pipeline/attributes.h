/*
 * Attributes as protobuf, for tests that need a resource or a point and nothing around it.
 * Source: opentelemetry-proto common.proto (KeyValue, AnyValue).
 */
#ifndef TESTS_PIPELINE_ATTRIBUTES_H
#define TESTS_PIPELINE_ATTRIBUTES_H

#include "base/buffer.h"

#include <stdint.h>

/* Field numbers of `attributes`. */
enum {
    RESOURCE_ATTRIBUTES = 1,
    POINT_ATTRIBUTES = 7
};

/* Texts must be shorter than 100 bytes, so that every length is one byte. */
void attributes_add_text(struct buffer *message, uint32_t field, const char *key,
                         const char *value);
/* 0 <= value < 128 */
void attributes_add_int(struct buffer *message, uint32_t field, const char *key,
                        uint8_t value);
/* An array of one text. */
void attributes_add_array(struct buffer *message, uint32_t field, const char *key,
                          const char *element);

#endif
