#include "base/pool.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

void pool_init(struct pool *pool, size_t record_size)
{
    assert(record_size >= sizeof(uint32_t));
    *pool = (struct pool){.size = record_size, .free = POOL_NONE};
}

void pool_release(struct pool *pool)
{
    free(pool->records);
    pool_init(pool, pool->size);
}

uint32_t pool_take(struct pool *pool)
{
    uint32_t index = pool->free;

    if (index != POOL_NONE) {
        memcpy(&pool->free, pool_at(pool, index), sizeof(pool->free));
    } else {
        assert(pool->used < POOL_NONE);
        index = pool->used++;
        pool->records = memory_grow(pool->records, pool->used, &pool->capacity,
                                    pool->size);
    }
    memset(pool_at(pool, index), 0, pool->size);
    pool->count++;
    return index;
}

void pool_give(struct pool *pool, uint32_t index)
{
    assert(index < pool->used && pool->count > 0);
    memcpy(pool_at(pool, index), &pool->free, sizeof(pool->free));
    pool->free = index;
    pool->count--;
}
