#include "base/journal_scan.h"

#include "base/checksum.h"
#include "base/journal_record.h"
#include "base/memory.h"

#include <stdlib.h>

enum {
    /* Read at once: large enough that a record that ends behind the window, whose beginning is read
     * again, costs little. */
    WINDOW_BYTES = 1 << 20,
    TRIES = 3,
    /* What a disk fails to read it fails by the block. */
    BLOCK_BYTES = 4096
};

void journal_scan_begin(struct journal_scan *scan)
{
    scan->bytes = scan->disk->size(scan->disk->self, scan->file);
    scan->position = JOURNAL_SEGMENT_START;
    scan->skipped = 0;
    scan->has_failed = false;
    scan->loaded = 0;
}

void journal_scan_release(struct journal_scan *scan)
{
    free(scan->window);
    scan->window = NULL;
    scan->capacity = scan->loaded = 0;
}

/* ---- the window -------------------------------------------------------------------------- */

static bool load(struct journal_scan *scan, uint64_t offset, size_t len)
{
    scan->start = offset;
    scan->loaded = 0;
    for (int i = 0; i < TRIES; i++) {
        if (scan->disk->read(scan->disk->self, scan->file, offset, scan->window, len,
                             &scan->loaded, NULL))
            return true;
    }
    scan->loaded = 0;
    return false;
}

static void make_room(struct journal_scan *scan, size_t len)
{
    if (len <= scan->capacity)
        return;
    /* Nothing of the old window is needed. */
    free(scan->window);
    scan->window = memory_new(len, 1);
    scan->capacity = len;
}

const char *journal_scan_peek(struct journal_scan *scan, uint64_t offset, size_t len)
{
    if (offset >= scan->start && offset - scan->start <= scan->loaded &&
        len <= scan->loaded - (size_t)(offset - scan->start))
        return scan->window + (offset - scan->start);
    if (offset > scan->bytes || len > scan->bytes - offset)
        return NULL;

    uint64_t rest = scan->bytes - offset;
    size_t wanted = rest > WINDOW_BYTES ? WINDOW_BYTES : (size_t)rest;

    if (wanted < len)
        wanted = len;
    make_room(scan, wanted);
    /* Not the whole window perhaps, but what is asked for. */
    if (!load(scan, offset, wanted) && !load(scan, offset, len)) {
        scan->has_failed = true;
        return NULL;
    }
    return scan->loaded >= len ? scan->window : NULL;
}

/* ---- records ----------------------------------------------------------------------------- */

static bool counts(const struct journal_scan *scan, uint64_t offset,
                   const struct journal_record *record, const struct journal_frame *frame)
{
    if (record->lsn <= scan->last_lsn || record->lsn > scan->limit)
        return false;
    if (scan->is_salt_unknown)
        return true;
    /* No more are missing than there was place for: none, right behind the last one. */
    return frame->salt == scan->salt &&
           record->lsn - scan->last_lsn - 1 <=
               (offset - scan->position) / JOURNAL_RECORD_HEADER;
}

/* The record at the offset. *bytes is what to go on by: its own size, intact or not, if its header
 * can be believed. */
static bool read_at(struct journal_scan *scan, uint64_t offset,
                    struct journal_record *record, uint64_t *bytes)
{
    struct journal_frame frame;
    const char *header = journal_scan_peek(scan, offset, JOURNAL_RECORD_HEADER);

    if (!header) {
        *bytes = BLOCK_BYTES - offset % BLOCK_BYTES;
        return false;
    }
    *bytes = JOURNAL_ALIGN;
    if (!journal_record_decode(header, record, &frame) ||
        !counts(scan, offset, record, &frame))
        return false;

    size_t len = (size_t)JOURNAL_RECORD_HEADER + frame.body_len;

    if (len > scan->bytes - offset)
        return false;
    *bytes = journal_record_bytes(frame.body_len);
    header = journal_scan_peek(scan, offset, len);
    if (!header)
        return false;
    record->body = (struct slice){header + JOURNAL_RECORD_HEADER, frame.body_len};
    if (checksum_crc32c(0, record->body) != frame.body_crc)
        return false;
    scan->salt = frame.salt;
    scan->durable_lsn = frame.durable_lsn;
    scan->is_salt_unknown = false;
    return true;
}

bool journal_scan_next(struct journal_scan *scan, struct journal_record *record)
{
    uint64_t offset = scan->position, bytes;

    while (offset < scan->bytes && scan->bytes - offset >= JOURNAL_RECORD_HEADER) {
        if (read_at(scan, offset, record, &bytes)) {
            scan->skipped = offset - scan->position;
            scan->position = offset + bytes;
            scan->last_lsn = record->lsn;
            return true;
        }
        offset += bytes;
    }
    return false;
}

static bool is_zero(const char *bytes, uint64_t len)
{
    for (uint64_t i = 0; bytes && i < len; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

uint64_t journal_scan_torn_bytes(struct journal_scan *scan, uint64_t lsn)
{
    uint64_t rest = scan->bytes > scan->position ? scan->bytes - scan->position : 0;

    if (rest < JOURNAL_RECORD_HEADER)
        return is_zero(journal_scan_peek(scan, scan->position, (size_t)rest), rest)
                   ? 0
                   : rest;

    const char *header = journal_scan_peek(scan, scan->position, JOURNAL_RECORD_HEADER);
    uint64_t bytes = header ? journal_record_torn_bytes(header, scan->salt, lsn) : 0;

    return bytes < rest ? bytes : rest;
}
