#include "tests/sim/fake_disk.h"

#include "base/memory.h"
#include "tests/sim/fake_inode.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    NAME_MAX_BYTES = 128,
};

struct entry {
    char name[NAME_MAX_BYTES];
    struct fake_inode *inode;
};

struct directory {
    struct entry *entries;
    size_t count, room;
};

enum name_change_kind {
    NAME_CREATED,
    NAME_MOVED,
    NAME_REMOVED
};

struct name_change {
    enum name_change_kind kind;
    char name[NAME_MAX_BYTES], to[NAME_MAX_BYTES];
    struct fake_inode *inode; /* created or moved */
};

struct disk_file {
    struct fake_inode *inode;
    char name[NAME_MAX_BYTES]; /* when it was opened */
};

struct fake_disk {
    struct disk handle;
    struct fake_disk_options options;
    struct chance chance;
    struct directory now, synced;
    struct name_change *changes; /* of names, since sync_names() */
    size_t change_count, change_room;
    struct fake_inode **inodes; /* all that something refers to */
    size_t inode_count, inode_room;
    size_t open_files;
    uint64_t taken;            /* by others */
    uint64_t kill_at, fail_at; /* by stats.calls; 0: never */
    bool is_dead;
    struct fake_disk_faults faults;
    struct fake_disk_stats stats;
};

/* ---- names ------------------------------------------------------------------------------- */

static struct entry *find(const struct directory *directory, const char *name)
{
    for (size_t i = 0; i < directory->count; i++)
        if (strcmp(directory->entries[i].name, name) == 0)
            return &directory->entries[i];
    return NULL;
}

static void copy_name(char to[static NAME_MAX_BYTES], const char *name)
{
    int len = snprintf(to, NAME_MAX_BYTES, "%s", name);

    assert(len > 0 && len < NAME_MAX_BYTES && !strchr(name, '/'));
    (void)len;
}

static void unset(struct directory *directory, const char *name)
{
    struct entry *entry = find(directory, name);

    if (!entry)
        return;
    entry->inode->names--;
    *entry = directory->entries[--directory->count];
}

static void set(struct directory *directory, const char *name, struct fake_inode *inode)
{
    inode->names++;
    unset(directory, name);
    directory->entries = memory_grow(directory->entries, directory->count + 1,
                                     &directory->room, sizeof(*directory->entries));

    struct entry *entry = &directory->entries[directory->count++];

    copy_name(entry->name, name);
    entry->inode = inode;
}

static void copy_directory(struct directory *to, const struct directory *from)
{
    while (to->count)
        unset(to, to->entries[0].name);
    for (size_t i = 0; i < from->count; i++)
        set(to, from->entries[i].name, from->entries[i].inode);
}

static void note_change(struct fake_disk *disk, const struct name_change *change)
{
    disk->changes = memory_grow(disk->changes, disk->change_count + 1, &disk->change_room,
                                sizeof(*disk->changes));
    disk->changes[disk->change_count++] = *change;
    if (change->inode)
        change->inode->names++; /* while a crash could bring it back */
}

static void forget_changes(struct fake_disk *disk)
{
    for (size_t i = 0; i < disk->change_count; i++)
        if (disk->changes[i].inode)
            disk->changes[i].inode->names--;
    disk->change_count = 0;
}

static void apply_change(struct directory *directory, const struct name_change *change)
{
    const struct entry *from = find(directory, change->name);

    switch (change->kind) {
    case NAME_CREATED: set(directory, change->name, change->inode); return;
    case NAME_REMOVED: unset(directory, change->name); return;
    case NAME_MOVED:
        /* Renaming is one change: a file whose move to the old name was lost is not moved on, or it
         * would have two names. */
        if (!from || from->inode != change->inode)
            return;
        unset(directory, change->name);
        set(directory, change->to, change->inode);
        return;
    }
}

/* Frees what neither a name nor a handle refers to. */
static void sweep(struct fake_disk *disk)
{
    size_t kept = 0;

    for (size_t i = 0; i < disk->inode_count; i++) {
        struct fake_inode *inode = disk->inodes[i];

        if (inode->names || inode->handles)
            disk->inodes[kept++] = inode;
        else
            fake_inode_free(inode);
    }
    disk->inode_count = kept;
}

/* ---- space and faults -------------------------------------------------------------------- */

