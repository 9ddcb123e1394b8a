/*
 * Names as Mackerel accepts them. Pure functions from text to text.
 *
 * Metric names: segments of [A-Za-z0-9_-] separated by single dots (Mackerel API, "Host metrics").
 * In a segment every other code point becomes `_`; a segment that lost a code point outside ASCII
 * gets `-` and the first 6 hex digits of the SHA-256 of its UTF-8, so that names that differ stay
 * different; an empty segment becomes `_`. Invalid UTF-8 counts as U+FFFD.
 *
 * Service names: [A-Za-z0-9_-], 2 to 63 long, first a letter or a digit (Mackerel API, "Services").
 */
#ifndef PIPELINE_NAME_H
#define PIPELINE_NAME_H

#include "base/buffer.h"
#include "base/slice.h"

#include <stdbool.h>

/*
 * Characters of a posted name at most, statistic included. Mackerel documents no bound; other
 * servers of its API keep 128, and nobody reads longer ones.
 */
enum {
    NAME_MAX_POSTED = 128
};

/* Appends the text as mackerel-agent writes names of devices: every code point outside
 * [A-Za-z0-9_-] becomes one `_` and nothing marks the loss. True when all of it was ASCII. */
bool name_append_plain(struct buffer *out, struct slice text);

/* Appends one segment; dots in `text` become `_` too. */
void name_append_segment(struct buffer *out, struct slice text);

/* Appends a metric name: split at dots, each part as a segment; a name that begins with `__`
 * loses underscores until one is left (Mackerel reserves `__`). */
void name_append_metric(struct buffer *out, struct slice name);

/*
 * Cuts what was appended from `begin` on to `most` characters: where it is longer, its end gives way to
 * `-` and the first 6 hex digits of the SHA-256 of the whole. `most` is over 7. The same long name
 * becomes the same short one everywhere.
 */
void name_bound(struct buffer *out, size_t begin, size_t most);

/* Appends a service name: characters as in a segment; leading `-` and `_` are cut, `s-` goes
 * before what is too short, what is over 63 is cut to 56 plus `-` and 6 hex digits of the
 * SHA-256 of the original. */
void name_append_service(struct buffer *out, struct slice name);

#endif
