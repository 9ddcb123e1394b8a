/*
 * The bytes of the journal's files, and nothing else: pure functions between structures and bytes.
 *
 * A segment file begins with a header of 72 bytes in a block of its own (JOURNAL_SEGMENT_START), so
 * that no later write touches the sector that it is in. Then come records, each at a multiple of 8:
 * a header of 48 bytes and the body as it was received. All numbers are little-endian.
 *
 *     segment   magic[8] version[4] salt[4] journal[8] first_lsn[8] previous_end[8] durable_end[8]
 *               recovered_end[8] previous_first[8] 0[4] crc[4]
 *     record    magic[4] crc[4] salt[4] body_len[4] lsn[8] durable_lsn[8] receive_ns[8]
 *               kind[1] media_type[1] coding[1] 0[1] body_crc[4]
 *
 * All checksums are CRC32C. That of a record's header covers the body's, so both are covered; apart
 * they let the body be summed before the LSN is known, and a length be trusted whose body is torn.
 *
 * The salt is random, new for every use of a file, and in every record: bytes that a sender put into
 * a body can never be taken for a record, nor can what an earlier use of the file left behind.
 *
 * Every header says up to which LSN records were durable when it was written. So what is missing after
 * a loss of power can be told apart: acknowledged, or still waiting for the disk.
 */
#ifndef BASE_JOURNAL_RECORD_H
#define BASE_JOURNAL_RECORD_H

#include "base/compiler.h"
#include "base/journal.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    JOURNAL_SEGMENT_START = 4096,
    JOURNAL_SEGMENT_HEADER = 72,
    JOURNAL_RECORD_HEADER = 48,
    JOURNAL_ALIGN = 8,
    /* Far above any request that a receiver takes; bounds what a reader allocates. */
    JOURNAL_MAX_BODY = 1 << 30
};

/* No LSN comes near it; what claims to be above is damage, and sums with LSNs cannot overflow. */
#define JOURNAL_MAX_LSN (UINT64_C(1) << 62)

struct journal_header {
    uint64_t journal_id; /* random, not 0; the same in all segments of one journal */
    uint64_t first_lsn;
    /* The last LSN that counts in earlier segments: what they have above it is void. Below
     * first_lsn; what lies between was never given to the reader. */
    uint64_t previous_end;
    uint64_t durable_end; /* at most previous_end */
    /* The last record that the process which wrote this could read when it started. */
    uint64_t recovered_end;
    uint64_t
        previous_first; /* first_lsn of the segment that has previous_end; 0: none has */
    uint32_t salt;
};

enum journal_header_state {
    JOURNAL_HEADER_GOOD,
    JOURNAL_HEADER_OTHER_VERSION, /* intact, but written by another program */
    JOURNAL_HEADER_BAD
};

/* Writes JOURNAL_SEGMENT_HEADER bytes. */
void journal_header_encode(const struct journal_header *header, char *out);
enum journal_header_state journal_header_decode(struct slice bytes,
                                                struct journal_header *header);

/* Of a record with its padding. */
static inline uint64_t journal_record_bytes(uint64_t body_len)
{
    return (JOURNAL_RECORD_HEADER + body_len + JOURNAL_ALIGN - 1) &
           ~(uint64_t)(JOURNAL_ALIGN - 1);
}

/* What a record's header says beside the record itself. */
struct journal_frame {
    uint32_t salt, body_len, body_crc;
    uint64_t durable_lsn;
};

/* Writes JOURNAL_RECORD_HEADER bytes; of the record everything but the body and context. */
void journal_record_encode(const struct journal_record *record,
                           const struct journal_frame *frame, char *out);

/*
 * Reads JOURNAL_RECORD_HEADER bytes. False when they are no intact header of a kind that this
 * program knows; the body is not looked at and left empty.
 */
bool journal_record_decode(const char *bytes, struct journal_record *record,
                           struct journal_frame *frame) MUST_CHECK;

/*
 * How long is the record `lsn` that begins here, intact or not? 0 when it does not look as if that had
 * been here. To tell what was torn or hit from what was never a record.
 */
uint64_t journal_record_torn_bytes(const char *bytes, uint32_t salt, uint64_t lsn);

#endif
