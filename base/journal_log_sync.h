/*
 * Syncing the log, in steps, so that the lock can be let go during the second one: nothing of what
 * begin() gave is closed or forgotten before end(). One thread syncs.
 */
#ifndef BASE_JOURNAL_LOG_SYNC_H
#define BASE_JOURNAL_LOG_SYNC_H

#include "base/compiler.h"
#include "base/journal_log.h"

struct journal_sync {
    struct disk_file *file;
    uint64_t first_lsn, last_lsn;
    bool has_new_name;
};

/* False when everything is durable. */
bool journal_log_sync_begin(struct journal_log *log, struct journal_sync *sync);
bool journal_log_sync_run(const struct disk *disk, const struct journal_sync *sync,
                          struct error *err) MUST_CHECK;
/* With the error that run() gave, or NULL. After an error all that is not durable is void. */
void journal_log_sync_end(struct journal_log *log, const struct journal_sync *sync,
                          const struct error *failure);

#endif
