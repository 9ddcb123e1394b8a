#include "app/checkpoint_file.h"

#include "base/checksum.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    /* One write in so many bytes: large enough that the disk's own costs vanish. */
    BUFFER_BYTES = 1 << 20,
    VERSION = 1
};

static const char MAGIC[8] = {'M', 'O', 'G', 'C', 'H', 'K', 'P', 'T'};

struct head {
    char magic[8];
    uint32_t version, zero;
    uint64_t lsn, seed;
};

enum {
    HEAD_BYTES = sizeof(struct head),
    TAIL_BYTES = sizeof(uint64_t) + sizeof(uint32_t)
};

/* ---- writing ----------------------------------------------------------------------------- */

struct checkpoint_writer {
    const struct disk *disk;
    struct disk_file *file;
    char *buffer;
    size_t used;
    uint64_t written;
    uint32_t checksum;
    bool is_synced;
    struct error err; /* the first failure */
};

static bool flush(struct checkpoint_writer *writer)
{
    struct slice bytes = {writer->buffer, writer->used};

    if (writer->err.kind != ERROR_NONE)
        return false;
    if (!writer->disk->write(writer->disk->self, writer->file, writer->written, &bytes, 1,
                             &writer->err))
        return false;
    writer->written += writer->used;
    writer->used = 0;
    return true;
}

bool checkpoint_file_write(void *self, struct slice bytes)
{
    struct checkpoint_writer *writer = self;

    while (bytes.len > 0) {
        size_t room = BUFFER_BYTES - writer->used;
        size_t part = bytes.len < room ? bytes.len : room;

        memcpy(writer->buffer + writer->used, bytes.ptr, part);
        writer->checksum = checksum_crc32c(writer->checksum,
                                           (struct slice){bytes.ptr, part});
        writer->used += part;
        bytes = (struct slice){bytes.ptr + part, bytes.len - part};
        if (writer->used == BUFFER_BYTES && !flush(writer))
            return false;
    }
    return writer->err.kind == ERROR_NONE;
}

struct checkpoint_writer *checkpoint_file_begin(const struct disk *disk,
                                                const struct checkpoint_head *head,
                                                struct error *err)
{
    struct head first = {.version = VERSION, .lsn = head->lsn, .seed = head->seed};
    struct disk_file *file = disk->open(disk->self, CHECKPOINT_FILE_NEW, DISK_REPLACE,
                                        err);

    if (!file)
        return NULL;

    struct checkpoint_writer *writer = memory_new(1, sizeof(*writer));

    writer->disk = disk;
    writer->file = file;
    writer->buffer = memory_new(BUFFER_BYTES, 1);
    memcpy(first.magic, MAGIC, sizeof(MAGIC));
    if (checkpoint_file_write(writer,
                              (struct slice){(const char *)&first, sizeof(first)}))
        return writer;
    *err = writer->err;
    checkpoint_file_abandon(writer);
    return NULL;
}

bool checkpoint_file_end(struct checkpoint_writer *writer, struct error *err)
{
    uint64_t length = checkpoint_file_bytes(writer) + TAIL_BYTES;
    struct slice bytes = {(const char *)&length, sizeof(length)};

    if (checkpoint_file_write(writer, bytes)) {
        uint32_t sum = writer->checksum;

        bytes = (struct slice){(const char *)&sum, sizeof(sum)};
        if (checkpoint_file_write(writer, bytes) && flush(writer))
            return true;
    }
    if (err)
        *err = writer->err;
    return false;
}

bool checkpoint_file_sync(struct checkpoint_writer *writer, struct error *err)
{
    const struct disk *disk = writer->disk;

    if (writer->err.kind == ERROR_NONE && !writer->is_synced)
        writer->is_synced = disk->sync(disk->self, writer->file, &writer->err);
    if (!writer->is_synced && err)
        *err = writer->err;
    return writer->is_synced;
}

static void release(struct checkpoint_writer *writer)
{
    if (writer->file)
        writer->disk->close(writer->disk->self, writer->file);
    free(writer->buffer);
    free(writer);
}

bool checkpoint_file_commit(struct checkpoint_writer *writer, struct error *err)
{
    const struct disk *disk = writer->disk;

    if (!checkpoint_file_sync(writer, err) ||
        !disk->rename(disk->self, CHECKPOINT_FILE_NEW, CHECKPOINT_FILE_NAME, err)) {
        checkpoint_file_abandon(writer);
        return false;
    }
    release(writer);
    return disk->sync_names(disk->self, err);
}

void checkpoint_file_abandon(struct checkpoint_writer *writer)
{
    if (!writer)
        return;

    const struct disk *disk = writer->disk;

    release(writer);
    /* Should it stay, the next one writes over it and the next start removes it. */
    (void)disk->remove(disk->self, CHECKPOINT_FILE_NEW, NULL);
}

uint64_t checkpoint_file_bytes(const struct checkpoint_writer *writer)
{
    return writer->written + writer->used;
}

/* ---- reading ----------------------------------------------------------------------------- */

struct checkpoint_reader {
    const struct disk *disk;
    struct disk_file *file;
    uint64_t end; /* of the bytes between head and tail */
    uint64_t at;  /* where the buffer begins in the file */
    char *buffer;
    size_t used, taken;
};

