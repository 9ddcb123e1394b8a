#include "base/journal_segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char prefix[] = "journal-", log_suffix[] = ".log", spare_suffix[] = ".spare";

enum {
    DIGITS = 16,
    DIGITS_AT = sizeof(prefix) - 1,
    SUFFIX_AT = DIGITS_AT + DIGITS,
    /* Files of one name that stand in the way of a new one; more is no accident. */
    MAX_NAMES_TAKEN = 100
};

/* ---- names ------------------------------------------------------------------------------- */

static bool has_form(const char *name, const char *suffix)
{
    if (strncmp(name, prefix, DIGITS_AT) != 0 ||
        strspn(name + DIGITS_AT, "0123456789abcdef") != DIGITS)
        return false;
    return strcmp(name + SUFFIX_AT, suffix) == 0;
}

bool journal_segment_is_name(const char *name)
{
    return has_form(name, log_suffix);
}

bool journal_segment_is_spare_name(const char *name)
{
    return has_form(name, spare_suffix);
}

void journal_segment_name(uint64_t first_lsn, char *name)
{
    snprintf(name, JOURNAL_NAME_BYTES, "%s%016" PRIx64 "%s", prefix, first_lsn,
             log_suffix);
}

void journal_segment_spare_name(const char *name, char *spare_name)
{
    snprintf(spare_name, JOURNAL_NAME_BYTES, "%.*s%s", SUFFIX_AT, name, spare_suffix);
}

/* ---- beginning --------------------------------------------------------------------------- */

static bool is_free(const struct disk *disk, const char *name)
{
    struct error err = {0};
    struct disk_file *file = disk->open(disk->self, name, DISK_READ, &err);

    if (file)
        disk->close(disk->self, file);
    return !file && err.kind == ERROR_NOT_FOUND;
}

/* Renaming would destroy what has the name, and that could not be set aside for some reason. */
static bool choose_name(const struct disk *disk, struct journal_segment *segment,
                        struct error *err)
{
    for (uint64_t i = 0; i < MAX_NAMES_TAKEN; i++) {
        journal_segment_name(segment->header.first_lsn + i, segment->name);
        if (is_free(disk, segment->name))
            return true;
    }
    return FAIL(err, ERROR_INTERNAL, "%s: this name and the next ones are taken",
                segment->name);
}

bool journal_segment_publish(const struct disk *disk, struct journal_segment *segment,
                             const char *from, bool is_synced, struct error *err)
{
    char bytes[JOURNAL_SEGMENT_HEADER];
    struct slice part = {bytes, sizeof(bytes)};

    journal_header_encode(&segment->header, bytes);
    if (!disk->write(disk->self, segment->file, 0, &part, 1, err))
        return false;
    if (is_synced && !disk->sync(disk->self, segment->file, err))
        return false;
    if (!choose_name(disk, segment, err) ||
        !disk->rename(disk->self, from, segment->name, err))
        return false;
    segment->used = JOURNAL_SEGMENT_START;
    segment->last_lsn = segment->header.first_lsn - 1;
    segment->has_header = segment->is_name_pending = true;
    return true;
}

/* ---- appending --------------------------------------------------------------------------- */

bool journal_segment_write(const struct disk *disk, struct journal_segment *segment,
                           const struct journal_record *record,
                           struct journal_frame *frame, struct error *err)
{
    char header[JOURNAL_RECORD_HEADER];
    struct slice parts[] = {{header, sizeof(header)}, record->body};

    frame->salt = segment->header.salt;
    frame->body_len = (uint32_t)record->body.len;
    journal_record_encode(record, frame, header);
    if (!disk->write(disk->self, segment->file, segment->used, parts, 2, err))
        return false;
    segment->used += journal_record_bytes(record->body.len);
    segment->last_lsn = record->lsn;
    return true;
}

void journal_segment_close(const struct disk *disk, struct journal_segment *segment)
{
    if (segment->file)
        disk->close(disk->self, segment->file);
    segment->file = NULL;
}
