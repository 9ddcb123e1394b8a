/*
 * One file of the journal: its name, how it comes to be, and appending to it.
 *
 * A file is made ready under another name (that of a spare, or JOURNAL_NEW_NAME) and renamed when its
 * header is written, so that under a segment's name there is never anything but a segment. The name
 * tells a person the first LSN; the program believes the header.
 */
#ifndef BASE_JOURNAL_SEGMENT_H
#define BASE_JOURNAL_SEGMENT_H

#include "base/compiler.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/journal.h"
#include "base/journal_record.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    JOURNAL_NAME_BYTES = 40
};

#define JOURNAL_NEW_NAME "journal.new"

struct journal_segment {
    char name[JOURNAL_NAME_BYTES];
    struct disk_file *file; /* NULL: closed */
    uint64_t bytes;         /* of the file */
    uint64_t used; /* where the next record goes; of a closed segment not known */
    struct journal_header header;
    uint64_t last_lsn; /* the last that counts; below header.first_lsn: none does */
    bool has_header;   /* false: the file's is lost, `header` is what the records told */
    bool is_damaged;   /* to be set aside once it is not needed any more */
    bool is_poisoned;  /* a write or sync failed: never to be written again */
    bool is_name_pending; /* the name is not synced yet */
};

static inline bool journal_segment_has_above(const struct journal_segment *segment,
                                             uint64_t lsn)
{
    return segment->last_lsn >= segment->header.first_lsn && segment->last_lsn > lsn;
}

/* journal-<16 hexadecimal digits>.log and .spare */
bool journal_segment_is_name(const char *name);
bool journal_segment_is_spare_name(const char *name);
void journal_segment_name(uint64_t first_lsn, char *name);
/* What a segment's file is called while it waits for its next use. */
void journal_segment_spare_name(const char *name, char *spare_name);

/*
 * Turns the open file called `from` into the segment: header, sync if wanted, name. The caller has set
 * file, bytes and header; on failure the file keeps the name `from`.
 */
bool journal_segment_publish(const struct disk *disk, struct journal_segment *segment,
                             const char *from, bool is_synced,
                             struct error *err) MUST_CHECK;

/*
 * Appends the record; the frame's salt and body_len are filled in. On failure nothing has changed;
 * what may be in the file then is no record until it is overwritten.
 */
bool journal_segment_write(const struct disk *disk, struct journal_segment *segment,
                           const struct journal_record *record,
                           struct journal_frame *frame, struct error *err) MUST_CHECK;

void journal_segment_close(const struct disk *disk, struct journal_segment *segment);

#endif
