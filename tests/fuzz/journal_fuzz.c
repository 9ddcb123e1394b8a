/*
 * Any bytes as the files of a journal: opening never fails, what is read has rising LSNs and stays
 * within its file, and the journal takes records and gives them back, also to the next process.
 *
 * The first byte says into how many files the rest is cut (1 to 4) and which checksums are put right
 * before (4: of segments, 8: of records), since no search finds them. Of each part the first 72 bytes
 * are the segment's header, the rest its records.
 */
#include "base/checksum.h"
#include "base/journal_record.h"
#include "tests/sim/fake_disk.h"

#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MAX_BYTES = 1 << 16,
    FIX_SEGMENTS = 4,
    FIX_RECORDS = 8,
    /* As in journal_record.c. */
    AT_SEGMENT_SALT = 12,
    AT_SEGMENT_CRC = 68,
    AT_CRC = 4,
    AT_SALT = 8,
    AT_BODY_LEN = 12,
    AT_BODY_CRC = 44
};

static void insist(bool holds)
{
    if (!holds)
        abort();
}

/* ---- files ------------------------------------------------------------------------------- */

static void put32(char *to, uint32_t value)
{
    value = htole32(value);
    memcpy(to, &value, sizeof(value));
}

static void fix_record(char *record, uint32_t body_len, const char *salt)
{
    memcpy(record + AT_SALT, salt, 4);
    put32(record + AT_BODY_CRC,
          checksum_crc32c(0, (struct slice){record + JOURNAL_RECORD_HEADER, body_len}));
    put32(record + AT_CRC,
          checksum_crc32c(
              0, (struct slice){record + AT_SALT, JOURNAL_RECORD_HEADER - AT_SALT}));
}

static void fix_records(char *bytes, size_t len, const char *salt)
{
    size_t at = 0;

    while (len - at >= JOURNAL_RECORD_HEADER) {
        uint32_t body_len;

        memcpy(&body_len, bytes + at + AT_BODY_LEN, sizeof(body_len));
        body_len = le32toh(body_len);
        if (body_len > len - at - JOURNAL_RECORD_HEADER)
            return;
        fix_record(bytes + at, body_len, salt);
        at += (size_t)journal_record_bytes(body_len);
        if (at > len)
            return;
    }
}

static void write_file(const struct disk *disk, unsigned number, struct slice part,
                       unsigned flags)
{
    static char bytes[JOURNAL_SEGMENT_START + MAX_BYTES];
    char name[64];
    size_t header = part.len < JOURNAL_SEGMENT_HEADER ? part.len : JOURNAL_SEGMENT_HEADER;
    size_t records = part.len - header;
    struct slice whole = {bytes, records ? JOURNAL_SEGMENT_START + records : header};

    memset(bytes, 0, JOURNAL_SEGMENT_START);
    memcpy(bytes, part.ptr, header);
    memcpy(bytes + JOURNAL_SEGMENT_START, part.ptr + header, records);
    if (flags & FIX_SEGMENTS)
        put32(bytes + AT_SEGMENT_CRC,
              checksum_crc32c(0, (struct slice){bytes, AT_SEGMENT_CRC}));
    if (flags & FIX_RECORDS)
        fix_records(bytes + JOURNAL_SEGMENT_START, records, bytes + AT_SEGMENT_SALT);
    snprintf(name, sizeof(name), "journal-%016x.log", number);

    struct disk_file *file = disk->open(disk->self, name, DISK_REPLACE, NULL);

    insist(file && disk->write(disk->self, file, 0, &whole, 1, NULL));
    disk->close(disk->self, file);
}

static void write_files(const struct disk *disk, const uint8_t *data, size_t size)
{
    unsigned flags = data[0], files = (flags & 3) + 1;
    struct slice rest = {(const char *)data + 1, size - 1};

    for (unsigned i = 0; i < files; i++) {
        struct slice part = {rest.ptr, rest.len / (files - i)};

        write_file(disk, i + 1, part, flags);
        rest.ptr += part.len;
        rest.len -= part.len;
    }
}

/* ---- journals ---------------------------------------------------------------------------- */

static struct journal *open_journal(const struct disk *disk, uint64_t after_lsn)
{
    struct journal *journal = journal_open(
        &(struct journal_options){
            .disk = disk,
            .max_bytes = 1 << 20,
            .segment_bytes = 2 * JOURNAL_SEGMENT_START,
            .after_lsn = after_lsn,
            .is_manual = true,
        },
        NULL);

    insist(journal);
    return journal;
}

static uint64_t read_all(struct journal *journal)
{
    struct journal_record record;
    uint64_t last_lsn = 0;

    while (journal_next(journal, &record)) {
        insist(record.lsn > last_lsn);
        insist(record.body.len <= MAX_BYTES);
        /* Touches every byte. */
        (void)checksum_crc32c(0, record.body);
        last_lsn = record.lsn;
    }
    return last_lsn;
}

static void expect(void *self, enum error_kind kind)
{
    (void)self;
    insist(kind == ERROR_NONE);
}

static uint64_t append_and_read(struct journal *journal)
{
    struct journal_record record = {.kind = JOURNAL_REQUEST, .body = SLICE("new")};

    journal_append(journal, &record, expect, NULL);
    insist(journal_next(journal, &record));
    insist(slice_is(record.body, "new"));
    insist(!journal_next(journal, &record));
    return record.lsn;
}

static void use(const struct disk *disk)
{
    struct journal *journal = open_journal(disk, 0);
    uint64_t last_lsn = read_all(journal), new_lsn = append_and_read(journal);
    struct journal_record record;

    insist(new_lsn > last_lsn);
    journal_free(journal);
    /* Files may claim LSNs that no journal lives to reach; then there is no next process. */
    if (new_lsn > JOURNAL_MAX_LSN)
        return;
    journal = open_journal(disk, new_lsn - 1);
    insist(journal_next(journal, &record));
    insist(record.lsn == new_lsn && slice_is(record.body, "new"));
    insist(!journal_next(journal, &record));
    journal_forget(journal, new_lsn);
    append_and_read(journal);
    journal_free(journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > MAX_BYTES)
        return 0;

    struct fake_disk *fake = fake_disk_new(
        &(struct fake_disk_options){.capacity = 1 << 24});
    const struct disk *disk = fake_disk_handle(fake);

    write_files(disk, data, size);

    use(disk);
    fake_disk_free(fake);
    return 0;
}
