#include "exporter/outbox_vault.h"

#include "base/log.h"
#include "base/memory.h"
#include "exporter/outbox_restore.h"
#include "exporter/outbox_save.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- setting aside ----------------------------------------------------------------------- */

static void close_file(struct outbox_vault *vault)
{
    outbox_file_close(vault->stock->file, true);
    vault->stock->file = NULL;
}

/* The file has to be closed. */
static bool set_aside(struct outbox_vault *vault, const char *why, struct error *err)
{
    char name[OUTBOX_ERROR_MAX];

    if (!outbox_place_set_aside(&vault->place, name, sizeof(name), err))
        return false;
    log_event(LOG_ERROR, "the outbox's file is damaged and set aside",
              LOG_TEXT("file", vault->place.path), LOG_TEXT("kept_as", name),
              LOG_TEXT("error", why));
    vault->bad_files++;
    snprintf(vault->last_bad, sizeof(vault->last_bad), "%.100s: %.150s", name, why);
    return true;
}

/* ---- rebuilding -------------------------------------------------------------------------- */

/* Brings the rebuilt file, which holds all of the stock as of now, into its place. */
static bool swap(struct outbox_vault *vault, const char *why, struct error *err)
{
    const struct outbox_place *place = &vault->place;

    if (outbox_place_exists(place, ".new")) {
        /* A log that a removed database left behind would be laid over the new one. */
        if ((outbox_place_exists(place, "") || outbox_place_exists(place, "-wal")) &&
            !set_aside(vault, why, err))
            return false;
        if (!outbox_place_rename(place, ".new", "", err))
            return false;
    }
    vault->stock->file = outbox_file_open(place->path, vault->vfs, err);
    vault->is_swapping = !vault->stock->file;
    return !vault->is_swapping;
}

/*
 * What SQLite read wrong may be right on the disk, so it reads anew. A file that was removed can
 * only be read as long as it is open.
 */
static bool refresh(struct outbox_vault *vault, struct error *err)
{
    struct outbox_file **file = &vault->stock->file;
    struct error why = {0};

    if (*file && database_has_moved(&(*file)->database))
        return true;
    close_file(vault);
    *file = outbox_file_open_damaged(vault->place.path, vault->vfs, &why);
    return *file || why.kind == ERROR_CORRUPT || FAIL(err, why.kind, "%s", why.text);
}

/* All that is in memory, and what the damaged file still gives, goes into a new file. */
static bool copy_to_new(struct outbox_vault *vault, struct error *err)
{
    struct outbox_file *file;
    bool is_copied;
    char *path;

    outbox_place_remove(&vault->place, ".new");
    path = outbox_place_path(&vault->place, ".new");
    file = outbox_file_open(path, vault->vfs, err);
    free(path);
    if (!file)
        return false;
    is_copied = outbox_save_copy(vault->stock, file, err);
    outbox_file_close(file, !is_copied);
    return is_copied;
}

static bool rebuild(struct outbox_vault *vault, const char *why, struct error *err)
{
    uint64_t bad_rows = vault->stock->bad_rows;

    if (!copy_to_new(vault, err))
        return false;
    close_file(vault);
    outbox_save_adopt(vault->stock);
    vault->is_swapping = true;
    if (!swap(vault, why, err))
        return false;
    log_event(LOG_WARN, "the outbox's file was made anew",
              LOG_UINT("values", vault->stock->ledger.queued),
              LOG_UINT("rows_lost", vault->stock->bad_rows - bad_rows));
    return true;
}

bool outbox_vault_mend(struct outbox_vault *vault, struct error *err)
{
    if (vault->is_swapping)
        return swap(vault, vault->stock->damage, err);
    if (!vault->stock->is_damaged)
        return true;
    return refresh(vault, err) && rebuild(vault, vault->stock->damage, err);
}

/*
 * A file that was removed alone is made anew. Without its directory there is no place for another; what
 * is queued still has to be posted, and the open file serves for that.
 */
static bool is_misplaced(const struct outbox_vault *vault)
{
    const struct disk *disk = vault->place.disk;

    return database_has_moved(&vault->stock->file->database) &&
           disk->check(disk->self, NULL, NULL);
}

static bool save(struct outbox_vault *vault, struct error *err)
{
    struct error why = {0};

    if (!vault->stock->is_changed || !is_misplaced(vault))
        return outbox_save(vault->stock, err);
    FAIL(&why, ERROR_CORRUPT, "the file was renamed or removed");
    outbox_stock_distrust(vault->stock, &why);
    return FAIL(err, why.kind, "%s", why.text);
}

