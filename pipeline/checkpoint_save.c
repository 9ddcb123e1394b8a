#include "base/memory.h"
#include "pipeline/checkpoint.h"
#include "pipeline/checkpoint_format.h"
#include "pipeline/schema.h"

#include <stdlib.h>

struct out {
    checkpoint_write *write;
    void *self;
    bool ok;
};

static void put(struct out *out, const void *bytes, size_t len)
{
    if (out->ok && len)
        out->ok = out->write(out->self, (struct slice){bytes, len});
}

static void put_u32(struct out *out, uint32_t number)
{
    put(out, &number, sizeof(number));
}

static void put_u64(struct out *out, uint64_t number)
{
    put(out, &number, sizeof(number));
}

static void put_name(struct out *out, const char *name)
{
    uint8_t len = (uint8_t)strlen(name);

    put(out, &len, 1);
    put(out, name, len);
}

/* ---- records ------------------------------------------------------------------------------ */

static bool is_stored(const struct schema_field *field)
{
    return field->kind <= SCHEMA_LAST_STORED;
}

static void put_description(struct out *out, const struct schema_record *type)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < type->field_count; i++)
        count += is_stored(&type->fields[i]);
    put_u32(out, type->size);
    put_u32(out, count);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct schema_field *field = &type->fields[i];

        if (!is_stored(field))
            continue;
        put_name(out, field->name);
        put_u32(out, field->at);
        put_u32(out, field->size);
    }
}

/* Pointers say nothing to who reads them; the length of what a freed record no longer owns is 0. */
static void blank_pointers(const struct schema_record *type, char *record)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct schema_field *field = &type->fields[i];
        void *owned = NULL;

        if (schema_is_owned(field)) {
            memcpy(&owned, record + field->at, sizeof(owned));
            memset(record + field->at, 0, field->size);
            if (!owned && field->length_at)
                memset(record + field->length_at, 0, sizeof(uint32_t));
        } else if (field->kind == SCHEMA_SLICE) {
            memset(record + field->at + offsetof(struct slice, ptr), 0, sizeof(owned));
        }
    }
}

static void put_records(struct out *out, const struct schema_record *type,
                        const struct pool *pool)
{
    enum {
        AT_ONCE = 256
    };

    if (!schema_has_owned(type)) {
        put(out, pool->records, pool->used * pool->size);
        return;
    }

    uint32_t most = pool->used < AT_ONCE ? pool->used : AT_ONCE;
    char *copy = memory_new(most, pool->size);

    for (uint32_t i = 0; i < pool->used; i += most) {
        uint32_t count = pool->used - i < most ? pool->used - i : most;

        memcpy(copy, pool_at(pool, i), count * pool->size);
        for (uint32_t j = 0; j < count; j++)
            blank_pointers(type, copy + j * pool->size);
        put(out, copy, count * pool->size);
    }
    free(copy);
}

/* ---- what records own --------------------------------------------------------------------- */

/* The slices behind the text at `index`, up to the next owned field. */
static struct slice next_slice(const struct schema_record *type, const char *record,
                               uint32_t *index)
{
    struct slice slice = {0};

    while (++*index < type->field_count && !schema_is_owned(&type->fields[*index])) {
        if (type->fields[*index].kind != SCHEMA_SLICE)
            continue;
        memcpy(&slice, record + type->fields[*index].at, sizeof(slice));
        return slice;
    }
    *index = type->field_count;
    return slice;
}

/* Writes what the field owns; without `out` only its length is told. */
static uint64_t put_owned(struct out *out, const struct schema_record *type,
                          uint32_t index, const char *record)
{
    const struct schema_field *field = &type->fields[index];
    struct slice owned = {0};
    uint64_t total = 0;
    uint32_t length = 0;

    memcpy(&owned.ptr, record + field->at, sizeof(owned.ptr));
    if (!owned.ptr)
        return 0;
    if (field->length_at)
        memcpy(&length, record + field->length_at, sizeof(length));
    if (field->kind == SCHEMA_LIST)
        owned.len = (size_t)length * field->element;
    else if (field->kind == SCHEMA_TEXT)
        owned.len = length;
    else if (field->kind == SCHEMA_STRING)
        owned.len = strlen(owned.ptr);
    if (field->kind != SCHEMA_SLICES && field->kind != SCHEMA_SLICES_BUFFER) {
        if (out)
            put(out, owned.ptr, owned.len);
        return owned.len;
    }
    while (index < type->field_count) {
        struct slice slice = next_slice(type, record, &index);

        if (out)
            put(out, slice.ptr, slice.len);
        total += slice.len;
    }
    return total;
}

