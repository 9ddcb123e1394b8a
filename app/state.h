/*
 * The state directory: who may use it, what is in it, and room that is kept for bad times.
 *
 *   lock        held while a process uses the directory; holds its number for people
 *   reserve     bytes that nobody needs, given up when checkpoint or outbox meet a full disk, and
 *               taken back when there is room: so that what was accepted can be finished
 *   journal-*, checkpoint*, outbox*   see base/journal.h, app/checkpoint_file.h, exporter/outbox.h
 *   *.bad       what could not be read, for a person
 *
 * Any thread, after state_open().
 */
#ifndef APP_STATE_H
#define APP_STATE_H

#include "base/compiler.h"
#include "base/disk.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct state;

/*
 * Of the journal's budget: below so many free bytes the journal refuses, so that outbox and
 * checkpoint find room for what was accepted; and the reserve is for when that is gone too.
 */
enum {
    STATE_FREE_SHARE = 16,
    STATE_RESERVE_SHARE = 64
};

struct state_options {
    const char *directory;  /* created with mode 0700 when it is missing */
    uint64_t reserve_bytes; /* 0: none */
};

/*
 * NULL with ERROR_BUSY when another process uses the directory, ERROR_INVALID when it cannot be
 * used: no directory, not ours, read-only.
 */
struct state *state_open(const struct state_options *options,
                         struct error *err) MUST_CHECK;
void state_free(struct state *state);

const struct disk *state_disk(const struct state *state);
const char *state_directory(const struct state *state);

/*
 * False once the directory was removed or moved away: no later process will find what is in it. Says so
 * in the log when that changes.
 */
bool state_is_there(struct state *state);

/* Gives the reserve up: true if that made room, so that trying again is worth it. */
bool state_make_room(struct state *state);
/* Takes it back if the disk has `spare_bytes` beside it. */
void state_restore_reserve(struct state *state, uint64_t spare_bytes);
bool state_has_reserve(struct state *state);

#endif
