/*
 * UTF-8 as bytes arrive: valid, or made valid. A well-formed sequence is what Unicode 15, table
 * 3-7, allows (no overlong forms, no surrogates, nothing beyond U+10FFFF). What is not well-formed
 * reads as U+FFFD, one for each maximal subpart of a sequence (section 3.9), which is what
 * browsers and Go's and Python's decoders do too.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buffer.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* U+FFFD REPLACEMENT CHARACTER */
#define UTF8_REPLACEMENT UINT32_C(0xFFFD)

bool utf8_valid(struct slice text);

/* Takes one code point off the front of *rest; false at the end. */
bool utf8_next(struct slice *rest, uint32_t *codepoint);

/*
 * Copies as much as fits into `size` bytes including the NUL, whole characters only; malformed
 * parts and control characters become '?'. For names in logs and messages. Returns the length.
 */
size_t utf8_copy(char *to, size_t size, struct slice text);

/* Appends the text with each malformed part replaced by U+FFFD. */
void utf8_sanitize(struct slice text, struct buffer *out);

#endif
