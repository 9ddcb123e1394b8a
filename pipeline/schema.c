#include "pipeline/schema.h"

#include "pipeline/schema_fields.h"

#include <assert.h>
#include <stdlib.h>

/* ---- from lines to rows ------------------------------------------------------------------- */

#define MEMBER(type, field) (((const struct type *)0)->field)
#define PLACE(type, field)                              \
    .name = #field, .at = offsetof(struct type, field), \
    .size = sizeof(MEMBER(type, field))
#define TO(pool) .pool_at = offsetof(struct pipeline, pool)

/* The zeros behind it let a kind go without arguments. */
#define ROW(type, field, ...)              CHOOSE_ROW(type, field, __VA_ARGS__, 0, 0)
#define CHOOSE_ROW(type, field, kind, ...) ROW_##kind(type, field, __VA_ARGS__)

#define ROW_PLAIN(type, field, ...)   {PLACE(type, field), .kind = SCHEMA_PLAIN},
#define ROW_RECORDS(type, field, ...) {PLACE(type, field), .kind = SCHEMA_PLAIN},
#define ROW_NUMBERS(type, field, ...) {PLACE(type, field), .kind = SCHEMA_PLAIN},
#define ROW_BOOL(type, field, ...)    {PLACE(type, field), .kind = SCHEMA_BOOL},
#define ROW_UPTO(type, field, max, ...) \
    {PLACE(type, field), .kind = SCHEMA_UPTO, .most = (max)},
#define ROW_REASON(type, field, ...) {PLACE(type, field), .kind = SCHEMA_REASON},
#define ROW_USERS(type, field, ...)  {PLACE(type, field), .kind = SCHEMA_USERS},
#define ROW_LINK(type, field, pool, ...) \
    {PLACE(type, field), .kind = SCHEMA_LINK, TO(pool)},
#define ROW_LINK_OR_NONE(type, field, pool, ...) \
    {PLACE(type, field), .kind = SCHEMA_LINK, TO(pool), .may_be_none = true},
#define ROW_USE(type, field, pool, ...) \
    {PLACE(type, field), .kind = SCHEMA_USE, TO(pool)},
#define ROW_USE_OR_NONE(type, field, pool, ...) \
    {PLACE(type, field), .kind = SCHEMA_USE, TO(pool), .may_be_none = true},
#define ROW_OWN_OR_NONE(type, field, pool, ...) \
    {PLACE(type, field), .kind = SCHEMA_OWN, TO(pool), .may_be_none = true},
#define ROW_LIST(type, field, length, ...)       \
    {PLACE(type, field), .kind = SCHEMA_LIST,    \
     .length_at = offsetof(struct type, length), \
     .element = sizeof(*MEMBER(type, field))},
#define ROW_TEXT(type, field, length, ...) \
    {PLACE(type, field), .kind = SCHEMA_TEXT, .length_at = offsetof(struct type, length)},
#define ROW_STRING(type, field, ...) {PLACE(type, field), .kind = SCHEMA_STRING},
#define ROW_SLICES(type, field, ...) {PLACE(type, field), .kind = SCHEMA_SLICES},
#define ROW_SLICES_BUFFER(type, field, ...) \
    {PLACE(type, field), .kind = SCHEMA_SLICES_BUFFER},
