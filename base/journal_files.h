/*
 * Where the journal's files come from: within the budget, without taking what the disk must keep free,
 * and from spares first. A spare is the file of a segment that is not needed any more, kept for its
 * next use: its space is there already, its blocks are written (so that a sync has nothing but data to
 * write) and mostly still in memory.
 */
#ifndef BASE_JOURNAL_FILES_H
#define BASE_JOURNAL_FILES_H

#include "base/compiler.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/journal_segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JOURNAL_MAX_SPARES = 16
};

struct journal_files {
    /* Set by the caller. */
    const struct disk *disk; /* borrowed */
    uint64_t max_bytes, min_free_bytes;
    bool is_synced;      /* a header is synced before the file gets its name */
    uint64_t held_bytes; /* of all segments; kept up by the caller */

    struct journal_spare {
        char name[JOURNAL_NAME_BYTES];
        uint64_t bytes;
    } spares[JOURNAL_MAX_SPARES];

    size_t spare_count;
    uint64_t spare_bytes;
    size_t begun; /* segments since the last were given back */
};

/* Takes a file that nobody needs, under whatever name, or removes it. */
void journal_files_adopt(struct journal_files *files, const char *name);

/* Removes an unfinished file of the last process. Whatever else has its name would be in the way of every
 * new segment: true when such a thing was set aside; err says what. */
bool journal_files_clear(struct journal_files *files, struct error *err) MUST_CHECK;

/*
 * A closed segment that is not needed any more becomes a spare if one is wanted. False: it is the
 * caller's to remove. Two are wanted always, more if more were begun since the last trim.
 */
bool journal_files_recycle(struct journal_files *files,
                           const struct journal_segment *segment) MUST_CHECK;

/* Gives one away that is not wanted any more, for the caller to remove; false when there is none:
 * then what is begun is counted anew. */
bool journal_files_trim(struct journal_files *files, char *name) MUST_CHECK;

/* Would the disk have enough left with so many more bytes taken? Gives spares up before it says no. */
bool journal_files_has_space(struct journal_files *files, uint64_t more,
                             struct error *err) MUST_CHECK;

/* Creates the segment whose header is given, with room for `bytes`. */
bool journal_files_begin(struct journal_files *files, struct journal_segment *segment,
                         uint64_t bytes, struct error *err) MUST_CHECK;
/* Makes the segment's file longer. */
bool journal_files_extend(struct journal_files *files, struct journal_segment *segment,
                          uint64_t bytes, struct error *err) MUST_CHECK;

#endif
