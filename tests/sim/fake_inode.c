#include "tests/sim/fake_inode.h"

#include "base/memory.h"
#include "tests/sim/fake_disk.h"

#include <stdlib.h>

struct fake_inode *fake_inode_new(bool tracks)
{
    struct fake_inode *inode = memory_new(1, sizeof(*inode));

    inode->tracks = tracks;
    return inode;
}

static void forget_changes(struct fake_inode *inode)
{
    for (size_t i = 0; i < inode->count; i++)
        buffer_release(&inode->changes[i].bytes);
    inode->count = 0;
}

void fake_inode_free(struct fake_inode *inode)
{
    forget_changes(inode);
    free(inode->changes);
    buffer_release(&inode->now);
    buffer_release(&inode->synced);
    free(inode);
}

static void resize(struct buffer *bytes, uint64_t size)
{
    if (size > bytes->len)
        memset(buffer_reserve(bytes, size - bytes->len), 0, size - bytes->len);
    bytes->len = size;
}

static void overwrite(struct buffer *bytes, uint64_t offset, struct slice part)
{
    if (offset + part.len > bytes->len)
        resize(bytes, offset + part.len);
    if (part.len)
        memcpy(bytes->ptr + offset, part.ptr, part.len);
}

static struct inode_change *note(struct fake_inode *inode)
{
    inode->changes = memory_grow(inode->changes, inode->count + 1, &inode->room,
                                 sizeof(*inode->changes));
    inode->changes[inode->count] = (struct inode_change){0};
    return &inode->changes[inode->count++];
}

void fake_inode_write(struct fake_inode *inode, uint64_t offset, struct slice bytes)
{
    if (inode->tracks) {
        struct inode_change *change = note(inode);

        change->offset = offset;
        buffer_append(&change->bytes, bytes);
    }
    overwrite(&inode->now, offset, bytes);
    if (inode->allocated < inode->now.len)
        inode->allocated = inode->now.len;
}

void fake_inode_resize(struct fake_inode *inode, uint64_t bytes)
{
    if (inode->tracks) {
        struct inode_change *change = note(inode);

        change->offset = bytes;
        change->is_size = true;
    }
    resize(&inode->now, bytes);
    inode->allocated = bytes;
}

void fake_inode_sync(struct fake_inode *inode)
{
    for (size_t i = 0; i < inode->count; i++) {
        const struct inode_change *change = &inode->changes[i];

        if (change->is_size)
            resize(&inode->synced, change->offset);
        else
            overwrite(&inode->synced, change->offset, buffer_slice(&change->bytes));
    }
    forget_changes(inode);
}

/* ---- losing ------------------------------------------------------------------------------ */

enum loss {
    LOSE_NOTHING,
    LOSE_ALL,
    LOSE_TAIL,    /* everything after one change */
    LOSE_SECTORS, /* each sector on its own */
};

struct crash {
    enum loss loss;
    size_t tail;      /* changes before it are kept */
    size_t size_tail; /* changes of the size before it are kept */
    uint64_t salt;
};

static bool survives(const struct crash *crash, const struct fake_inode *inode,
                     size_t index, uint64_t sector)
{
    switch (crash->loss) {
    case LOSE_NOTHING: return true;
    case LOSE_ALL: return false;
    case LOSE_TAIL: return index < crash->tail;
    case LOSE_SECTORS:
        return index < chance_mix(crash->salt, sector) % (inode->count + 1);
    }
    return false;
}

/* Bytes of the change that lie in the sector, cut to what the file's size leaves. */
static void put_sector(struct fake_inode *inode, const struct inode_change *change,
                       uint64_t sector)
{
    uint64_t first = sector * FAKE_DISK_SECTOR, end = first + FAKE_DISK_SECTOR;
    uint64_t change_end = change->offset + change->bytes.len;

    if (first < change->offset)
        first = change->offset;
    if (end > change_end)
        end = change_end;
    if (end > inode->synced.len)
        end = inode->synced.len;
    if (first < end)
        memcpy(inode->synced.ptr + first, change->bytes.ptr + (first - change->offset),
               end - first);
}

static uint64_t replay(struct fake_inode *inode, size_t index, const struct crash *crash)
{
    const struct inode_change *change = &inode->changes[index];
    uint64_t end = change->offset + change->bytes.len, lost = 0;
    bool has_size = crash->loss == LOSE_NOTHING || index < crash->size_tail;

    if (change->is_size) {
        if (has_size)
            resize(&inode->synced, change->offset);
        return 0;
    }
    if (has_size && end > inode->synced.len)
        resize(&inode->synced, end);
    for (uint64_t at = change->offset / FAKE_DISK_SECTOR; at * FAKE_DISK_SECTOR < end;
         at++) {
        if (survives(crash, inode, index, at))
            put_sector(inode, change, at);
        else
            lost++;
    }
    return lost;
}

static struct crash choose(const struct fake_inode *inode, struct chance *chance)
{
    struct crash crash = {
        .loss = (enum loss)chance_below(chance, 4),
        .tail = chance_below(chance, inode->count + 1),
        .size_tail = chance_below(chance, inode->count + 1),
        .salt = chance_next(chance),
    };

    if (crash.loss == LOSE_ALL)
        crash.size_tail = 0;
    if (crash.loss == LOSE_TAIL && crash.size_tail < crash.tail)
        crash.size_tail = crash.tail;
    return crash;
}

static uint64_t keep_some(struct fake_inode *inode, struct chance *chance)
{
    struct crash crash = choose(inode, chance);
    uint64_t lost = 0;

    for (size_t i = 0; i < inode->count; i++)
        lost += replay(inode, i, &crash);
    forget_changes(inode);
    return lost;
}

void fake_inode_fail_sync(struct fake_inode *inode, struct chance *chance)
{
    keep_some(inode, chance);
}

uint64_t fake_inode_crash(struct fake_inode *inode, struct chance *chance)
{
    uint64_t lost = keep_some(inode, chance);

    buffer_reset(&inode->now);
    buffer_append(&inode->now, buffer_slice(&inode->synced));
    inode->allocated = inode->now.len;
    return lost;
}
