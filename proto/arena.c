#include "proto/arena.h"

#include "base/memory.h"

#include <stdlib.h>

/* Most batches merge nothing at all; those that do merge a resource of a few hundred bytes. */
enum {
    FIRST_CHUNK_BYTES = 4096
};

struct chunk {
    struct chunk *older;
    size_t used, size;
    char bytes[];
};

struct arena {
    struct chunk *newest; /* and largest: each is at least twice the one before */
    size_t bytes;
};

struct arena *arena_new(void)
{
    return memory_new(1, sizeof(struct arena));
}

static void drop_chunks(struct arena *arena, struct chunk *chunk)
{
    while (chunk) {
        struct chunk *older = chunk->older;

        arena->bytes -= sizeof *chunk + chunk->size;
        free(chunk);
        chunk = older;
    }
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    drop_chunks(arena, arena->newest);
    free(arena);
}

static void add_chunk(struct arena *arena, size_t len)
{
    size_t size = arena->newest ? arena->newest->size * 2 : FIRST_CHUNK_BYTES;

    if (size < len)
        size = len;

    struct chunk *chunk = memory_resize(NULL, sizeof *chunk + size, 1);

    *chunk = (struct chunk){.older = arena->newest, .size = size};
    arena->newest = chunk;
    arena->bytes += sizeof *chunk + size;
}

char *arena_take(struct arena *arena, size_t len)
{
    if (!arena->newest || arena->newest->size - arena->newest->used < len)
        add_chunk(arena, len);

    char *bytes = arena->newest->bytes + arena->newest->used;

    arena->newest->used += len;
    return bytes;
}

void arena_reset(struct arena *arena)
{
    if (!arena->newest)
        return;
    drop_chunks(arena, arena->newest->older);
    arena->newest->older = NULL;
    arena->newest->used = 0;
}

size_t arena_bytes(const struct arena *arena)
{
    return sizeof *arena + arena->bytes;
}
