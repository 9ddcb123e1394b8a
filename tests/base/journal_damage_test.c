/*
 * Damage to the files of a journal, of every kind that we could think of: the start never fails, what is
 * readable is read, what is not is counted and kept for a person, and the journal goes on.
 *
 * The journal has 35 records of 1,000 bytes in segments of 16 KiB, of which 4,096 are the header's and
 * 1,024 the reserve. A record takes 48 + 1,000 bytes, so that ten fit into a segment: its files begin
 * with the records 1, 11, 21 and 31, and record n of a file at 4,096 + 1,048 n.
 */
#include "base/checksum.h"
#include "base/journal_record.h"
#include "tests/base/journal_kit.h"

#include <assert.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    RECORDS = 35,
    BODY = 1000,
    RECORD = 48 + BODY,
    SEGMENT = 16384,
    PER_SEGMENT = 10,
    FILES = 4
};

/* Where record `index` (0..9) of a file begins. */
#define AT(index) (4096 + (index)*RECORD)

static const char *const names[FILES] = {
    "journal-0000000000000001.log",
    "journal-000000000000000b.log",
    "journal-0000000000000015.log",
    "journal-000000000000001f.log",
};

/* ---- doing damage ------------------------------------------------------------------------ */

static int open_path(const struct journal_kit *kit, const char *name, int flags)
{
    char path[300];
    int fd = open(scratch_path(&kit->scratch, name, path, sizeof(path)), flags, 0600);

    assert_true(fd >= 0);
    return fd;
}

static void read_at(const struct journal_kit *kit, const char *name, off_t offset,
                    char *bytes, size_t len)
{
    int fd = open_path(kit, name, O_RDONLY);

    assert_int_equal(pread(fd, bytes, len, offset), len);
    close(fd);
}

static void write_at(const struct journal_kit *kit, const char *name, off_t offset,
                     const char *bytes, size_t len)
{
    int fd = open_path(kit, name, O_WRONLY | O_CREAT);

    assert_int_equal(pwrite(fd, bytes, len, offset), len);
    close(fd);
}

/* A row of the table below: an action with what it needs. */
struct damage {
    const char *what;
    void (*act)(const struct journal_kit *kit, const struct damage *damage);
    int64_t file;
    off_t at;
    size_t len;                     /* or a bit, or another file, or a value */
    unsigned first_gone, last_gone; /* records; 0: none */
    unsigned bad, lost, torn;
};

static void flip(const struct journal_kit *kit, const struct damage *damage)
{
    char byte;

    read_at(kit, names[damage->file], damage->at, &byte, 1);
    byte = (char)(byte ^ 1 << damage->len);
    write_at(kit, names[damage->file], damage->at, &byte, 1);
}

static void fill(const struct journal_kit *kit, const struct damage *damage, int byte)
{
    char bytes[SEGMENT];

    memset(bytes, byte, sizeof(bytes));
    write_at(kit, names[damage->file], damage->at, bytes, damage->len);
}

static void zero(const struct journal_kit *kit, const struct damage *damage)
{
    fill(kit, damage, 0);
}

static void ones(const struct journal_kit *kit, const struct damage *damage)
{
    fill(kit, damage, 0xff);
}

static void cut(const struct journal_kit *kit, const struct damage *damage)
{
    int fd = open_path(kit, names[damage->file], O_WRONLY);

    assert_int_equal(ftruncate(fd, damage->at), 0);
    close(fd);
}

static void unlink_file(const struct journal_kit *kit, const struct damage *damage)
{
    char path[300];

    assert_int_equal(
        unlink(scratch_path(&kit->scratch, names[damage->file], path, sizeof(path))), 0);
}

static void move(const struct journal_kit *kit, const char *from, const char *to)
{
    char from_path[300], to_path[300];

    assert_int_equal(
        rename(scratch_path(&kit->scratch, from, from_path, sizeof(from_path)),
               scratch_path(&kit->scratch, to, to_path, sizeof(to_path))),
        0);
}

static void swap_files(const struct journal_kit *kit, const struct damage *damage)
{
    move(kit, names[damage->file], "swap");
    move(kit, names[damage->len], names[damage->file]);
    move(kit, "swap", names[damage->len]);
}

