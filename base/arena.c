#include "base/arena.h"

#include "base/memory.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

/* A request needs no arena memory or little (merged pieces), so the first chunk is one page. */
enum {
    FIRST_BYTES = 4096,
    MAX_BYTES = 1 << 20,
    ALIGNMENT = 16
};

struct chunk {
    struct chunk *next; /* older */
    size_t size, used;  /* of the bytes behind this header */
};

static_assert(sizeof(struct chunk) <= 2 * ALIGNMENT, "the header fits its room");
static_assert(_Alignof(max_align_t) >= ALIGNMENT, "the heap aligns chunks");

enum {
    HEADER_BYTES = 2 * ALIGNMENT
};

struct arena {
    struct chunk *chunks; /* newest first */
    size_t bytes;
};

struct arena *arena_new(void)
{
    return memory_new(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    arena_reset(arena);
    free(arena->chunks);
    free(arena);
}

static struct chunk *add_chunk(struct arena *arena, size_t bytes)
{
    size_t size = arena->chunks ? arena->chunks->size * 2 : FIRST_BYTES;

    if (size > MAX_BYTES)
        size = MAX_BYTES;
    if (size < bytes)
        size = bytes;

    struct chunk *chunk = memory_resize(NULL, 1, HEADER_BYTES + size);

    *chunk = (struct chunk){.next = arena->chunks, .size = size};
    arena->chunks = chunk;
    arena->bytes += HEADER_BYTES + size;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    assert(bytes <= SIZE_MAX / 2);
    bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);

    struct chunk *chunk = arena->chunks;

    if (!chunk || chunk->size - chunk->used < bytes)
        chunk = add_chunk(arena, bytes);

    char *piece = (char *)chunk + HEADER_BYTES + chunk->used;

    chunk->used += bytes;
    return memset(piece, 0, bytes);
}

void arena_reset(struct arena *arena)
{
    while (arena->chunks && arena->chunks->next) {
        struct chunk *newest = arena->chunks;

        arena->chunks = newest->next;
        arena->bytes -= HEADER_BYTES + newest->size;
        free(newest);
    }
    if (arena->chunks)
        arena->chunks->used = 0;
}

size_t arena_bytes(const struct arena *arena)
{
    return arena->bytes + sizeof(*arena);
}
