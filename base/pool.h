/*
 * Records of one type, named by index. Indices stay valid while the pool grows (pointers do not),
 * freed records are used again, and nothing is allocated while the number of records is steady.
 *
 * A pool is initialised with the size of its record, which must be at least 4 bytes.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

/* The index of no record. */
#define POOL_NONE UINT32_MAX

struct pool {
    char *records;
    size_t size, capacity;
    uint32_t used;  /* records handed out so far, freed ones included */
    uint32_t free;  /* first freed record; each names the next in its first 4 bytes */
    uint32_t count; /* records in use */
};

void pool_init(struct pool *pool, size_t record_size);
void pool_release(struct pool *pool);

/* A zeroed record. Any pointer into the pool may move. */
uint32_t pool_take(struct pool *pool);
void pool_give(struct pool *pool, uint32_t index);

static inline void *pool_at(const struct pool *pool, uint32_t index)
{
    return pool->records + (size_t)index * pool->size;
}

#endif
