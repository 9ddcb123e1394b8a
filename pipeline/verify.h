/*
 * Does a loaded state hang together? Every index is in its bounds and names a record in use, users
 * are counted right, lists are finite, bytes with few values have one of them, and what the code
 * relies on between records holds. The tables are made on the way.
 *
 * Not checked: that hashes name what they say, and that times and sums make sense. The checksum of
 * the file stands for these.
 */
#ifndef PIPELINE_VERIFY_H
#define PIPELINE_VERIFY_H

#include "base/compiler.h"
#include "base/error.h"
#include "pipeline/state.h"

#include <stdbool.h>
#include <stdint.h>

/* Pools of struct pipeline at most. */
enum {
    VERIFY_MAX_POOLS = 64
};

/* What is known about the records of one pool. */
struct verify_pool {
    uint32_t pool_at; /* in struct pipeline */
    uint32_t used;
    bool *is_free, *is_owned;
    uint32_t *users;
};

struct verify {
    struct pipeline *pipeline;
    struct error *err;
    struct verify_pool pools[VERIFY_MAX_POOLS];
    uint32_t count;
};

/* Begins with a pool whose records are there; the caller fills is_free. */
struct verify_pool *verify_begin(struct verify *verify, uint32_t pool_at);

bool verify_has(const struct verify *verify, uint32_t pool_at);

/* Begins with it where nobody has: a pool that the bytes do not know is empty. */
struct verify_pool *verify_find(struct verify *verify, uint32_t pool_at);

/* Once all pools are there. */
bool verify_state(struct verify *verify) MUST_CHECK;

void verify_release(struct verify *verify);

/* ---- verify_links.c: what holds between records beyond what their fields say */
bool verify_links(struct verify *verify) MUST_CHECK;

#endif
