/*
 * The outbox's stock and the file that it lives in: opened, saved, and mended.
 *
 * A file that SQLite or its seals call damaged is never written to again. What it still gives is
 * copied, together with what is in memory, into NAME.new; then the damaged one is renamed to
 * NAME.bad and the new one takes its place. Each step can be the last before a crash: a complete
 * NAME.new is found at the next start. What cannot be read at all is renamed, and an empty file
 * begins. Owner: exporter/outbox.c, under its lock.
 */
#ifndef EXPORTER_OUTBOX_VAULT_H
#define EXPORTER_OUTBOX_VAULT_H

#include "exporter/outbox_place.h"
#include "exporter/outbox_stock.h"

struct outbox_vault {
    struct outbox_place place;
    char *vfs;
    struct outbox_stock *stock;
    bool is_swapping; /* the stock is in NAME.new, which is not in its place yet */
    uint64_t bad_files;
    char last_bad[OUTBOX_ERROR_MAX]; /* what was set aside last, and why */
};

struct outbox_vault_options {
    const char *path, *vfs;     /* `vfs` NULL: the default */
    const struct disk *disk;    /* NULL: opens the directory */
    struct outbox_stock *stock; /* empty but for its limits */
};

/* Fills the stock. False when no file can be opened or begun; release it all the same. */
bool outbox_vault_open(struct outbox_vault *vault,
                       const struct outbox_vault_options *options,
                       struct error *err) MUST_CHECK;

/* Makes sure that the stock has a sound file; before anything is merged into it. */
bool outbox_vault_mend(struct outbox_vault *vault, struct error *err) MUST_CHECK;

/* Writes what changed. */
bool outbox_vault_save(struct outbox_vault *vault, struct error *err) MUST_CHECK;

/* Closes the file; the stock is the caller's. */
void outbox_vault_release(struct outbox_vault *vault);

#endif
