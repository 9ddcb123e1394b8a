#include "pipeline/restore.h"

#include "base/memory.h"

#include <stdlib.h>

/* ---- bytes -------------------------------------------------------------------------------- */

bool restore_take(struct restore *restore, void *to, size_t len)
{
    if (len == 0 || restore->read(restore->self, to, len))
        return true;
    return FAIL(restore->err, ERROR_INVALID, "the state ends too early");
}

bool restore_take_u32(struct restore *restore, uint32_t *number)
{
    return restore_take(restore, number, sizeof(*number));
}

bool restore_take_u64(struct restore *restore, uint64_t *number)
{
    return restore_take(restore, number, sizeof(*number));
}

bool restore_take_name(struct restore *restore, char *name)
{
    uint8_t len;

    if (!restore_take(restore, &len, 1) || !restore_take(restore, name, len))
        return false;
    name[len] = '\0';
    return true;
}

/* With a NUL behind it. NULL when there are not so many bytes. */
void *restore_take_array(struct restore *restore, uint64_t count, size_t size)
{
    uint64_t room = count < (1 << 20) / size + 1 ? count : (1 << 20) / size + 1, done = 0;
    char *array = NULL;

    for (;;) {
        array = memory_resize(array, room * size + 1, 1);
        if (!restore_take(restore, array + done * size, (room - done) * size)) {
            free(array);
            return NULL;
        }
        if (room == count)
            break;
        done = room;
        room = room * 2 < count ? room * 2 : count;
    }
    array[count * size] = '\0';
    return array;
}

static bool skip(struct restore *restore, uint64_t len)
{
    char bytes[4096];

    while (len > 0) {
        size_t part = len < sizeof(bytes) ? (size_t)len : sizeof(bytes);

        if (!restore_take(restore, bytes, part))
            return false;
        len -= part;
    }
    return true;
}

/* ---- descriptions ------------------------------------------------------------------------- */

const struct schema_field *restore_find(const struct schema_record *type,
                                        const char *name)
{
    for (uint32_t i = 0; type && i < type->field_count; i++)
        if (strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    return NULL;
}

static bool take_field(struct restore *restore, const struct schema_record *type,
                       struct restore_field *field)
{
    if (!restore_take_name(restore, field->name) ||
        !restore_take_u32(restore, &field->at) ||
        !restore_take_u32(restore, &field->size))
        return false;
    if (field->at > restore->record_size ||
        field->size > restore->record_size - field->at)
        return FAIL(restore->err, ERROR_INVALID, "field %s lies outside its record",
                    field->name);
    field->ours = restore_find(type, field->name);
    if (field->ours && field->ours->kind > SCHEMA_LAST_STORED)
        field->ours = NULL;
    if (field->ours && field->ours->size != field->size)
        return FAIL(restore->err, ERROR_INVALID, "field %s has another size",
                    field->name);
    return true;
}

bool restore_take_description(struct restore *restore, const struct schema_record *type)
{
    if (!restore_take_u32(restore, &restore->record_size) ||
        !restore_take_u32(restore, &restore->field_count))
        return false;
    if (restore->record_size == 0 || restore->record_size > CHECKPOINT_MAX_RECORD ||
        restore->field_count > CHECKPOINT_MAX_FIELDS)
        return FAIL(restore->err, ERROR_INVALID, "records of no sensible size");
    restore->is_same = type && restore->record_size == type->size &&
                       restore->field_count == type->field_count;
    for (uint32_t i = 0; i < restore->field_count; i++) {
        struct restore_field *field = &restore->fields[i];

        if (!take_field(restore, type, field))
            return false;
        if (!field->ours || field->ours->at != field->at)
            restore->is_same = false;
    }
    return true;
}

/* ---- records ------------------------------------------------------------------------------ */

void restore_blank(const struct schema_record *type, void *record)
{
    memset(record, 0, type->size);
    for (uint32_t i = 0; i < type->field_count; i++)
        if (schema_is_index(&type->fields[i]))
            memset(schema_at(&type->fields[i], record), 0xFF, type->fields[i].size);
}

static void map_record(const struct restore *restore, const char *from, char *to)
{
    for (uint32_t i = 0; i < restore->field_count; i++) {
        const struct restore_field *field = &restore->fields[i];

        if (field->ours)
            memcpy(to + field->ours->at, from + field->at, field->size);
    }
}

static bool take_mapped(struct restore *restore, const struct schema_record *type,
                        struct pool *pool, uint32_t used)
{
    char *from = memory_new(1, restore->record_size);

    for (pool->used = 0; pool->used < used; pool->used++) {
        if (!restore_take(restore, from, restore->record_size))
            break;
        pool->records = memory_grow(pool->records, pool->used + 1, &pool->capacity,
                                    pool->size);
        restore_blank(type, pool_at(pool, pool->used));
        map_record(restore, from, pool_at(pool, pool->used));
    }
    free(from);
    return pool->used == used;
}

/* No pointer of the bytes is believed. */
static void blank_pointers(const struct schema_record *type, char *record)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct schema_field *field = &type->fields[i];
        struct slice slice;

        if (schema_is_owned(field)) {
            memset(record + field->at, 0, field->size);
        } else if (field->kind == SCHEMA_SLICE) {
            memcpy(&slice, record + field->at, sizeof(slice));
            slice.ptr = "";
            memcpy(record + field->at, &slice, sizeof(slice));
        }
    }
}