/* Under a name that says: the records from damage->at on. */
static void rename_file(const struct journal_kit *kit, const struct damage *damage)
{
    char name[64];

    snprintf(name, sizeof(name), "journal-%016llx.log", (unsigned long long)damage->at);
    move(kit, names[damage->file], name);
}

static void copy_file(const struct journal_kit *kit, const struct damage *damage)
{
    static char bytes[SEGMENT];
    char name[64];
    struct stat status;
    char path[300];

    stat(scratch_path(&kit->scratch, names[damage->file], path, sizeof(path)), &status);
    read_at(kit, names[damage->file], 0, bytes, (size_t)status.st_size);
    snprintf(name, sizeof(name), "journal-%016llx.log", (unsigned long long)damage->at);
    write_at(kit, name, 0, bytes, (size_t)status.st_size);
}

static void overwrite_with_file(const struct journal_kit *kit,
                                const struct damage *damage)
{
    static char bytes[SEGMENT];

    read_at(kit, names[damage->len], 0, bytes, sizeof(bytes));
    write_at(kit, names[damage->file], 0, bytes, sizeof(bytes));
}

/* Both records are at damage->at and the `len` records later. */
static void swap_records(const struct journal_kit *kit, const struct damage *damage)
{
    char one[RECORD], other[RECORD];
    off_t at = damage->at + (off_t)damage->len * RECORD;

    read_at(kit, names[damage->file], damage->at, one, RECORD);
    read_at(kit, names[damage->file], at, other, RECORD);
    write_at(kit, names[damage->file], at, one, RECORD);
    write_at(kit, names[damage->file], damage->at, other, RECORD);
}

static void repeat_record(const struct journal_kit *kit, const struct damage *damage)
{
    char record[RECORD];

    read_at(kit, names[damage->file], damage->at, record, RECORD);
    write_at(kit, names[damage->file], damage->at + (off_t)damage->len * RECORD, record,
             RECORD);
}

/* The record with another LSN and a good checksum. */
static void give_lsn(const struct journal_kit *kit, const struct damage *damage)
{
    char header[JOURNAL_RECORD_HEADER];
    struct journal_record record;
    struct journal_frame frame;

    read_at(kit, names[damage->file], damage->at, header, sizeof(header));
    assert_true(journal_record_decode(header, &record, &frame));
    record.lsn = damage->len;
    journal_record_encode(&record, &frame, header);
    write_at(kit, names[damage->file], damage->at, header, sizeof(header));
}

/* Of a kind that a later version may have. */
static void give_kind(const struct journal_kit *kit, const struct damage *damage)
{
    char header[JOURNAL_RECORD_HEADER];
    struct journal_record record;
    struct journal_frame frame;

    read_at(kit, names[damage->file], damage->at, header, sizeof(header));
    assert_true(journal_record_decode(header, &record, &frame));
    record.kind = (enum journal_kind)damage->len;
    journal_record_encode(&record, &frame, header);
    write_at(kit, names[damage->file], damage->at, header, sizeof(header));
}

/* A record that claims to be longer than the file, with a good checksum. */
static void give_length(const struct journal_kit *kit, const struct damage *damage)
{
    char header[JOURNAL_RECORD_HEADER];
    struct journal_record record;
    struct journal_frame frame;

    read_at(kit, names[damage->file], damage->at, header, sizeof(header));
    assert_true(journal_record_decode(header, &record, &frame));
    frame.body_len = (uint32_t)damage->len;
    journal_record_encode(&record, &frame, header);
    write_at(kit, names[damage->file], damage->at, header, sizeof(header));
}

static struct journal_header get_header(const struct journal_kit *kit, int64_t file)
{
    char bytes[JOURNAL_SEGMENT_HEADER];
    struct journal_header header;

    read_at(kit, names[file], 0, bytes, sizeof(bytes));
    assert_int_equal(journal_header_decode((struct slice){bytes, sizeof(bytes)}, &header),
                     JOURNAL_HEADER_GOOD);
    return header;
}

