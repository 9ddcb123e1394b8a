#include "base/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void *checked(void *memory, size_t count, size_t size)
{
    if (memory)
        return memory;
    fprintf(stderr, "out of memory: %zu x %zu bytes\n", count, size);
    abort();
}

void *memory_new(size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    return checked(calloc(count, size), count, size);
}

void *memory_resize(void *old, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        checked(NULL, count, size);

    size_t bytes = count * size;

    return checked(realloc(old, bytes > 0 ? bytes : 1), count, size);
}

char *memory_copy(struct slice text)
{
    char *copy = memory_new(text.len + 1, 1);

    if (text.len)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

void *memory_grow(void *array, size_t needed, size_t *capacity, size_t size)
{
    if (needed <= *capacity)
        return array;

    size_t grown = *capacity < 8 ? 16 : *capacity * 2;

    if (grown < needed)
        grown = needed;
    *capacity = grown;
    return memory_resize(array, grown, size);
}

void memory_return_large(void)
{
    enum {
        LARGE = 4 << 20
    };

    /* Fixed: by itself the threshold rises to 32 MiB with the first large block that is freed. */
    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
}
