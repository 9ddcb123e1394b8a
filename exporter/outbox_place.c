#include "exporter/outbox_place.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX_BYTES = 256
};

/* What SQLite puts beside a database; the first two change what it holds. */
static const char *const companions[] = {"-wal", "-journal", "-shm", ""};

enum {
    COMPANIONS = sizeof(companions) / sizeof(companions[0])
};

bool outbox_place_open(struct outbox_place *place, const char *path,
                       const struct disk *disk, struct error *err)
{
    const char *slash = strrchr(path, '/');
    struct slice directory = slash ? (struct slice){path, (size_t)(slash - path)}
                                   : (struct slice)SLICE(".");

    *place = (struct outbox_place){.path = memory_copy(slice_of(path)), .disk = disk};
    place->name = slash ? place->path + (slash - path) + 1 : place->path;
    if (disk)
        return true;

    char *text = memory_copy(directory.len ? directory : (struct slice)SLICE("/"));

    place->own = disk_open_directory(text, err);
    place->disk = place->own;
    free(text);
    return place->own != NULL;
}

void outbox_place_release(struct outbox_place *place)
{
    disk_free_directory(place->own);
    free(place->path);
    *place = (struct outbox_place){0};
}

char *outbox_place_path(const struct outbox_place *place, const char *suffix)
{
    struct buffer path = {0};

    buffer_append_text(&path, place->path);
    buffer_append_text(&path, suffix);
    buffer_append_char(&path, '\0');
    return path.ptr;
}

/* The name with both suffixes. */
static void write_name(const struct outbox_place *place, const char *suffix,
                       const char *log, char name[NAME_MAX_BYTES])
{
    snprintf(name, NAME_MAX_BYTES, "%s%s%s", place->name, suffix, log);
}

static bool exists(const struct outbox_place *place, const char *name)
{
    struct error err = {0};
    struct disk_file *file = place->disk->open(place->disk->self, name, DISK_READ, &err);

    if (file)
        place->disk->close(place->disk->self, file);
    return file || err.kind != ERROR_NOT_FOUND;
}

bool outbox_place_exists(const struct outbox_place *place, const char *suffix)
{
    char name[NAME_MAX_BYTES];

    write_name(place, suffix, "", name);
    return exists(place, name);
}

uint64_t outbox_place_bytes(const struct outbox_place *place, const char *suffix)
{
    struct error err = {0};
    char name[NAME_MAX_BYTES];
    struct disk_file *file;
    uint64_t bytes;

    write_name(place, suffix, "", name);
    file = place->disk->open(place->disk->self, name, DISK_READ, &err);
    if (!file)
        return err.kind == ERROR_NOT_FOUND ? 0 : UINT64_MAX;
    bytes = place->disk->size(place->disk->self, file);
    place->disk->close(place->disk->self, file);
    return bytes;
}

bool outbox_place_rename(const struct outbox_place *place, const char *from,
                         const char *to, struct error *err)
{
    /* The logs first: without a database they are nothing, the other way round it is damage. */
    char old_name[NAME_MAX_BYTES], new_name[NAME_MAX_BYTES];

    for (size_t i = 0; i < COMPANIONS; i++) {
        write_name(place, from, companions[i], old_name);
        write_name(place, to, companions[i], new_name);
        if (exists(place, old_name) &&
            !place->disk->rename(place->disk->self, old_name, new_name, err))
            return false;
    }
    return place->disk->sync_names(place->disk->self, err);
}

void outbox_place_remove(const struct outbox_place *place, const char *suffix)
{
    char name[NAME_MAX_BYTES];

    for (size_t i = 0; i < COMPANIONS; i++) {
        write_name(place, suffix, companions[i], name);
        if (exists(place, name))
            (void)place->disk->remove(place->disk->self, name, NULL);
    }
}

/* Reads it all, and writes it back if asked to. */
static bool walk_bytes(const struct disk *disk, struct disk_file *file, bool rewrites,
                       struct error *err)
{
    static const size_t piece = 64 << 10;
    char *bytes = memory_new(1, piece);
    uint64_t offset = 0;
    size_t got = piece;
    bool ok = true;

    while (ok && got == piece) {
        ok = disk->read(disk->self, file, offset, bytes, piece, &got, err);

        struct slice part = {bytes, got};

        if (ok && got && rewrites)
            ok = disk->write(disk->self, file, offset, &part, 1, err);
        offset += got;
    }
    free(bytes);
    return ok;
}

static bool is_usable(const struct outbox_place *place, const char *name)
{
    const struct disk *disk = place->disk;
    struct disk_file *file;
    bool is_read;

    if (!exists(place, name))
        return true;
    file = disk->open(disk->self, name, DISK_WRITE, NULL);
    if (!file)
        return false;
    is_read = walk_bytes(disk, file, false, NULL);
    disk->close(disk->self, file);
    return is_read;
}

bool outbox_place_is_usable(const struct outbox_place *place, const char *suffix)
{
    char name[NAME_MAX_BYTES];

    for (size_t i = 0; i < COMPANIONS; i++) {
        write_name(place, suffix, companions[i], name);
        if (!is_usable(place, name))
            return false;
    }
    return true;
}

bool outbox_place_rewrite(const struct outbox_place *place, const char *suffix,
                          struct error *err)
{
    const struct disk *disk = place->disk;
    char name[NAME_MAX_BYTES];
    struct disk_file *file;
    bool ok;

    write_name(place, suffix, "", name);
    if (!exists(place, name))
        return true;
    file = disk->open(disk->self, name, DISK_WRITE, err);
    if (!file)
        return false;
    ok = walk_bytes(disk, file, true, err) && disk->sync(disk->self, file, err);
    disk->close(disk->self, file);
    return ok && disk->sync_names(disk->self, err);
}

static bool is_free(const struct outbox_place *place, const char *suffix)
{
    char name[NAME_MAX_BYTES];

    for (size_t i = 0; i < COMPANIONS; i++) {
        write_name(place, suffix, companions[i], name);
        if (exists(place, name))
            return false;
    }
    return true;
}

bool outbox_place_set_aside(const struct outbox_place *place, char *name, size_t size,
                            struct error *err)
{
    char suffix[32] = ".bad";

    for (unsigned number = 1; !is_free(place, suffix); number++)
        snprintf(suffix, sizeof(suffix), ".%u.bad", number);
    snprintf(name, size, "%s%s", place->name, suffix);
    return outbox_place_rename(place, "", suffix, err);
}
