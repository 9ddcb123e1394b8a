#include "tests/pipeline/saved.h"

#include "base/memory.h"
#include "pipeline/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- to bytes and from bytes ------------------------------------------------------------- */

static bool append(void *self, struct slice bytes)
{
    buffer_append(self, bytes);
    return true;
}

static bool cut(void *self, char *to, size_t len)
{
    struct slice *rest = self;

    if (rest->len < len)
        return false;
    if (len)
        memcpy(to, rest->ptr, len);
    *rest = (struct slice){rest->ptr + len, rest->len - len};
    return true;
}

struct buffer saved_bytes(const struct pipeline *pipeline)
{
    struct buffer bytes = {0};

    if (!pipeline_save(pipeline, append, &bytes))
        abort();
    return bytes;
}

struct pipeline *saved_load(struct slice bytes, struct error *err)
{
    struct pipeline *pipeline = pipeline_load(cut, &bytes, err);

    if (pipeline && bytes.len) {
        FAIL(err, ERROR_INVALID, "bytes are left");
        pipeline_free(pipeline);
        return NULL;
    }
    return pipeline;
}

/* ---- taking apart ------------------------------------------------------------------------ */

static void take(struct slice *rest, void *to, size_t len)
{
    if (!cut(rest, to, len)) {
        fprintf(stderr, "saved: the state is too short\n");
        abort();
    }
}

static uint32_t take_u32(struct slice *rest)
{
    uint32_t number;

    take(rest, &number, sizeof(number));
    return number;
}

static uint64_t take_u64(struct slice *rest)
{
    uint64_t number;

    take(rest, &number, sizeof(number));
    return number;
}

static void take_name(struct slice *rest, char *name)
{
    uint8_t len;

    take(rest, &len, 1);
    take(rest, name, len);
    name[len] = '\0';
}

static struct slice take_slice(struct slice *rest, size_t len)
{
    struct slice part = {rest->ptr, len};

    if (rest->len < len)
        abort();
    *rest = (struct slice){rest->ptr + len, rest->len - len};
    return part;
}

static void take_description(struct slice *rest, struct saved_pool *pool)
{
    pool->size = take_u32(rest);
    pool->field_count = take_u32(rest);
    for (uint32_t i = 0; i < pool->field_count; i++) {
        take_name(rest, pool->fields[i].name);
        pool->fields[i].at = take_u32(rest);
        pool->fields[i].size = take_u32(rest);
    }
}

static void take_owned(struct slice *rest, struct saved_pool *pool)
{
    for (;;) {
        struct saved_owned *owned = &pool->owned[pool->owned_count];

        take_name(rest, owned->name);
        if (owned->name[0] == '\0')
            return;
        owned->bytes = take_slice(rest, (size_t)take_u64(rest));
        pool->owned_count++;
    }
}

static void take_pool(struct slice *rest, struct saved_pool *pool)
{
    take_description(rest, pool);
    pool->used = take_u32(rest);
    pool->freed = take_u32(rest);
    pool->free_list = take_slice(rest, pool->freed * sizeof(uint32_t));
    pool->records = take_slice(rest, (size_t)pool->used * pool->size);
    take_owned(rest, pool);
}

struct saved *saved_parse(struct buffer *bytes)
{
    struct saved *saved = memory_new(1, sizeof(*saved));
    struct slice rest = buffer_slice(bytes);

    saved->bytes = *bytes;
    saved->mark = take_u32(&rest);
    saved->version = take_u32(&rest);
    saved->reason_count = take_u32(&rest);
    for (uint32_t i = 0; i < saved->reason_count; i++) {
        take_name(&rest, saved->reasons[i].name);
        saved->reasons[i].count = take_u64(&rest);
        saved->reasons[i].example_ns = take_u64(&rest);
        take_name(&rest, saved->reasons[i].example);
    }
    take_description(&rest, &saved->pipeline);
    saved->pipeline.used = 1;
    saved->pipeline.records = take_slice(&rest, saved->pipeline.size);
    take_owned(&rest, &saved->pipeline);
    for (;;) {
        take_name(&rest, saved->pools[saved->pool_count].name);
        if (saved->pools[saved->pool_count].name[0] == '\0')
            break;
        take_pool(&rest, &saved->pools[saved->pool_count++]);
    }
    saved->rest = rest;
    return saved;
}

/* ---- putting together -------------------------------------------------------------------- */

static void put(struct buffer *out, const void *bytes, size_t len)
{
    buffer_append(out, (struct slice){bytes, len});
}

static void put_u32(struct buffer *out, uint32_t number)
{
    put(out, &number, sizeof(number));
}

