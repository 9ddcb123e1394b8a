/*
 * What a person may ask of the outbox of a running gateway, and its answers as text:
 *
 *   ls                              all rows: how many values wait or are in flight
 *   show DESTINATION MINUTE         the values of a row
 *   retry [DESTINATION|all]         what waits for its confirmation becomes due
 *   drop DESTINATION|all [MINUTE]   gives up what is queued (up to and including the minute);
 *                                   counted as withheld{operator}
 *
 * A destination is the number that ls shows, a minute its time (2026-11-24T12:34Z) or Unix seconds.
 */
#ifndef APP_OUTBOX_COMMAND_H
#define APP_OUTBOX_COMMAND_H

#include "base/buffer.h"
#include "base/slice.h"
#include "exporter/outbox.h"

#include <stdbool.h>
#include <stdint.h>

/* False when the command is none or names nothing; the text says why. Any thread. */
bool outbox_command(struct outbox *outbox, struct slice command, uint64_t now_s,
                    struct buffer *text);

#endif
