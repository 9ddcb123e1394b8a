/*
 * Whole bodies that were received before. A sender that lost an answer resends the same bytes, which
 * must not count twice; a delta window that comes twice in different bodies must (Micrometer, two
 * unlabelled workers). So repeats are recognised by the whole body, and by nothing less
 * (values.md, "Late data, repeats, time").
 *
 * A body is remembered for 10 minutes after it was last received, at most REPEATS_MAX of them: the
 * oldest give way. A sender waits seconds before it tries again.
 */
#ifndef PIPELINE_REPEATS_H
#define PIPELINE_REPEATS_H

#include "pipeline/state.h"

/* 400 requests a second for 10 minutes; about 30 MB. */
enum {
    REPEATS_MAX = 1 << 18
};

/* Was the body received within the last 10 minutes? It is remembered from now on in any case. */
bool repeats_note(struct pipeline *p, struct hash128 body);

#endif