static void put_header(const struct journal_kit *kit, int64_t file,
                       const struct journal_header *header)
{
    char bytes[JOURNAL_SEGMENT_HEADER];

    journal_header_encode(header, bytes);
    write_at(kit, names[file], 0, bytes, sizeof(bytes));
}

static void give_journal(const struct journal_kit *kit, const struct damage *damage)
{
    struct journal_header header = get_header(kit, damage->file);

    header.journal_id++;
    put_header(kit, damage->file, &header);
}

static void give_salt(const struct journal_kit *kit, const struct damage *damage)
{
    struct journal_header header = get_header(kit, damage->file);

    header.salt++;
    put_header(kit, damage->file, &header);
}

static void give_previous_end(const struct journal_kit *kit, const struct damage *damage)
{
    struct journal_header header = get_header(kit, damage->file);

    header.previous_end = damage->len;
    header.durable_end = header.recovered_end = 0;
    put_header(kit, damage->file, &header);
}

/* Intact, but not ours to read: the version is at 8, the checksum of what is before it at 68. */
static void give_version(const struct journal_kit *kit, const struct damage *damage)
{
    char bytes[JOURNAL_SEGMENT_HEADER];
    uint32_t crc;

    read_at(kit, names[damage->file], 0, bytes, sizeof(bytes));
    bytes[8] = (char)damage->len;
    crc = checksum_crc32c(0, (struct slice){bytes, 68});
    for (int i = 0; i < 4; i++)
        bytes[68 + i] = (char)(crc >> 8 * i);
    write_at(kit, names[damage->file], 0, bytes, sizeof(bytes));
}

static void forbid(const struct journal_kit *kit, const struct damage *damage)
{
    char path[300];

    chmod(scratch_path(&kit->scratch, names[damage->file], path, sizeof(path)), 0);
}

/* ---- things that are not segments -------------------------------------------------------- */

#define STRAY "journal-0000000000000063.log"

static void add_empty(const struct journal_kit *kit, const struct damage *damage)
{
    (void)damage;
    write_at(kit, STRAY, 0, "", 0);
}

static void add_noise(const struct journal_kit *kit, const struct damage *damage)
{
    char bytes[SEGMENT];
    uint32_t state = 1;

    for (size_t i = 0; i < sizeof(bytes); i++) {
        state = state * 1664525 + 1013904223;
        bytes[i] = (char)(state >> 24);
    }
    write_at(kit, STRAY, 0, bytes, damage->len);
}

static void add_text(const struct journal_kit *kit, const struct damage *damage)
{
    (void)damage;
    write_at(kit, STRAY, 0, "remember the milk\n", 18);
}

static void add_folder(const struct journal_kit *kit, const struct damage *damage)
{
    char path[300];

    (void)damage;
    mkdir(scratch_path(&kit->scratch, STRAY, path, sizeof(path)), 0700);
}

static void add_fifo(const struct journal_kit *kit, const struct damage *damage)
{
    char path[300];

    (void)damage;
    mkfifo(scratch_path(&kit->scratch, STRAY, path, sizeof(path)), 0600);
}

static void add_link(const struct journal_kit *kit, const struct damage *damage)
{
    char path[300];
    const char *to = damage->len ? "/etc/passwd" : "nowhere";

    assert_int_equal(symlink(to, scratch_path(&kit->scratch, STRAY, path, sizeof(path))),
                     0);
}

static void add_header_alone(const struct journal_kit *kit, const struct damage *damage)
{
    char bytes[JOURNAL_SEGMENT_HEADER];
    struct journal_header header = get_header(kit, 3);

    header.first_lsn = 99;
    header.previous_end = damage->len;
    journal_header_encode(&header, bytes);
    write_at(kit, STRAY, 0, bytes, sizeof(bytes));
}

static void replace_by_folder(const struct journal_kit *kit, const struct damage *damage)
{
    char path[300];

    unlink_file(kit, damage);
    mkdir(scratch_path(&kit->scratch, names[damage->file], path, sizeof(path)), 0700);
}

static void replace_by_empty(const struct journal_kit *kit, const struct damage *damage)
{
    unlink_file(kit, damage);
    write_at(kit, names[damage->file], 0, "", 0);
}