static void put_u64(struct buffer *out, uint64_t number)
{
    put(out, &number, sizeof(number));
}

static void put_name(struct buffer *out, const char *name)
{
    buffer_append_char(out, (char)strlen(name));
    buffer_append_text(out, name);
}

static void put_description(struct buffer *out, const struct saved_pool *pool)
{
    put_u32(out, pool->size);
    put_u32(out, pool->field_count);
    for (uint32_t i = 0; i < pool->field_count; i++) {
        put_name(out, pool->fields[i].name);
        put_u32(out, pool->fields[i].at);
        put_u32(out, pool->fields[i].size);
    }
}

static void put_owned(struct buffer *out, const struct saved_pool *pool)
{
    for (size_t i = 0; i < pool->owned_count; i++) {
        put_name(out, pool->owned[i].name);
        put_u64(out, pool->owned[i].bytes.len);
        buffer_append(out, pool->owned[i].bytes);
    }
    put_name(out, "");
}

struct buffer saved_write(const struct saved *saved)
{
    struct buffer out = {0};

    put_u32(&out, saved->mark);
    put_u32(&out, saved->version);
    put_u32(&out, saved->reason_count);
    for (uint32_t i = 0; i < saved->reason_count; i++) {
        put_name(&out, saved->reasons[i].name);
        put_u64(&out, saved->reasons[i].count);
        put_u64(&out, saved->reasons[i].example_ns);
        put_name(&out, saved->reasons[i].example);
    }
    put_description(&out, &saved->pipeline);
    buffer_append(&out, saved->pipeline.records);
    put_owned(&out, &saved->pipeline);
    for (size_t i = 0; i < saved->pool_count; i++) {
        const struct saved_pool *pool = &saved->pools[i];

        put_name(&out, pool->name);
        put_description(&out, pool);
        put_u32(&out, pool->used);
        put_u32(&out, pool->freed);
        buffer_append(&out, pool->free_list);
        buffer_append(&out, pool->records);
        put_owned(&out, pool);
    }
    put_name(&out, "");
    buffer_append(&out, saved->rest);
    return out;
}

/* Records that were laid out anew have their own memory. */
static bool is_within(const struct slice *slice, const struct buffer *bytes)
{
    return slice->ptr >= bytes->ptr && slice->ptr <= bytes->ptr + bytes->len;
}

void saved_free(struct saved *saved)
{
    for (size_t i = 0; i < saved->pool_count; i++)
        if (!is_within(&saved->pools[i].records, &saved->bytes))
            free(saved_edit(&saved->pools[i].records));
    if (!is_within(&saved->pipeline.records, &saved->bytes))
        free(saved_edit(&saved->pipeline.records));
    buffer_release(&saved->bytes);
    free(saved);
}

/* ---- edits ------------------------------------------------------------------------------- */

struct saved_pool *saved_pool(struct saved *saved, const char *name)
{
    for (size_t i = 0; i < saved->pool_count; i++)
        if (strcmp(saved->pools[i].name, name) == 0)
            return &saved->pools[i];
    fprintf(stderr, "saved: no pool %s\n", name);
    abort();
}

char *saved_edit(const struct slice *slice)
{
    return (char *)(uintptr_t)slice->ptr;
}

static uint32_t find(const struct saved_pool *pool, const char *name)
{
    for (uint32_t i = 0; i < pool->field_count; i++)
        if (strcmp(pool->fields[i].name, name) == 0)
            return i;
    fprintf(stderr, "saved: no field %s\n", name);
    abort();
}

/* Lays the records out as `wanted` says. At first the memory belongs to the whole's bytes. */
static void lay_out(struct saved_pool *pool, const struct saved_pool *wanted)
{
    char *records = memory_new(pool->used * (size_t)wanted->size + 1, 1);

    for (uint32_t record = 0; record < pool->used; record++)
        for (uint32_t i = 0; i < wanted->field_count; i++) {
            const struct saved_field *to = &wanted->fields[i];
            uint32_t from = 0;

            while (from < pool->field_count &&
                   strcmp(pool->fields[from].name, to->name) != 0)
                from++;
            if (from < pool->field_count)
                memcpy(records + (size_t)record * wanted->size + to->at,
                       pool->records.ptr + (size_t)record * pool->size +
                           pool->fields[from].at,
                       to->size < pool->fields[from].size ? to->size
                                                          : pool->fields[from].size);
        }
    free(pool->laid_out);
    pool->laid_out = records;
    pool->size = wanted->size;
    pool->field_count = wanted->field_count;
    memcpy(pool->fields, wanted->fields, sizeof(pool->fields));
    pool->records = (struct slice){records, pool->used * (size_t)wanted->size};
}