static bool is_linked(const struct fake_disk *disk, const struct fake_inode *inode)
{
    for (size_t i = 0; i < disk->now.count; i++)
        if (disk->now.entries[i].inode == inode)
            return true;
    return inode->handles > 0;
}

static uint64_t used_bytes(const struct fake_disk *disk)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < disk->inode_count; i++)
        if (is_linked(disk, disk->inodes[i]))
            bytes += disk->inodes[i]->allocated;
    return bytes;
}

static uint64_t free_space(void *self)
{
    const struct fake_disk *disk = self;
    uint64_t used = used_bytes(disk) + disk->taken;

    return used < disk->options.capacity ? disk->options.capacity - used : 0;
}

enum fate {
    FATE_GOOD,
    FATE_FAILS,
    FATE_DIES, /* in the middle of the call */
    FATE_DEAD,
};

static enum fate begin_change(struct fake_disk *disk, unsigned one_in)
{
    if (disk->is_dead)
        return FATE_DEAD;
    disk->stats.calls++;
    if (disk->stats.calls == disk->kill_at) {
        disk->is_dead = true;
        return FATE_DIES;
    }
    if (disk->stats.calls == disk->fail_at || chance_one_in(&disk->chance, one_in))
        return FATE_FAILS;
    return FATE_GOOD;
}

static bool refuse(enum fate fate, const char *name, struct error *err)
{
    if (fate == FATE_FAILS)
        return FAIL(err, ERROR_INTERNAL, "%s: Input/output error", name);
    return FAIL(err, ERROR_INTERNAL, "%s: the process is dead", name);
}

/* Of a call in which the process dies: did it happen? */
static bool happens(struct fake_disk *disk, enum fate fate)
{
    return fate == FATE_GOOD ||
           (fate == FATE_DIES && chance_below(&disk->chance, 2) == 0);
}

/* ---- files ------------------------------------------------------------------------------- */

static struct fake_inode *create(struct fake_disk *disk, const char *name)
{
    struct fake_inode *inode = fake_inode_new(disk->options.survives_in_part);
    struct name_change change = {.kind = NAME_CREATED, .inode = inode};

    disk->inodes = memory_grow(disk->inodes, disk->inode_count + 1, &disk->inode_room,
                               sizeof(*disk->inodes));
    disk->inodes[disk->inode_count++] = inode;
    set(&disk->now, name, inode);
    copy_name(change.name, name);
    note_change(disk, &change);
    return inode;
}

static struct disk_file *open_file(void *self, const char *name, enum disk_open how,
                                   struct error *err)
{
    struct fake_disk *disk = self;
    struct entry *entry = find(&disk->now, name);
    struct fake_inode *inode = entry ? entry->inode : NULL;
    struct disk_file *file;

    if (how == DISK_READ && !inode) {
        FAIL(err, ERROR_NOT_FOUND, "%s: No such file", name);
        return NULL;
    }
    if (how != DISK_READ && (!inode || how == DISK_REPLACE)) {
        enum fate fate = begin_change(disk, disk->faults.write_one_in);

        if (happens(disk, fate) && inode)
            fake_inode_resize(inode, 0);
        else if (happens(disk, fate))
            inode = create(disk, name);
        if (fate != FATE_GOOD) {
            refuse(fate, name, err);
            return NULL;
        }
    }
    file = memory_new(1, sizeof(*file));
    file->inode = inode;
    copy_name(file->name, name);
    inode->handles++;
    disk->open_files++;
    return file;
}

static void close_file(void *self, struct disk_file *file)
{
    struct fake_disk *disk = self;

    if (!file)
        return;
    file->inode->handles--;
    disk->open_files--;
    free(file);
    sweep(disk);
}

static bool read_bytes(void *self, struct disk_file *file, uint64_t offset, char *to,
                       size_t len, size_t *got, struct error *err)
{
    const struct fake_disk *disk = self;
    const struct buffer *bytes = &file->inode->now;

    if (disk->is_dead)
        return refuse(FATE_DEAD, file->name, err);
    *got = 0;
    if (offset >= bytes->len)
        return true;
    *got = bytes->len - offset < len ? bytes->len - offset : len;
    memcpy(to, bytes->ptr + offset, *got);
    return true;
}