static void put_folder_in_the_way(const struct journal_kit *kit,
                                  const struct damage *damage)
{
    char path[300];
    static const char *const ways[] = {"journal.new", "journal-0000000000000001.spare",
                                       "journal-0000000000000024.log"};

    mkdir(scratch_path(&kit->scratch, ways[damage->len], path, sizeof(path)), 0700);
}

static void add_files_of_others(const struct journal_kit *kit,
                                const struct damage *damage)
{
    (void)damage;
    write_at(kit, "journal-1.log", 0, "1", 1);
    write_at(kit, "journal-000000000000000B.log", 0, "2", 1);
    write_at(kit, "journal-000000000000000b.log.old", 0, "3", 1);
    write_at(kit, "xjournal-000000000000000b.log", 0, "4", 1);
    write_at(kit, "outbox.db", 0, "5", 1);
}

static void add_unfinished(const struct journal_kit *kit, const struct damage *damage)
{
    char bytes[100] = {0};

    (void)damage;
    write_at(kit, "journal.new", 0, bytes, sizeof(bytes));
    write_at(kit, "journal-0000000000000001.spare", 0, bytes, sizeof(bytes));
}

/* ---- the table --------------------------------------------------------------------------- */

/* Of the second file; record 15 is the fifth in it. */
#define HEADER_BIT(field, offset)                                   \
    {                                                               \
        "segment header: " field, flip, 1, offset, 2, 0, 0, 1, 0, 0 \
    }
#define RECORD_BIT(field, offset)                                       \
    {                                                                   \
        "record: " field, flip, 1, AT(4) + (offset), 3, 15, 15, 1, 1, 0 \
    }
/* Record 35 is the last of all: nothing tells a damaged one from a torn one. */
#define TAIL_BIT(field, offset)                                                   \
    {                                                                             \
        "last record: " field, flip, 3, AT(4) + (offset), 3, 35, 35, 0, 0, RECORD \
    }

