/*
 * Text from senders, made safe to pass on. Strings of OTLP must be UTF-8 but may be anything;
 * what is no UTF-8 becomes U+FFFD, one for each maximal broken part, as browsers and Go do it.
 *
 * Source: Unicode 15, chapter 3.9, table 3-7 and "U+FFFD Substitution of Maximal Subparts".
 */
#ifndef PROTO_UTF8_H
#define PROTO_UTF8_H

#include "base/buffer.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Length of the well-formed character at the start of a non-empty text; 0 when it is broken, and
 * then *broken is the number of bytes that one U+FFFD replaces.
 */
size_t utf8_next(struct slice text, size_t *broken);

bool utf8_is_valid(struct slice text);

/* Appends the text with broken parts replaced. */
void utf8_append(struct buffer *out, struct slice text);

/*
 * Copies as much as fits into `size` bytes including the NUL, whole characters only; broken parts
 * and control characters become '?'. For names in logs and messages. Returns the length.
 */
size_t utf8_copy(char *to, size_t size, struct slice text);

#endif