#define ROW_SLICE(type, field, ...)   {PLACE(type, field), .kind = SCHEMA_SLICE},
#define ROW_REASONS(type, field, ...) {PLACE(type, field), .kind = SCHEMA_REASONS},
#define ROW_POOL(type, field, of, ...) \
    {PLACE(type, field), .kind = SCHEMA_POOL, .record = &of##_record},
#define ROW_TABLE(type, field, pool, of, hash, ...)      \
    {PLACE(type, field), .kind = SCHEMA_TABLE, TO(pool), \
     .hash_at = offsetof(struct of, hash)},
#define ROW_BEGIN(type, field, ...)
#define ROW_END(type, field, ...)
#define ROW_SCRATCH(type, field, ...)
#define ROW_APART(type, field, ...)

#define RECORD(type, FIELDS)                                             \
    static const struct schema_field type##_fields[] = {FIELDS(ROW)};    \
    static const struct schema_record type##_record = {                  \
        .size = sizeof(struct type),                                     \
        .field_count = sizeof(type##_fields) / sizeof(type##_fields[0]), \
        .fields = type##_fields,                                         \
    }

RECORD(resource, RESOURCE_FIELDS);
RECORD(source, SOURCE_FIELDS);
RECORD(family, FAMILY_FIELDS);
RECORD(start, START_FIELDS);
RECORD(stream, STREAM_FIELDS);
RECORD(buckets, BUCKETS_FIELDS);
RECORD(exponential, EXPONENTIAL_FIELDS);
RECORD(quantiles, QUANTILES_FIELDS);
RECORD(history, HISTORY_FIELDS);
RECORD(history_points, HISTORY_POINTS_FIELDS);
RECORD(layout, LAYOUT_FIELDS);
RECORD(owner, OWNER_FIELDS);
RECORD(destination, DESTINATION_FIELDS);
RECORD(plan, PLAN_FIELDS);
RECORD(successor, SUCCESSOR_FIELDS);
RECORD(drawing, DRAWING_FIELDS);
RECORD(node, NODE_FIELDS);
RECORD(cell, CELL_FIELDS);
RECORD(minute, MINUTE_FIELDS);
RECORD(run, RUN_FIELDS);
RECORD(move, MOVE_FIELDS);
RECORD(repeat, REPEAT_FIELDS);

static const struct schema_field pipeline_fields[] = {PIPELINE_FIELDS(ROW)};

const struct schema_record schema_pipeline = {
    .size = sizeof(struct pipeline),
    .field_count = sizeof(pipeline_fields) / sizeof(pipeline_fields[0]),
    .fields = pipeline_fields,
};

/* ---- nothing forgotten -------------------------------------------------------------------- */

/*
 * The lines once more, as an initialiser by position: one too few and the compiler says that an
 * initialiser is missing, one too many that there is an excess. Nothing of it is evaluated.
 */
#define INIT(type, field, ...)              CHOOSE_INIT(type, field, __VA_ARGS__, 0)
#define CHOOSE_INIT(type, field, kind, ...) INIT_##kind(type, field)
#define INIT_PLAIN(type, field)             MEMBER(type, field),
#define INIT_RECORDS(type, field)           {{0}},
#define INIT_NUMBERS(type, field)           {0},
#define INIT_BOOL                           INIT_PLAIN
#define INIT_UPTO                           INIT_PLAIN
#define INIT_REASON                         INIT_PLAIN
#define INIT_USERS                          INIT_PLAIN
#define INIT_LINK                           INIT_PLAIN
#define INIT_LINK_OR_NONE                   INIT_PLAIN
#define INIT_USE                            INIT_PLAIN
#define INIT_USE_OR_NONE                    INIT_PLAIN
#define INIT_OWN_OR_NONE                    INIT_PLAIN
#define INIT_LIST                           INIT_PLAIN
#define INIT_TEXT                           INIT_PLAIN
#define INIT_STRING                         INIT_PLAIN
#define INIT_SLICES                         INIT_PLAIN
#define INIT_SLICES_BUFFER                  INIT_PLAIN
#define INIT_SLICE                          INIT_PLAIN
#define INIT_REASONS                        INIT_RECORDS
#define INIT_POOL                           INIT_PLAIN
#define INIT_TABLE                          INIT_PLAIN
#define INIT_SCRATCH                        INIT_PLAIN
#define INIT_APART                          INIT_PLAIN
#define INIT_BEGIN(type, field)             {
#define INIT_END(type, field) \
    }                         \
    ,

#define COMPLETE(type, FIELDS) \
    static_assert(sizeof((struct type){FIELDS(INIT)}) == sizeof(struct type), #type)

void schema_init_pools(struct pipeline *p)
{
    COMPLETE(resource, RESOURCE_FIELDS);
    COMPLETE(source, SOURCE_FIELDS);
    COMPLETE(family, FAMILY_FIELDS);
    COMPLETE(start, START_FIELDS);
    COMPLETE(stream, STREAM_FIELDS);
    COMPLETE(buckets, BUCKETS_FIELDS);
    COMPLETE(exponential, EXPONENTIAL_FIELDS);
    COMPLETE(quantiles, QUANTILES_FIELDS);
    COMPLETE(history, HISTORY_FIELDS);
    COMPLETE(history_points, HISTORY_POINTS_FIELDS);
    COMPLETE(layout, LAYOUT_FIELDS);
    COMPLETE(owner, OWNER_FIELDS);
    COMPLETE(destination, DESTINATION_FIELDS);
    COMPLETE(plan, PLAN_FIELDS);
    COMPLETE(successor, SUCCESSOR_FIELDS);
    COMPLETE(drawing, DRAWING_FIELDS);
    COMPLETE(node, NODE_FIELDS);
    COMPLETE(cell, CELL_FIELDS);
    COMPLETE(minute, MINUTE_FIELDS);
    COMPLETE(run, RUN_FIELDS);
    COMPLETE(move, MOVE_FIELDS);
    COMPLETE(repeat, REPEAT_FIELDS);
    COMPLETE(pipeline, PIPELINE_FIELDS);
    for (uint32_t i = 0; i < schema_pipeline.field_count; i++) {
        const struct schema_field *field = &pipeline_fields[i];

        if (field->kind == SCHEMA_POOL)
            pool_init(schema_at(field, p), field->record->size);
    }
}

/* ---- releasing ---------------------------------------------------------------------------- */

static void release_owned(const struct schema_record *type, void *record)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        void *at = schema_at(&type->fields[i], record);
        void *owned;

        if (!schema_is_owned(&type->fields[i]))
            continue;
        memcpy(&owned, at, sizeof(owned));
        free(owned);
    }
}

static void release_pool(const struct schema_field *field, struct pool *pool)
{
    bool has_owned = schema_has_owned(field->record);

    for (uint32_t i = 0; has_owned && i < pool->used; i++)
        release_owned(field->record, pool_at(pool, i));
    pool_release(pool);
}

void schema_release(struct pipeline *p)
{
    for (uint32_t i = 0; i < schema_pipeline.field_count; i++) {
        const struct schema_field *field = &pipeline_fields[i];

        if (field->kind == SCHEMA_POOL)
            release_pool(field, schema_at(field, p));
        else if (field->kind == SCHEMA_TABLE)
            table_release(schema_at(field, p));
    }
    release_owned(&schema_pipeline, p);
}
