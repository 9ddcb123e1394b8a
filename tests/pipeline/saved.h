/*
 * A saved pipeline taken apart and put together again, so that tests can be programs that know other
 * fields: an independent reading of the format that pipeline/checkpoint_format.h describes.
 */
#ifndef TESTS_PIPELINE_SAVED_H
#define TESTS_PIPELINE_SAVED_H

#include "base/buffer.h"
#include "base/error.h"
#include "pipeline/pipeline.h"

#include <stdint.h>

enum {
    SAVED_MAX = 64
};

struct saved_field {
    char name[64];
    uint32_t at, size;
};

struct saved_owned {
    char name[64];
    struct slice bytes;
};

struct saved_pool {
    char name[64];
    uint32_t size, field_count, used, freed;
    struct saved_field fields[SAVED_MAX];
    struct slice free_list, records;
    char *laid_out; /* memory of the records, once they are laid out anew */
    struct saved_owned owned[8];
    size_t owned_count;
};

struct saved_reason {
    char name[64];
    uint64_t count, example_ns;
    char example[256];
};

/* Slices point into `bytes` or into memory that is kept for edits. */
struct saved {
    uint32_t mark, version, reason_count;
    struct saved_reason reasons[SAVED_MAX];
    struct saved_pool pipeline;
    struct saved_pool pools[SAVED_MAX];
    size_t pool_count;
    struct slice rest;
    struct buffer bytes;
};

struct buffer saved_bytes(const struct pipeline *pipeline);
/* NULL when they are not a state, or when bytes are left. */
struct pipeline *saved_load(struct slice bytes, struct error *err);

/* Takes the bytes over. */
struct saved *saved_parse(struct buffer *bytes);
struct buffer saved_write(const struct saved *saved);
void saved_free(struct saved *saved);

/* ---- edits ------------------------------------------------------------------------------- */

struct saved_pool *saved_pool(struct saved *saved, const char *name);

/* The bytes of the slice, to be written to. */
char *saved_edit(const struct slice *slice);

/* The fields change places, with gaps between them. */
void saved_turn(struct saved_pool *pool);
void saved_add_field(struct saved_pool *pool, const char *name, uint32_t size);
void saved_add_owned(struct saved_pool *pool, const char *name, struct slice bytes);
/* With what the field owns. */
void saved_drop_field(struct saved_pool *pool, const char *name);
void saved_resize_field(struct saved_pool *pool, const char *name, uint32_t size);
void saved_clear_field(struct saved_pool *pool, const char *name);
void saved_insert(struct saved *saved, size_t at, const struct saved_pool *pool,
                  const char *name);
void saved_drop_pool(struct saved *saved, const char *name);
/* The reasons change places, and the numbers of those that are in records with them. */
void saved_turn_reasons(struct saved *saved);

uint32_t saved_u32(const struct saved_pool *pool, const char *field, uint32_t record);
void saved_set_u32(struct saved_pool *pool, const char *field, uint32_t record,
                   uint32_t value);
/* The last one that is not freed. */
uint32_t saved_record_in_use(const struct saved_pool *pool);

#endif