static const struct damage damages[] = {
    HEADER_BIT("magic", 0),
    HEADER_BIT("magic, last byte", 7),
    HEADER_BIT("version", 8),
    HEADER_BIT("salt", 12),
    HEADER_BIT("journal", 16),
    HEADER_BIT("first_lsn", 24),
    HEADER_BIT("first_lsn, high byte", 31),
    HEADER_BIT("previous_end", 32),
    HEADER_BIT("durable_end", 40),
    HEADER_BIT("recovered_end", 48),
    HEADER_BIT("previous_first", 56),
    HEADER_BIT("nothing", 64),
    HEADER_BIT("checksum", 68),
    {"bit behind the header", flip, 1, 72, 0, 0, 0, 0, 0, 0},
    {"header of the first file", flip, 0, 25, 0, 0, 0, 1, 0, 0},
    {"header of the last file", flip, 3, 25, 0, 0, 0, 1, 0, 0},
    {"header zeroed", zero, 1, 0, 72, 0, 0, 1, 0, 0},
    {"first block zeroed", zero, 2, 0, 4096, 0, 0, 1, 0, 0},
    {"first block ones", ones, 2, 0, 4096, 0, 0, 1, 0, 0},
    {"first block and half a record", zero, 2, 0, 4500, 21, 21, 1, 1, 0},

    RECORD_BIT("magic", 0),
    RECORD_BIT("checksum", 4),
    RECORD_BIT("salt", 8),
    RECORD_BIT("body_len", 12),
    RECORD_BIT("body_len, high byte", 15),
    RECORD_BIT("lsn", 16),
    RECORD_BIT("lsn, high byte", 23),
    RECORD_BIT("durable_lsn", 24),
    RECORD_BIT("receive_ns", 32),
    RECORD_BIT("kind", 40),
    RECORD_BIT("media_type", 41),
    RECORD_BIT("coding", 42),
    RECORD_BIT("nothing", 43),
    RECORD_BIT("body_crc", 44),
    RECORD_BIT("first byte of the body", 48),
    RECORD_BIT("last byte of the body", RECORD - 1),
    {"first record of a file", flip, 1, AT(0) + 100, 0, 11, 11, 1, 1, 0},
    {"last record of a file", flip, 1, AT(9) + 100, 0, 20, 20, 1, 1, 0},
    {"last record of a file, header", flip, 0, AT(9) + 5, 0, 10, 10, 1, 1, 0},
    {"very first record", flip, 0, AT(0) + 20, 0, 1, 1, 1, 1, 0},
    {"behind the last record of a file", ones, 1, AT(10), 800, 0, 0, 0, 0, 0},

    TAIL_BIT("magic", 0),
    TAIL_BIT("checksum", 4),
    TAIL_BIT("salt", 8),
    TAIL_BIT("lsn", 16),
    TAIL_BIT("kind", 40),
    TAIL_BIT("body_crc", 44),
    TAIL_BIT("body", 500),
    {"last file, not the last record", flip, 3, AT(2) + 500, 0, 33, 33, 1, 1, 0},
    {"noise behind the last record", ones, 3, AT(5), 3000, 0, 0, 0, 0, 0},

    {"three records zeroed", zero, 1, AT(3), 3 * RECORD, 14, 16, 1, 3, 0},
    {"three records ones", ones, 1, AT(3), 3 * RECORD, 14, 16, 1, 3, 0},
    {"block over two records", zero, 2, AT(4) + 600, 1024, 25, 26, 1, 2, 0},
    {"all records of a file zeroed", zero, 1, 4096, SEGMENT - 4096, 11, 20, 1, 10, 0},
    {"all records of the first", zero, 0, 4096, SEGMENT - 4096, 1, 10, 1, 10, 0},
    {"a whole file zeroed", zero, 1, 0, SEGMENT, 11, 20, 1, 10, 0},
    {"a whole file ones", ones, 1, 0, SEGMENT, 11, 20, 1, 10, 0},
    {"first half of a file zeroed", zero, 1, 0, AT(5), 11, 15, 1, 5, 0},
    {"second half of a file zeroed", zero, 1, AT(5), SEGMENT - AT(5), 16, 20, 1, 5, 0},

    {"cut to nothing", cut, 1, 0, 0, 11, 20, 1, 10, 0},
    {"cut in the header", cut, 1, 40, 0, 11, 20, 1, 10, 0},
    {"cut behind the header", cut, 1, 72, 0, 11, 20, 1, 10, 0},
    {"cut before the first record", cut, 1, AT(0), 0, 11, 20, 1, 10, 0},
    {"cut in a record's header", cut, 1, AT(4) + 20, 0, 15, 20, 1, 6, 0},
    {"cut in a body", cut, 1, AT(4) + 500, 0, 15, 20, 1, 6, 0},
    {"cut between two records", cut, 1, AT(4), 0, 15, 20, 1, 6, 0},
    {"cut one byte short", cut, 1, AT(10) - 1, 0, 20, 20, 1, 1, 0},
    {"cut to its records", cut, 1, AT(10), 0, 0, 0, 0, 0, 0},
    {"last file cut in a body", cut, 3, AT(4) + 500, 0, 35, 35, 0, 0, 500},
    {"last file cut in a header", cut, 3, AT(4) + 20, 0, 35, 35, 0, 0, 20},
    {"last file cut one byte short", cut, 3, AT(5) - 1, 0, 35, 35, 0, 0, RECORD - 1},
    {"last file cut between", cut, 3, AT(4), 0, 35, 35, 0, 0, 0},
    {"last file cut to its header", cut, 3, AT(0), 0, 31, 35, 0, 0, 0},
    {"last file cut to nothing", cut, 3, 0, 0, 31, 35, 1, 0, 0},

    {"first file removed", unlink_file, 0, 0, 0, 1, 10, 0, 10, 0},
    {"file removed", unlink_file, 1, 0, 0, 11, 20, 0, 10, 0},
    {"last file removed", unlink_file, 3, 0, 0, 31, 35, 0, 0, 0},
    {"file empty", replace_by_empty, 1, 0, 0, 11, 20, 1, 10, 0},
    {"file a folder", replace_by_folder, 1, 0, 0, 11, 20, 1, 10, 0},
    {"last file a folder", replace_by_folder, 3, 0, 0, 31, 35, 1, 0, 0},
    {"two files swapped", swap_files, 1, 0, 2, 0, 0, 0, 0, 0},
    {"first and last swapped", swap_files, 0, 0, 3, 0, 0, 0, 0, 0},
    {"file renamed", rename_file, 1, 77, 0, 0, 0, 0, 0, 0},
    {"last file renamed to an early name", rename_file, 3, 2, 0, 0, 0, 0, 0, 0},
    {"file renamed to the last name of all", rename_file, 1, INT64_MAX, 0, 0, 0, 0, 0, 0},
    {"file copied", copy_file, 1, 77, 0, 0, 0, 1, 0, 0},
    {"file copied to an early name", copy_file, 3, 2, 0, 0, 0, 1, 0, 0},
    {"file overwritten with the next", overwrite_with_file, 1, 0, 2, 11, 20, 1, 10, 0},
    {"last file overwritten", overwrite_with_file, 3, 0, 0, 31, 35, 1, 0, 0},

    {"neighbours swapped", swap_records, 1, AT(3), 1, 15, 16, 1, 2, 0},
    {"record repeated over the next", repeat_record, 1, AT(3), 1, 15, 15, 1, 1, 0},
    {"record repeated behind the end", repeat_record, 3, AT(4), 1, 0, 0, 0, 0, RECORD},
    {"LSN too high", give_lsn, 1, AT(4), 17, 15, 15, 1, 1, 0},
    {"LSN above the file's", give_lsn, 1, AT(4), 29, 15, 15, 1, 1, 0},
    {"LSN too low", give_lsn, 1, AT(4), 3, 15, 15, 1, 1, 0},
    {"LSN of the last too low", give_lsn, 3, AT(4), 3, 35, 35, 0, 0, RECORD},
    {"unknown kind", give_kind, 1, AT(4), 9, 15, 15, 1, 1, 0},
    {"longer than the file", give_length, 1, AT(4), 100000, 15, 15, 1, 1, 0},
    {"longer than any record", give_length, 1, AT(4), UINT32_MAX, 15, 15, 1, 1, 0},
    {"length of the body short", give_length, 1, AT(4), BODY - 8, 15, 15, 1, 1, 0},

    {"header of a later version", give_version, 1, 0, 2, 11, 20, 1, 10, 0},
    {"last file of a later version", give_version, 3, 0, 2, 31, 35, 1, 0, 0},
    {"header of version 0", give_version, 1, 0, 0, 11, 20, 1, 10, 0},
    {"another journal's file", give_journal, 1, 0, 0, 11, 20, 1, 10, 0},
    {"another journal's last file", give_journal, 3, 0, 0, 31, 35, 1, 0, 0},
    {"header of another use", give_salt, 1, 0, 0, 11, 20, 1, 10, 0},
    {"previous end not before", give_previous_end, 1, 0, 11, 0, 0, 1, 0, 0},
    {"previous end far ahead", give_previous_end, 1, 0, 1 << 30, 0, 0, 1, 0, 0},

    {"stray empty file", add_empty, 0, 0, 0, 0, 0, 1, 0, 0},
    {"stray noise", add_noise, 0, 0, SEGMENT, 0, 0, 1, 0, 0},
    {"stray byte of noise", add_noise, 0, 0, 1, 0, 0, 1, 0, 0},
    {"stray text", add_text, 0, 0, 0, 0, 0, 1, 0, 0},
    {"stray folder", add_folder, 0, 0, 0, 0, 0, 1, 0, 0},
    {"stray FIFO", add_fifo, 0, 0, 0, 0, 0, 1, 0, 0},
    {"stray dead link", add_link, 0, 0, 0, 0, 0, 1, 0, 0},
    {"stray link", add_link, 0, 0, 1, 0, 0, 1, 0, 0},
    {"stray header without records", add_header_alone, 0, 0, 35, 0, 0, 0, 0, 0},
    {"folder instead of a new file", put_folder_in_the_way, 0, 0, 0, 0, 0, 1, 0, 0},
    {"folder instead of a spare", put_folder_in_the_way, 0, 0, 1, 0, 0, 0, 0, 0},
    {"folder at the next name", put_folder_in_the_way, 0, 0, 2, 0, 0, 1, 0, 0},
    {"files of others", add_files_of_others, 0, 0, 0, 0, 0, 0, 0, 0},
    {"unfinished files", add_unfinished, 0, 0, 0, 0, 0, 0, 0, 0},
};

