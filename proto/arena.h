/*
 * Memory that is taken piece by piece and given back at once. Resetting keeps the largest chunk,
 * so a reused arena allocates nothing while its needs stay the same.
 *
 * One owner, one thread. Pieces are unaligned bytes.
 */
#ifndef PROTO_ARENA_H
#define PROTO_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* `len` bytes, not zeroed; valid until the next reset. */
char *arena_take(struct arena *arena, size_t len);
void arena_reset(struct arena *arena);
/* Bytes of heap that the arena holds. */
size_t arena_bytes(const struct arena *arena);

#endif