/* As much as there is room for; false when it was not all. */
static bool make_room(struct fake_disk *disk, const struct disk_file *file,
                      uint64_t offset, size_t *len)
{
    uint64_t allocated = file->inode->allocated, end = offset + *len;
    uint64_t free_bytes = free_space(disk);

    if (end <= allocated || end - allocated <= free_bytes)
        return true;
    disk->stats.full++;
    *len = offset < allocated + free_bytes ? allocated + free_bytes - offset : 0;
    return false;
}

static void join(struct buffer *all, const struct slice *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_append(all, parts[i]);
}

static bool write_bytes(void *self, struct disk_file *file, uint64_t offset,
                        const struct slice *parts, size_t count, struct error *err)
{
    struct fake_disk *disk = self;
    enum fate fate = begin_change(disk, disk->faults.write_one_in);
    struct buffer all = {0};
    size_t len;
    bool fits;

    if (fate == FATE_DEAD)
        return refuse(fate, file->name, err);
    join(&all, parts, count);
    len = all.len;
    fits = make_room(disk, file, offset, &len);
    if (fate != FATE_GOOD)
        len = chance_below(&disk->chance, len + 1);
    if (len)
        fake_inode_write(file->inode, offset, (struct slice){all.ptr, len});
    buffer_release(&all);
    disk->stats.failed_writes += fate == FATE_FAILS;
    if (fate != FATE_GOOD)
        return refuse(fate, file->name, err);
    if (!fits)
        return FAIL(err, ERROR_BUSY, "%s: No space left on device", file->name);
    return true;
}

static bool allocate(void *self, struct disk_file *file, uint64_t bytes,
                     struct error *err)
{
    struct fake_disk *disk = self;
    enum fate fate = begin_change(disk, disk->faults.write_one_in);
    size_t len = bytes;

    if (bytes > file->inode->now.len && happens(disk, fate)) {
        if (!make_room(disk, file, 0, &len))
            return FAIL(err, ERROR_BUSY, "%s: No space left on device", file->name);
        fake_inode_resize(file->inode, bytes);
    }
    return fate == FATE_GOOD || refuse(fate, file->name, err);
}

static bool truncate_file(void *self, struct disk_file *file, uint64_t bytes,
                          struct error *err)
{
    struct fake_disk *disk = self;
    enum fate fate = begin_change(disk, disk->faults.write_one_in);

    if (happens(disk, fate))
        fake_inode_resize(file->inode, bytes);
    return fate == FATE_GOOD || refuse(fate, file->name, err);
}

static bool sync_file(void *self, struct disk_file *file, struct error *err)
{
    struct fake_disk *disk = self;
    enum fate fate = begin_change(disk, disk->faults.sync_one_in);

    if (fate == FATE_FAILS) {
        disk->stats.failed_syncs++;
        fake_inode_fail_sync(file->inode, &disk->chance);
    } else if (happens(disk, fate)) {
        fake_inode_sync(file->inode);
    }
    return fate == FATE_GOOD || refuse(fate, file->name, err);
}

static uint64_t size_of_file(void *self, struct disk_file *file)
{
    (void)self;
    return file->inode->now.len;
}

/* ---- names, as the gateway sees them ----------------------------------------------------- */

static bool change_name(struct fake_disk *disk, struct name_change *change,
                        struct error *err)
{
    enum fate fate = begin_change(disk, disk->faults.write_one_in);

    if (happens(disk, fate)) {
        note_change(disk, change);
        apply_change(&disk->now, change);
        sweep(disk);
    }
    return fate == FATE_GOOD || refuse(fate, change->name, err);
}

static bool rename_file(void *self, const char *from, const char *to, struct error *err)
{
    struct fake_disk *disk = self;
    const struct entry *entry = find(&disk->now, from);
    struct name_change change = {.kind = NAME_MOVED};

    if (!entry)
        return FAIL(err, ERROR_NOT_FOUND, "%s: No such file", from);
    copy_name(change.name, from);
    copy_name(change.to, to);
    change.inode = entry->inode;
    return change_name(disk, &change, err);
}

static bool remove_file(void *self, const char *name, struct error *err)
{
    struct fake_disk *disk = self;
    struct name_change change = {.kind = NAME_REMOVED};

    if (!find(&disk->now, name))
        return FAIL(err, ERROR_NOT_FOUND, "%s: No such file", name);
    copy_name(change.name, name);
    return change_name(disk, &change, err);
}

