/* The journal's log forgets records: their files become spares, or waste. */
#ifndef BASE_JOURNAL_LOG_FORGET_H
#define BASE_JOURNAL_LOG_FORGET_H

#include "base/disk.h"
#include "base/journal_log.h"
#include "base/journal_segment.h"

#include <stdbool.h>
#include <stdint.h>

/* A file that is not needed any more: to be removed or set aside, without the lock if you like. */
struct journal_waste {
    char name[JOURNAL_NAME_BYTES];
    bool is_damaged;
};

/*
 * Frees the first segment if it has nothing above lsn; call until it returns false. What was not kept
 * as a spare is in *waste; else its name is empty.
 */
bool journal_log_forget(struct journal_log *log, uint64_t lsn,
                        struct journal_waste *waste);
void journal_log_forget_waste(const struct disk *disk, const struct journal_waste *waste);

#endif