enum {
    DAMAGES = sizeof(damages) / sizeof(damages[0])
};

static_assert(DAMAGES >= 50, "as many as were asked for");

/* ---- what must hold ---------------------------------------------------------------------- */

static void write_journal(struct journal_kit *kit)
{
    struct journal *journal;

    kit->options.segment_bytes = SEGMENT;
    journal = journal_kit_open(kit);
    for (uint64_t i = 1; i <= RECORDS; i++)
        assert_int_equal(journal_kit_append(journal, JOURNAL_REQUEST, i, BODY),
                         ERROR_NONE);
    journal_kit_close(kit);
}

/* Reads everything; is_there[n] tells of record n. Returns the last LSN. */
static uint64_t read_all(struct journal *journal, bool is_there[RECORDS + 1])
{
    struct journal_record record;
    uint64_t last = 0;

    memset(is_there, 0, RECORDS + 1);
    while (journal_next(journal, &record)) {
        assert_in_range(record.lsn, last + 1, RECORDS);
        assert_int_equal(record.body.len, BODY);
        journal_kit_check(&record, record.lsn, record.lsn);
        is_there[record.lsn] = true;
        last = record.lsn;
    }
    return last;
}

static void check_records(const struct damage *damage, const bool is_there[RECORDS + 1])
{
    for (unsigned i = 1; i <= RECORDS; i++) {
        bool is_gone = i >= damage->first_gone && i <= damage->last_gone;

        if (is_there[i] == is_gone)
            fail_msg("%s: record %u is %s", damage->what, i, is_gone ? "there" : "gone");
    }
}