static void put_all_owned(struct out *out, const struct schema_record *type,
                          const struct pool *pool)
{
    for (uint32_t index = 0; index < type->field_count; index++) {
        uint64_t total = 0;

        if (!schema_is_owned(&type->fields[index]))
            continue;
        for (uint32_t i = 0; i < pool->used; i++)
            total += put_owned(NULL, type, index, pool_at(pool, i));
        put_name(out, type->fields[index].name);
        put_u64(out, total);
        for (uint32_t i = 0; i < pool->used; i++)
            put_owned(out, type, index, pool_at(pool, i));
    }
    put_name(out, "");
}

/* ---- sections ----------------------------------------------------------------------------- */

/* In order: which record is used again first is part of the state. */
static void put_free_list(struct out *out, const struct pool *pool)
{
    uint32_t at = pool->free;

    put_u32(out, pool->used - pool->count);
    while (at != POOL_NONE) {
        put_u32(out, at);
        memcpy(&at, pool_at(pool, at), sizeof(at));
    }
}

static void put_pool(struct out *out, const struct schema_field *field,
                     const struct pool *pool)
{
    put_name(out, field->name);
    put_description(out, field->record);
    put_u32(out, pool->used);
    put_free_list(out, pool);
    put_records(out, field->record, pool);
    put_all_owned(out, field->record, pool);
}

static void put_pools(struct out *out, const struct pipeline *p)
{
    for (uint32_t i = 0; i < schema_pipeline.field_count; i++) {
        const struct schema_field *field = &schema_pipeline.fields[i];

        if (field->kind == SCHEMA_POOL)
            put_pool(out, field, (const void *)((const char *)p + field->at));
    }
    put_name(out, "");
}

/* The pipeline's own fields, as a pool of one: an image without pools, tables and scratch. */
static void put_pipeline(struct out *out, const struct pipeline *p)
{
    char *image = memory_new(1, sizeof(*p));
    struct pool one = {.records = image, .size = sizeof(*p), .used = 1};

    for (uint32_t i = 0; i < schema_pipeline.field_count; i++) {
        const struct schema_field *field = &schema_pipeline.fields[i];

        if (is_stored(field))
            memcpy(image + field->at, (const char *)p + field->at, field->size);
    }
    put_description(out, &schema_pipeline);
    put_records(out, &schema_pipeline, &one);
    put_all_owned(out, &schema_pipeline, &one);
    free(image);
}

/* By name, in the order of the numbers that refusals have in the records. */
static void put_reasons(struct out *out, const struct point_ledger *ledger)
{
    put_u32(out, REASON_LAST + 1);
    for (int i = 0; i <= REASON_LAST; i++) {
        const struct ledger_reason *reason = &ledger->reasons[i];

        put_name(out, reason_name((enum reason)i));
        put_u64(out, reason->count);
        put_u64(out, reason->example_ns);
        put_name(out, reason->example);
    }
}

static void put_due(struct out *out, const struct due_queue *due)
{
    put_u64(out, due->count);
    for (size_t i = 0; i < due->count; i++) {
        put_u64(out, due->heap[i].time_ns);
        put_u32(out, due->heap[i].cell);
    }
}

bool pipeline_save(const struct pipeline *pipeline, checkpoint_write *write, void *self)
{
    struct out out = {write, self, true};

    put_u32(&out, CHECKPOINT_MARK);
    put_u32(&out, CHECKPOINT_VERSION);
    put_reasons(&out, &pipeline->ledger);
    put_pipeline(&out, pipeline);
    put_pools(&out, pipeline);
    put_due(&out, &pipeline->due);
    put_u32(&out, CHECKPOINT_MARK);
    return out.ok;
}