bool outbox_vault_save(struct outbox_vault *vault, struct error *err)
{
    return save(vault, err) || (vault->stock->is_damaged &&
                                outbox_vault_mend(vault, err) && save(vault, err));
}

/* ---- opening ----------------------------------------------------------------------------- */

static void empty_stock(struct outbox_vault *vault)
{
    struct outbox_stock *stock = vault->stock;
    size_t max_bytes = stock->max_bytes, loaded_max_bytes = stock->loaded_max_bytes;
    struct graph_book *graphs = stock->graphs;

    close_file(vault);
    outbox_stock_release(stock);
    stock->is_on_disk = true;
    stock->max_bytes = max_bytes;
    stock->loaded_max_bytes = loaded_max_bytes;
    stock->graphs = graphs;
    graph_book_release(graphs);
}

static bool open_sound(struct outbox_vault *vault, struct error *err)
{
    empty_stock(vault);
    vault->stock->file = outbox_file_open(vault->place.path, vault->vfs, err);
    return vault->stock->file && outbox_restore(vault->stock, err);
}

/* What a damaged file still gives. False when that is nothing. */
static bool open_damaged(struct outbox_vault *vault, const char *why)
{
    struct error err;

    empty_stock(vault);
    vault->stock->file = outbox_file_open_damaged(vault->place.path, vault->vfs, &err);
    return vault->stock->file && outbox_restore_damaged(vault->stock, why) &&
           rebuild(vault, why, &err);
}

/*
 * A log without its database would be laid over the next one. A file that is shorter than any database
 * is one for SQLite all the same: an empty one, and nobody would hear of what it held.
 */
static bool clear_remains(struct outbox_vault *vault, struct error *err)
{
    const uint64_t smallest_page = 512;
    uint64_t bytes = outbox_place_bytes(&vault->place, "");

    if (bytes >= smallest_page)
        return true;
    if (bytes > 0)
        return set_aside(vault, "too short for a database", err);
    if (outbox_place_bytes(&vault->place, "-wal") == 0)
        return true;
    return set_aside(vault, "a log without its database", err);
}

/* A rebuilt file that a crash kept from its place. */
static bool use_rebuilt(struct outbox_vault *vault, struct error *err)
{
    if (outbox_place_exists(&vault->place, ""))
        return true;
    return outbox_place_rename(&vault->place, ".new", "", err);
}

/* Is something else than the file the reason why it cannot be opened? Then waiting helps. */
static bool is_innocent(const struct outbox_vault *vault, const struct error *why)
{
    if (why->kind == ERROR_INTERNAL)
        return outbox_place_is_usable(&vault->place, "");
    return why->kind == ERROR_INVALID || why->kind == ERROR_BUSY;
}

static bool open_or_begin(struct outbox_vault *vault, struct error *err)
{
    /* The file, one that was rebuilt out of it, and an empty one. */
    for (int tries = 0; tries < 3; tries++) {
        struct error why = {0};

        if (!clear_remains(vault, err) || !use_rebuilt(vault, err))
            return false;
        if (open_sound(vault, &why))
            return outbox_place_rewrite(&vault->place, "-wal", err);
        if (is_innocent(vault, &why))
            return FAIL(err, why.kind, "%s: %s", vault->place.path, why.text);
        if (open_damaged(vault, why.text))
            return true;
        close_file(vault);
        if (!outbox_place_exists(&vault->place, ""))
            return FAIL(err, why.kind, "%s: %s", vault->place.path, why.text);
        if (!set_aside(vault, why.text, err))
            return false;
    }
    return FAIL(err, ERROR_INTERNAL, "%s: cannot be made", vault->place.path);
}

bool outbox_vault_open(struct outbox_vault *vault,
                       const struct outbox_vault_options *options, struct error *err)
{
    *vault = (struct outbox_vault){.stock = options->stock};
    if (options->vfs && *options->vfs)
        vault->vfs = memory_copy(slice_of(options->vfs));
    if (!outbox_place_open(&vault->place, options->path, options->disk, err) ||
        !open_or_begin(vault, err))
        return false;
    outbox_place_remove(&vault->place, ".new");
    return true;
}

void outbox_vault_release(struct outbox_vault *vault)
{
    if (!vault->stock)
        return;
    outbox_file_close(vault->stock->file, vault->stock->is_damaged);
    vault->stock->file = NULL;
    outbox_place_release(&vault->place);
    free(vault->vfs);
    *vault = (struct outbox_vault){0};
}