static void check_count(const struct damage *damage, const char *what, uint64_t is,
                        uint64_t should)
{
    if (is != should)
        fail_msg("%s: %s is %llu, not %llu", damage->what, what, (unsigned long long)is,
                 (unsigned long long)should);
}

/* The journal works: what is appended now is read, also by the next process, which finds no damage in
 * what is left when everything else was forgotten. */
static void check_it_goes_on(struct journal_kit *kit, const struct damage *damage,
                             uint64_t last_lsn)
{
    struct journal *journal = kit->journal;
    struct journal_record record;
    uint64_t number = 500;

    assert_int_equal(journal_kit_append(journal, JOURNAL_REQUEST, number, BODY),
                     ERROR_NONE);
    assert_true(journal_next(journal, &record));
    assert_true(record.lsn > last_lsn);
    journal_kit_check(&record, number, record.lsn);

    uint64_t lsn = record.lsn;

    journal_forget(journal, lsn - 1);
    check_count(damage, "files set aside", scratch_count(&kit->scratch, ".bad"),
                damage->bad);
    kit->options.after_lsn = kit->options.known_lsn = lsn - 1;
    journal = journal_kit_open(kit);
    assert_true(journal_next(journal, &record));
    journal_kit_check(&record, number, lsn);
    assert_false(journal_next(journal, &record));

    struct journal_stats stats = journal_kit_stats(journal);

    check_count(damage, "lost after all", stats.lost_records, 0);
    check_count(damage, "bad after all", stats.bad_files, 0);
}

static void check_damage(struct journal_kit *kit, const struct damage *damage)
{
    bool is_there[RECORDS + 1];
    struct journal *journal = journal_kit_open(kit);
    uint64_t last_lsn = read_all(journal, is_there);
    struct journal_stats stats = journal_kit_stats(journal);

    check_records(damage, is_there);
    check_count(damage, "bad files", stats.bad_files, damage->bad);
    check_count(damage, "lost records", stats.lost_records, damage->lost);
    check_count(damage, "torn bytes", stats.torn_bytes, damage->torn);
    if (damage->bad)
        assert_true(stats.last_error[0]);
    check_it_goes_on(kit, damage, last_lsn);
}

static void every_damage_is_survived_and_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < DAMAGES; i++) {
        void *kit;

        assert_int_equal(journal_kit_set_up(&kit), 0);
        write_journal(kit);
        damages[i].act(kit, &damages[i]);
        check_damage(kit, &damages[i]);
        journal_kit_tear_down(&kit);
    }
}

