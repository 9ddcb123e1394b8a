/*
 * Memory for many small things that end together. Allocation moves a pointer; nothing is freed
 * alone. An arena that is reset keeps its first chunk, so that a worker that uses one arena for
 * request after request stops asking the heap.
 *
 * Chunks double from 4 KiB to 1 MiB; a larger piece gets a chunk of its own size. What goes into
 * an arena must be bounded by its user: the arena has no limit (exhaustion aborts, base/memory.h).
 *
 * One owner, one thread.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* Zeroed memory, aligned to 16 bytes, valid until reset or free. Zero bytes give a valid pointer. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* Ends everything in it; the first chunk stays. */
void arena_reset(struct arena *arena);

/* Heap bytes that the arena holds, used or not. */
size_t arena_bytes(const struct arena *arena);

#endif
