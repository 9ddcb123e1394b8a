/*
 * Makes a file last that another process wrote and perhaps did not sync. After a failed sync the disk
 * has forgotten what it still had to write, while reading still gives it: so it is written again.
 * Whether the other process met such a failure nobody knows; what may have had none but failed ones
 * (`is_doubtful`) is written again in any case, because the next sync will succeed without it.
 */
#ifndef BASE_JOURNAL_RESYNC_H
#define BASE_JOURNAL_RESYNC_H

#include "base/disk.h"

/* Returns how often syncing failed; all of the tries: it could not be done. */
unsigned journal_resync(const struct disk *disk, const char *name, bool is_doubtful,
                        unsigned tries);

#endif