static bool sync_names(void *self, struct error *err)
{
    struct fake_disk *disk = self;
    enum fate fate = begin_change(disk, disk->faults.sync_one_in);

    disk->stats.failed_syncs += fate == FATE_FAILS;
    if (happens(disk, fate)) {
        copy_directory(&disk->synced, &disk->now);
        forget_changes(disk);
        sweep(disk);
    }
    return fate == FATE_GOOD || refuse(fate, "directory", err);
}

static bool list(void *self, void (*found)(void *found_self, const char *name),
                 void *found_self, struct error *err)
{
    const struct fake_disk *disk = self;

    if (disk->is_dead)
        return refuse(FATE_DEAD, "directory", err);
    for (size_t i = 0; i < disk->now.count; i++)
        found(found_self, disk->now.entries[i].name);
    return true;
}

/* Nobody removes anything behind the gateway's back. */
static bool check(void *self, const struct disk_file *file, struct error *err)
{
    (void)self;
    (void)file;
    (void)err;
    return true;
}

/* ---- life -------------------------------------------------------------------------------- */

struct fake_disk *fake_disk_new(const struct fake_disk_options *options)
{
    struct fake_disk *disk = memory_new(1, sizeof(*disk));

    disk->options = *options;
    disk->chance = chance_of(options->seed);
    disk->handle = (struct disk){
        .self = disk,
        .open = open_file,
        .close = close_file,
        .read = read_bytes,
        .write = write_bytes,
        .allocate = allocate,
        .truncate = truncate_file,
        .sync = sync_file,
        .size = size_of_file,
        .rename = rename_file,
        .remove = remove_file,
        .sync_names = sync_names,
        .list = list,
        .free_bytes = free_space,
        .check = check,
    };
    return disk;
}

const struct disk *fake_disk_handle(struct fake_disk *disk)
{
    return &disk->handle;
}

void fake_disk_free(struct fake_disk *disk)
{
    if (!disk)
        return;
    for (size_t i = 0; i < disk->inode_count; i++)
        fake_inode_free(disk->inodes[i]);
    free(disk->inodes);
    free(disk->now.entries);
    free(disk->synced.entries);
    free(disk->changes);
    free(disk);
}

void fake_disk_set_faults(struct fake_disk *disk, const struct fake_disk_faults *faults)
{
    disk->faults = *faults;
}

void fake_disk_fail_at(struct fake_disk *disk, uint64_t calls)
{
    disk->fail_at = calls ? disk->stats.calls + calls : 0;
}

void fake_disk_take_space(struct fake_disk *disk, uint64_t bytes)
{
    disk->taken = bytes;
}

void fake_disk_kill_at(struct fake_disk *disk, uint64_t calls)
{
    disk->kill_at = calls ? disk->stats.calls + calls : 0;
}

void fake_disk_kill(struct fake_disk *disk)
{
    disk->is_dead = true;
}

bool fake_disk_is_dead(const struct fake_disk *disk)
{
    return disk->is_dead;
}

static void crash_names(struct fake_disk *disk)
{
    /* All, none, the first ones, or any. */
    unsigned how = (unsigned)chance_below(&disk->chance, 4);
    size_t first = chance_below(&disk->chance, disk->change_count + 1);

    for (size_t i = 0; i < disk->change_count; i++) {
        bool any = chance_below(&disk->chance, 2) == 0;

        if (how == 0 || (how == 2 && i < first) || (how == 3 && any))
            apply_change(&disk->synced, &disk->changes[i]);
    }
    copy_directory(&disk->now, &disk->synced);
    forget_changes(disk);
}

void fake_disk_crash(struct fake_disk *disk)
{
    assert(disk->is_dead && disk->options.survives_in_part);
    crash_names(disk);
    for (size_t i = 0; i < disk->inode_count; i++)
        disk->stats.lost_sectors += fake_inode_crash(disk->inodes[i], &disk->chance);
    sweep(disk);
}

void fake_disk_revive(struct fake_disk *disk)
{
    assert(disk->open_files == 0);
    disk->is_dead = false;
    disk->kill_at = 0;
    disk->fail_at = 0;
}

void fake_disk_read_stats(const struct fake_disk *disk, struct fake_disk_stats *stats)
{
    *stats = disk->stats;
    stats->bytes = used_bytes(disk);
    stats->files = disk->now.count;
}