bool restore_take_records(struct restore *restore, const struct schema_record *type,
                          struct pool *pool, uint32_t used)
{
    bool ok = true;

    if (restore->is_same) {
        pool->records = restore_take_array(restore, used, pool->size);
        pool->used = pool->records ? used : 0;
        pool->capacity = pool->used;
        ok = pool->records != NULL;
    } else {
        ok = take_mapped(restore, type, pool, used);
    }
    for (uint32_t i = 0; schema_has_owned(type) && i < pool->used; i++)
        blank_pointers(type, pool_at(pool, i));
    return ok;
}

bool restore_skip_records(struct restore *restore, uint32_t used)
{
    return skip(restore, (uint64_t)used * restore->record_size);
}

/* ---- what records own --------------------------------------------------------------------- */

/* The next of the slices that are cut from the text at *index, or NULL. */
static char *next_slice(const struct schema_record *type, uint32_t *index, char *record)
{
    while (++*index < type->field_count && !schema_is_owned(&type->fields[*index]))
        if (type->fields[*index].kind == SCHEMA_SLICE)
            return record + type->fields[*index].at;
    return NULL;
}

static uint64_t length_of_slices(const struct schema_record *type, uint32_t index,
                                 char *record)
{
    uint64_t total = 0;
    const char *at;

    while ((at = next_slice(type, &index, record)) != NULL) {
        struct slice slice;

        memcpy(&slice, at, sizeof(slice));
        if (slice.len > UINT32_MAX)
            return UINT64_MAX;
        total += slice.len;
    }
    return total;
}

static void cut_slices(const struct schema_record *type, uint32_t index, char *record,
                       const char *text)
{
    char *at;

    while ((at = next_slice(type, &index, record)) != NULL) {
        struct slice slice;

        memcpy(&slice, at, sizeof(slice));
        slice.ptr = text;
        text += slice.len;
        memcpy(at, &slice, sizeof(slice));
    }
}

/* How many bytes of the section are the record's; `left` are there. */
static uint64_t length_of_owned(const struct schema_record *type, uint32_t index,
                                char *record, uint64_t left)
{
    const struct schema_field *field = &type->fields[index];
    uint32_t length = 0;

    if (field->kind == SCHEMA_STRING)
        return left;
    if (field->kind == SCHEMA_SLICES || field->kind == SCHEMA_SLICES_BUFFER)
        return length_of_slices(type, index, record);
    memcpy(&length, record + field->length_at, sizeof(length));
    return field->kind == SCHEMA_LIST ? (uint64_t)length * field->element : length;
}