/* Exactly so many bytes at that place: a file may shrink under us. */
static bool read_at(const struct checkpoint_reader *reader, uint64_t at, char *to,
                    size_t len, struct error *err)
{
    size_t got = 0;

    if (!reader->disk->read(reader->disk->self, reader->file, at, to, len, &got, err))
        return false;
    if (got != len)
        return FAIL(err, ERROR_CORRUPT, "the file ends at byte %llu",
                    (unsigned long long)(at + got));
    return true;
}

static bool sum_up(struct checkpoint_reader *reader, uint64_t until, uint32_t *sum,
                   struct error *err)
{
    *sum = 0;
    for (uint64_t at = 0; at < until;) {
        size_t part = until - at < BUFFER_BYTES ? (size_t)(until - at) : BUFFER_BYTES;

        if (!read_at(reader, at, reader->buffer, part, err))
            return false;
        *sum = checksum_crc32c(*sum, (struct slice){reader->buffer, part});
        at += part;
    }
    return true;
}

static bool check_tail(struct checkpoint_reader *reader, uint64_t size, struct error *err)
{
    uint64_t length;
    uint32_t written, sum;

    if (size < HEAD_BYTES + TAIL_BYTES)
        return FAIL(err, ERROR_CORRUPT, "the file has %llu bytes only",
                    (unsigned long long)size);
    if (!read_at(reader, size - TAIL_BYTES, (char *)&length, sizeof(length), err) ||
        !read_at(reader, size - sizeof(written), (char *)&written, sizeof(written), err))
        return false;
    if (length != size)
        return FAIL(err, ERROR_CORRUPT, "the end is missing, or more follows it");
    if (!sum_up(reader, size - sizeof(written), &sum, err))
        return false;
    if (sum != written)
        return FAIL(err, ERROR_CORRUPT, "the checksum does not fit");
    reader->end = size - TAIL_BYTES;
    return true;
}

static bool check_head(struct checkpoint_reader *reader, struct checkpoint_head *head,
                       struct error *err)
{
    struct head first;

    if (!read_at(reader, 0, (char *)&first, sizeof(first), err))
        return false;
    if (memcmp(first.magic, MAGIC, sizeof(MAGIC)) != 0)
        return FAIL(err, ERROR_INVALID, "this is no checkpoint");
    if (first.version != VERSION)
        return FAIL(err, ERROR_INVALID,
                    "the file has version %u, this program reads version %d; another "
                    "version of the program wrote it",
                    first.version, VERSION);
    *head = (struct checkpoint_head){first.lsn, first.seed};
    reader->at = HEAD_BYTES;
    return true;
}

void checkpoint_file_set_aside(const struct disk *disk, const char *why)
{
    struct error err = {0};
    bool is_kept = disk_set_aside(disk, CHECKPOINT_FILE_NAME, &err);

    log_event(LOG_ERROR,
              is_kept ? "the checkpoint cannot be used and is set aside as *.bad"
                      : "the checkpoint cannot be used, and not be set aside either",
              LOG_TEXT("file", CHECKPOINT_FILE_NAME), LOG_TEXT("reason", why),
              LOG_TEXT("error", err.text));
}

struct checkpoint_reader *checkpoint_file_open(const struct disk *disk,
                                               struct checkpoint_head *head,
                                               struct error *err)
{
    struct error why = {0};
    struct disk_file *file;

    (void)disk->remove(disk->self, CHECKPOINT_FILE_NEW, NULL);
    file = disk->open(disk->self, CHECKPOINT_FILE_NAME, DISK_READ, &why);
    if (file) {
        struct checkpoint_reader *reader = memory_new(1, sizeof(*reader));

        reader->disk = disk;
        reader->file = file;
        reader->buffer = memory_new(BUFFER_BYTES, 1);
        if (check_tail(reader, disk->size(disk->self, file), &why) &&
            check_head(reader, head, &why))
            return reader;
        checkpoint_file_close(reader);
    }
    if (why.kind != ERROR_NOT_FOUND)
        checkpoint_file_set_aside(disk, why.text);
    if (err)
        *err = why;
    return NULL;
}

static bool fill(struct checkpoint_reader *reader)
{
    uint64_t left = reader->end - reader->at;
    size_t part = left < BUFFER_BYTES ? (size_t)left : BUFFER_BYTES;

    if (part == 0 || !read_at(reader, reader->at, reader->buffer, part, NULL))
        return false;
    reader->at += part;
    reader->used = part;
    reader->taken = 0;
    return true;
}

bool checkpoint_file_read(void *self, char *to, size_t len)
{
    struct checkpoint_reader *reader = self;

    while (len > 0) {
        size_t part = reader->used - reader->taken;

        if (part == 0 && !fill(reader))
            return false;
        part = reader->used - reader->taken < len ? reader->used - reader->taken : len;
        memcpy(to, reader->buffer + reader->taken, part);
        reader->taken += part;
        to += part;
        len -= part;
    }
    return true;
}

void checkpoint_file_close(struct checkpoint_reader *reader)
{
    if (!reader)
        return;
    reader->disk->close(reader->disk->self, reader->file);
    free(reader->buffer);
    free(reader);
}
