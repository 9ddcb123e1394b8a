/*
 * `explain --live`: what a running gateway posts where; asked over the control socket.
 */
#ifndef APP_EXPLAIN_LIVE_H
#define APP_EXPLAIN_LIVE_H

#include "app/engine.h"
#include "base/buffer.h"

#include <stdbool.h>

/* False when the engine does not answer; the text says so. */
bool explain_live(struct engine *engine, struct buffer *answer);

#endif
