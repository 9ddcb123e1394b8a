#include "base/journal_files.h"

#include <inttypes.h>
#include <string.h>

enum {
    MIN_SPARES = 2
};

/* ---- spares ------------------------------------------------------------------------------ */

static bool has_spare(const struct journal_files *files, const char *name)
{
    for (size_t i = 0; i < files->spare_count; i++) {
        if (strcmp(files->spares[i].name, name) == 0)
            return true;
    }
    return false;
}

static size_t wanted(const struct journal_files *files)
{
    return files->begun > MIN_SPARES ? files->begun : MIN_SPARES;
}

/* What is written to a file that has a segment's name could be taken for a segment, should the process
 * end meanwhile; so it is renamed first. */
static bool add_as_spare(struct journal_files *files, const char *name, uint64_t bytes)
{
    char spare[JOURNAL_NAME_BYTES];

    journal_segment_spare_name(name, spare);
    if (files->spare_count == JOURNAL_MAX_SPARES || has_spare(files, spare))
        return false;
    if (strcmp(name, spare) != 0 &&
        !files->disk->rename(files->disk->self, name, spare, NULL))
        return false;
    memcpy(files->spares[files->spare_count].name, spare, sizeof(spare));
    files->spares[files->spare_count++].bytes = bytes;
    files->spare_bytes += bytes;
    return true;
}

void journal_files_adopt(struct journal_files *files, const char *name)
{
    const struct disk *disk = files->disk;
    struct disk_file *file = disk->open(disk->self, name, DISK_READ, NULL);
    bool is_kept = false;

    if (file) {
        is_kept = add_as_spare(files, name, disk->size(disk->self, file));
        disk->close(disk->self, file);
    }
    if (!is_kept)
        disk->remove(disk->self, name, NULL);
}

bool journal_files_clear(struct journal_files *files, struct error *err)
{
    const struct disk *disk = files->disk;
    struct error why = {0};
    struct disk_file *file;

    if (disk->remove(disk->self, JOURNAL_NEW_NAME, &why) || why.kind == ERROR_NOT_FOUND)
        return false;
    /* A file that cannot be removed now can still be written over. */
    file = disk->open(disk->self, JOURNAL_NEW_NAME, DISK_READ, NULL);
    if (file) {
        disk->close(disk->self, file);
        return false;
    }
    FAIL(err, why.kind, "%s", why.text);
    return disk_set_aside(disk, JOURNAL_NEW_NAME, NULL);
}

bool journal_files_recycle(struct journal_files *files,
                           const struct journal_segment *segment)
{
    return files->spare_count < wanted(files) &&
           add_as_spare(files, segment->name, segment->bytes);
}

static void give_up_first(struct journal_files *files, char *name)
{
    memcpy(name, files->spares[0].name, JOURNAL_NAME_BYTES);
    files->spare_bytes -= files->spares[0].bytes;
    files->spare_count--;
    memmove(&files->spares[0], &files->spares[1],
            files->spare_count * sizeof(files->spares[0]));
}

bool journal_files_trim(struct journal_files *files, char *name)
{
    if (files->spare_count <= wanted(files)) {
        files->begun = 0;
        return false;
    }
    give_up_first(files, name);
    return true;
}

static void remove_first_spare(struct journal_files *files)
{
    char name[JOURNAL_NAME_BYTES];

    give_up_first(files, name);
    files->disk->remove(files->disk->self, name, NULL);
}

/* ---- space ------------------------------------------------------------------------------- */

static bool afford(struct journal_files *files, uint64_t more, struct error *err)
{
    uint64_t held = files->held_bytes;

    while (files->spare_count > 0 && held + files->spare_bytes + more > files->max_bytes)
        remove_first_spare(files);
    if (held + more > files->max_bytes)
        return FAIL(err, ERROR_BUSY,
                    "the journal is full: it holds %" PRIu64 " of %" PRIu64 " bytes",
                    held, files->max_bytes);
    return true;
}

static bool leaves_enough(const struct journal_files *files, uint64_t more)
{
    uint64_t free_bytes = files->disk->free_bytes(files->disk->self);

    return free_bytes >= more && free_bytes - more >= files->min_free_bytes;
}

bool journal_files_has_space(struct journal_files *files, uint64_t more,
                             struct error *err)
{
    while (!leaves_enough(files, more)) {
        if (files->spare_count == 0)
            return FAIL(err, ERROR_BUSY,
                        "the disk has less than %" PRIu64
                        " bytes left, the least it must",
                        files->min_free_bytes + more);
        remove_first_spare(files);
    }
    return true;
}

/* ---- segments ---------------------------------------------------------------------------- */

bool journal_files_extend(struct journal_files *files, struct journal_segment *segment,
                          uint64_t bytes, struct error *err)
{
    uint64_t more = bytes > segment->bytes ? bytes - segment->bytes : 0;

    if (more == 0)
        return true;
    if (!afford(files, more, err) || !journal_files_has_space(files, more, err) ||
        !files->disk->allocate(files->disk->self, segment->file, bytes, err))
        return false;
    segment->bytes = bytes;
    files->held_bytes += more;
    return true;
}

/* The file called `from` is open and segment->bytes long, which held_bytes has. On failure it is
 * removed: it has nothing that anybody needs. */
static bool make(struct journal_files *files, struct journal_segment *segment,
                 const char *from, uint64_t bytes, struct error *err)
{
    const struct disk *disk = files->disk;

    files->held_bytes += segment->bytes;
    if (journal_files_extend(files, segment, bytes, err) &&
        journal_segment_publish(disk, segment, from, files->is_synced, err)) {
        files->begun++;
        return true;
    }
    files->held_bytes -= segment->bytes;
    journal_segment_close(disk, segment);
    disk->remove(disk->self, from, NULL);
    return false;
}

static bool make_from_spare(struct journal_files *files, struct journal_segment *segment,
                            uint64_t bytes, struct error *err)
{
    struct journal_spare spare = files->spares[--files->spare_count];

    files->spare_bytes -= spare.bytes;
    segment->bytes = spare.bytes;
    segment->file = files->disk->open(files->disk->self, spare.name, DISK_WRITE, err);
    return segment->file && make(files, segment, spare.name, bytes, err);
}

bool journal_files_begin(struct journal_files *files, struct journal_segment *segment,
                         uint64_t bytes, struct error *err)
{
    while (files->spare_count > 0) {
        if (make_from_spare(files, segment, bytes, err))
            return true;
    }
    segment->bytes = 0;
    segment->file = files->disk->open(files->disk->self, JOURNAL_NEW_NAME, DISK_REPLACE,
                                      err);
    return segment->file && make(files, segment, JOURNAL_NEW_NAME, bytes, err);
}