static void clear_slices(const struct schema_record *type, uint32_t index, char *record)
{
    const struct slice empty = SLICE("");
    char *at;

    while ((at = next_slice(type, &index, record)) != NULL)
        memcpy(at, &empty, sizeof(empty));
}

static void give_owned(const struct schema_record *type, uint32_t index, char *record,
                       struct slice owned)
{
    const struct schema_field *field = &type->fields[index];

    memcpy(record + field->at, &owned.ptr, sizeof(owned.ptr));
    if (field->kind == SCHEMA_SLICES_BUFFER) {
        struct buffer *text = schema_at(field, record);

        text->len = owned.len;
        text->capacity = owned.len + 1;
    }
    if (field->kind == SCHEMA_SLICES || field->kind == SCHEMA_SLICES_BUFFER)
        cut_slices(type, index, record, owned.ptr);
}

static bool take_owned_of(struct restore *restore, const struct schema_record *type,
                          uint32_t index, char *record, uint64_t *left)
{
    uint64_t len = length_of_owned(type, index, record, *left);
    const char *before;

    memcpy(&before, record + type->fields[index].at, sizeof(before));
    if (len > *left || before)
        return FAIL(restore->err, ERROR_INVALID, "%s: lengths contradict each other",
                    type->fields[index].name);
    *left -= len;
    if (len == 0 && type->fields[index].kind == SCHEMA_LIST)
        return true;

    struct slice owned = {restore_take_array(restore, len, 1), len};

    if (!owned.ptr)
        return false;
    give_owned(type, index, record, owned);
    return true;
}

/* Where the bytes do not say what a record owns, it owns nothing, and no length says otherwise. */
static void settle(const struct schema_record *type, char *record)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct schema_field *field = &type->fields[i];
        const char *owned;

        if (!schema_is_owned(field))
            continue;
        memcpy(&owned, record + field->at, sizeof(owned));
        if (owned)
            continue;
        if (field->length_at)
            memset(record + field->length_at, 0, sizeof(uint32_t));
        if (field->kind == SCHEMA_TEXT || field->kind == SCHEMA_STRING)
            give_owned(type, i, record, (struct slice){memory_new(1, 1), 0});
        else if (field->kind == SCHEMA_SLICES || field->kind == SCHEMA_SLICES_BUFFER)
            clear_slices(type, i, record);
    }
}

static bool take_section(struct restore *restore, const struct schema_record *type,
                         struct pool *pool, const bool *is_free, const char *name)
{
    const struct schema_field *field = restore_find(type, name);
    uint64_t left;

    if (!restore_take_u64(restore, &left))
        return false;
    if (!field || !schema_is_owned(field))
        return skip(restore, left);
    for (uint32_t i = 0; i < pool->used; i++)
        if (!(is_free && is_free[i]) &&
            !take_owned_of(restore, type, (uint32_t)(field - type->fields),
                           pool_at(pool, i), &left))
            return false;
    if (left)
        return FAIL(restore->err, ERROR_INVALID, "%s: more bytes than records", name);
    return true;
}

bool restore_take_owned(struct restore *restore, const struct schema_record *type,
                        struct pool *pool, const bool *is_free)
{
    char name[CHECKPOINT_MAX_NAME] = "?";

    while (restore_take_name(restore, name) && name[0] != '\0')
        if (!take_section(restore, type, pool, is_free, name))
            return false;
    if (name[0] != '\0')
        return false;
    for (uint32_t i = 0; schema_has_owned(type) && i < pool->used; i++)
        if (!(is_free && is_free[i]))
            settle(type, pool_at(pool, i));
    return true;
}

bool restore_skip_owned(struct restore *restore)
{
    const struct schema_record nothing = {0};
    struct pool none = {0};

    return restore_take_owned(restore, &nothing, &none, NULL);
}