void saved_turn(struct saved_pool *pool)
{
    struct saved_pool turned = {.field_count = pool->field_count};

    for (uint32_t i = 0; i < pool->field_count; i++) {
        turned.fields[i] = pool->fields[pool->field_count - 1 - i];
        turned.fields[i].at = turned.size + 3;
        turned.size += 3 + turned.fields[i].size;
    }
    lay_out(pool, &turned);
}

void saved_add_field(struct saved_pool *pool, const char *name, uint32_t size)
{
    struct saved_pool more = *pool;
    struct saved_field *field = &more.fields[more.field_count++];

    snprintf(field->name, sizeof(field->name), "%s", name);
    field->at = more.size;
    field->size = size;
    more.size += size;
    lay_out(pool, &more);
}

void saved_add_owned(struct saved_pool *pool, const char *name, struct slice bytes)
{
    struct saved_owned *owned = &pool->owned[pool->owned_count++];

    snprintf(owned->name, sizeof(owned->name), "%s", name);
    owned->bytes = bytes;
}

void saved_drop_field(struct saved_pool *pool, const char *name)
{
    struct saved_pool less = *pool;
    uint32_t at = find(pool, name);

    less.fields[at] = less.fields[--less.field_count];
    for (size_t i = 0; i < pool->owned_count; i++)
        if (strcmp(pool->owned[i].name, name) == 0)
            pool->owned[i] = pool->owned[--pool->owned_count];
    lay_out(pool, &less);
}

void saved_resize_field(struct saved_pool *pool, const char *name, uint32_t size)
{
    pool->fields[find(pool, name)].size = size;
}

void saved_clear_field(struct saved_pool *pool, const char *name)
{
    const struct saved_field *field = &pool->fields[find(pool, name)];

    for (uint32_t i = 0; i < pool->used; i++)
        memset(saved_edit(&pool->records) + (size_t)i * pool->size + field->at, 0,
               field->size);
}

void saved_insert(struct saved *saved, size_t at, const struct saved_pool *pool,
                  const char *name)
{
    struct saved_pool copy = *pool;

    memmove(&saved->pools[at + 1], &saved->pools[at],
            (saved->pool_count - at) * sizeof(saved->pools[0]));
    saved->pool_count++;
    saved->pools[at] = copy;
    snprintf(saved->pools[at].name, sizeof(saved->pools[at].name), "%s", name);
}

void saved_drop_pool(struct saved *saved, const char *name)
{
    size_t at = (size_t)(saved_pool(saved, name) - saved->pools);

    memmove(&saved->pools[at], &saved->pools[at + 1],
            (saved->pool_count - at - 1) * sizeof(saved->pools[0]));
    saved->pool_count--;
}

static void turn_refusals(struct saved_pool *pool, uint32_t reasons)
{
    const struct saved_field *field = &pool->fields[find(pool, "refusal")];

    for (uint32_t i = 0; i < pool->used; i++) {
        char *refusal = saved_edit(&pool->records) + (size_t)i * pool->size + field->at;

        if (*refusal)
            *refusal = (char)(reasons + 1 - (uint8_t)*refusal);
    }
}

void saved_turn_reasons(struct saved *saved)
{
    for (uint32_t i = 0; i < saved->reason_count / 2; i++) {
        uint32_t other = saved->reason_count - 1 - i;
        struct saved_reason reason = saved->reasons[i];

        saved->reasons[i] = saved->reasons[other];
        saved->reasons[other] = reason;
    }
    turn_refusals(saved_pool(saved, "families"), saved->reason_count);
    turn_refusals(saved_pool(saved, "streams"), saved->reason_count);
}

uint32_t saved_u32(const struct saved_pool *pool, const char *field, uint32_t record)
{
    uint32_t value;

    memcpy(&value,
           pool->records.ptr + (size_t)record * pool->size +
               pool->fields[find(pool, field)].at,
           sizeof(value));
    return value;
}

void saved_set_u32(struct saved_pool *pool, const char *field, uint32_t record,
                   uint32_t value)
{
    memcpy(saved_edit(&pool->records) + (size_t)record * pool->size +
               pool->fields[find(pool, field)].at,
           &value, sizeof(value));
}

uint32_t saved_record_in_use(const struct saved_pool *pool)
{
    for (uint32_t record = pool->used; record-- > 0;) {
        uint32_t freed;
        bool is_free = false;

        for (uint32_t i = 0; i < pool->freed; i++) {
            memcpy(&freed, pool->free_list.ptr + i * sizeof(freed), sizeof(freed));
            is_free |= freed == record;
        }
        if (!is_free)
            return record;
    }
    fprintf(stderr, "saved: no %s in use\n", pool->name);
    abort();
}
