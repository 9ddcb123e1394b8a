/*
 * Heap allocation that cannot fail. Exhaustion aborts: every input is bounded before memory is
 * taken for it, so running out is a fault of the machine, not of a request.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "base/slice.h"

#include <stddef.h>

/* Zeroed memory for `count` objects of `size` bytes. Free with free(). */
void *memory_new(size_t count, size_t size);

/* Like realloc() for an array of `count` objects; new space is not zeroed. */
void *memory_resize(void *old, size_t count, size_t size);

/* A heap copy of the slice with a NUL behind it. Free with free(). */
char *memory_copy(struct slice text);

/*
 * Makes room for `needed` elements of `size` bytes in a growing array: returns the array (moved
 * or not) and raises *capacity by doubling from at least 16.
 */
void *memory_grow(void *array, size_t needed, size_t *capacity, size_t size);

/*
 * Large arrays get memory of their own, which goes back to the system when they grow or go: without it
 * a million streams leave holes of 30 MB behind as pools grow. Call it once, before threads.
 */
void memory_return_large(void);

#endif