/* Root may read everything; others find the file unreadable. */
static void a_file_without_permissions_is_set_aside(void **state)
{
    struct damage damage = {.what = "forbidden", .file = 1};

    write_journal(*state);
    forbid(*state, &damage);
    if (geteuid() != 0) {
        damage.first_gone = 11;
        damage.last_gone = 20;
        damage.bad = 1;
        damage.lost = 10;
    }
    check_damage(*state, &damage);
}

/* Whatever 512 bytes are hit: only records that have some of them are gone. */
static void a_damaged_sector_takes_only_its_own_records(void **state)
{
    (void)state;
    for (off_t at = 0; at < SEGMENT; at += 512) {
        struct damage damage = {"sector", ones, 2, at, 512, 0, 0, 0, 0, 0};
        off_t first = (at - 4096) / RECORD, last = (at + 511 - 4096) / RECORD;
        void *kit;

        if (at < 512)
            damage.bad = 1;
        if (at >= 4096 && first < PER_SEGMENT) {
            last = last < PER_SEGMENT ? last : PER_SEGMENT - 1;
            damage.first_gone = 21 + (unsigned)first;
            damage.last_gone = 21 + (unsigned)last;
            damage.bad = 1;
            damage.lost = damage.last_gone - damage.first_gone + 1;
        }
        assert_int_equal(journal_kit_set_up(&kit), 0);
        write_journal(kit);
        ones(kit, &damage);
        check_damage(kit, &damage);
        journal_kit_tear_down(&kit);
    }
}

/* What was told about the lost end by others: the outbox has a tick with a higher LSN. */
static void records_that_only_others_know_are_lost(void **state)
{
    struct journal_kit *kit = *state;
    bool is_there[RECORDS + 1];
    struct journal *journal;
    struct journal_record record;

    write_journal(kit);
    unlink_file(kit, &(struct damage){.file = 3});
    kit->options.known_lsn = 33;
    journal = journal_kit_open(kit);
    assert_int_equal(read_all(journal, is_there), 30);
    assert_int_equal(journal_kit_stats(journal).lost_records, 3);
    assert_int_equal(journal_kit_append(journal, JOURNAL_TICK, 500, 0), ERROR_NONE);
    assert_true(journal_next(journal, &record));
    assert_int_equal(record.lsn, 34);
}

/* Bytes that look like records to whoever does not know the salt. */
static void a_body_is_never_taken_for_a_record(void **state)
{
    struct journal_kit *kit = *state;
    char bytes[8 * JOURNAL_RECORD_HEADER];
    struct journal_record record;
    struct journal *journal = journal_kit_open(kit);

    for (uint64_t i = 0; i < 8; i++)
        journal_record_encode(
            &(struct journal_record){.kind = JOURNAL_TICK, .lsn = i + 1},
            &(struct journal_frame){.salt = 12345}, bytes + i * JOURNAL_RECORD_HEADER);
    for (int i = 0; i < 3; i++)
        journal_append(journal,
                       &(struct journal_record){.kind = JOURNAL_REQUEST,
                                                .body = {bytes, sizeof(bytes)}},
                       NULL, NULL);
    journal_kit_close(kit);
    /* The header of the first and that of the last record are gone, their bodies are there. */
    zero(kit, &(struct damage){.at = 4096, .len = 16});
    zero(kit, &(struct damage){.at = 4096 + 2 * (48 + (off_t)sizeof(bytes)), .len = 16});
    journal = journal_kit_open(kit);
    assert_true(journal_next(journal, &record));
    assert_int_equal(record.lsn, 2);
    assert_int_equal(record.kind, JOURNAL_REQUEST);
    assert_false(journal_next(journal, &record));
    assert_int_equal(journal_kit_stats(journal).lost_records, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_damage_is_survived_and_counted),
        JOURNAL_KIT_TEST(a_file_without_permissions_is_set_aside),
        cmocka_unit_test(a_damaged_sector_takes_only_its_own_records),
        JOURNAL_KIT_TEST(records_that_only_others_know_are_lost),
        JOURNAL_KIT_TEST(a_body_is_never_taken_for_a_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
