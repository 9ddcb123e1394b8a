/*
 * Reads the records of one segment file, one at a time, through a window that grows to the largest
 * record. What cannot be read is passed over to the next record that can: the caller learns how
 * many bytes that were, and sees from the LSNs what is missing.
 *
 * Only records above `last_lsn` and up to `limit` with the file's salt count, and behind one without a
 * gap only the very next; others are leftovers of an earlier use of the file, void, or damaged.
 */
#ifndef BASE_JOURNAL_SCAN_H
#define BASE_JOURNAL_SCAN_H

#include "base/compiler.h"
#include "base/disk.h"
#include "base/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal_scan {
    /* Set by the caller. */
    const struct disk *disk;
    struct disk_file *file; /* borrowed */
    uint32_t salt;
    bool is_salt_unknown; /* the header is lost: the first intact record tells */
    uint64_t last_lsn, limit;

    uint64_t position;    /* behind the last record found; where the tail begins */
    uint64_t skipped;     /* bytes passed over before the record found last */
    uint64_t durable_lsn; /* what that record says */
    bool has_failed;      /* the disk could not read something */
    uint64_t bytes;       /* of the file */
    char *window;
    size_t capacity, loaded;
    uint64_t start;
};

/* Call once the caller's fields are set. */
void journal_scan_begin(struct journal_scan *scan);
void journal_scan_release(struct journal_scan *scan);

/* The next readable record; its body is valid until the next call. False: there is none. */
bool journal_scan_next(struct journal_scan *scan, struct journal_record *record);

/* Bytes of the record `lsn` that was begun at the tail and is not readable; 0: none was. */
uint64_t journal_scan_torn_bytes(struct journal_scan *scan, uint64_t lsn);

/*
 * Bytes of the file, valid until the next call; NULL where it has not so many or the disk cannot
 * read them. A passing error is tried again: giving up on a record because of it would lose it.
 */
const char *journal_scan_peek(struct journal_scan *scan, uint64_t offset, size_t len);

#endif
