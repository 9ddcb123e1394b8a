/*
 * Every value that a process has put into its outbox, with the tick that closed it. The outbox is
 * always durable, the journal is so only with `fsync`: after a loss of power Mackerel may hold what
 * was closed with records that no journal knows any more, and nothing else that it should not hold.
 */
#ifndef TESTS_SIM_PUTS_H
#define TESTS_SIM_PUTS_H

#include "tests/sim/value_map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise it. */
struct puts {
    struct put *list;
    size_t count, room;
};

void puts_release(struct puts *puts);

void puts_note(struct puts *puts, const struct mackerel_row *rows, size_t count,
               uint64_t tick_lsn);

/* Records were lost, the first one with that LSN: of the first `count` puts those behind it are strays. */
void puts_lose(struct puts *puts, size_t count, uint64_t from_lsn);

/* Was exactly this value put, and is a stray? */
bool puts_has_stray(const struct puts *puts, const struct value_entry *value);

/* Was the row put as a stray, without this name, and never again with it? Then it was closed with what
 * is lost: a rate of zero, for one, has no average. */
bool puts_has_stray_row(const struct puts *puts, const struct value_entry *value);

#endif
