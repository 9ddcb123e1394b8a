/*
 * Records from the bytes of a saved pipeline: their description, the records themselves, what they
 * own. Records of a layout like ours are read in bulk, others field by field: fields that only we
 * know are zero (indices: none), fields that only the bytes know are skipped.
 *
 * Memory grows with the bytes that are really there: a wrong count costs nothing.
 */
#ifndef PIPELINE_RESTORE_H
#define PIPELINE_RESTORE_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/pool.h"
#include "pipeline/checkpoint.h"
#include "pipeline/checkpoint_format.h"
#include "pipeline/schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One field of the description that was read last, and where it goes. */
struct restore_field {
    char name[CHECKPOINT_MAX_NAME];
    uint32_t at, size;
    const struct schema_field *ours; /* NULL: unknown by now */
};

struct restore {
    checkpoint_read *read;
    void *self;
    struct error *err;
    uint32_t record_size, field_count;
    bool is_same; /* laid out as ours */
    struct restore_field fields[CHECKPOINT_MAX_FIELDS];
};

bool restore_take(struct restore *restore, void *to, size_t len) MUST_CHECK;
bool restore_take_u32(struct restore *restore, uint32_t *number) MUST_CHECK;
bool restore_take_u64(struct restore *restore, uint64_t *number) MUST_CHECK;
/* Of at most CHECKPOINT_MAX_NAME bytes with the NUL. */
bool restore_take_name(struct restore *restore, char *name) MUST_CHECK;

/* As many elements in new memory, a NUL behind them; NULL when they are not there. */
void *restore_take_array(struct restore *restore, uint64_t count, size_t size) MUST_CHECK;

/* The field of that name, or NULL. */
const struct schema_field *restore_find(const struct schema_record *type,
                                        const char *name);

/* `type` is NULL for records that are unknown by now. */
bool restore_take_description(struct restore *restore,
                              const struct schema_record *type) MUST_CHECK;

/* `used` records after their description, into an empty pool. They own nothing yet. */
bool restore_take_records(struct restore *restore, const struct schema_record *type,
                          struct pool *pool, uint32_t used) MUST_CHECK;
bool restore_skip_records(struct restore *restore, uint32_t used) MUST_CHECK;

/* Makes the record one of which nothing is known: zero, indices none. */
void restore_blank(const struct schema_record *type, void *record);

/* What the records own, but for those in `is_free` (NULL: none of them). */
bool restore_take_owned(struct restore *restore, const struct schema_record *type,
                        struct pool *pool, const bool *is_free) MUST_CHECK;
bool restore_skip_owned(struct restore *restore) MUST_CHECK;

#endif
