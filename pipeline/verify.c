#include "pipeline/verify.h"

#include "base/memory.h"
#include "pipeline/schema.h"

#include <assert.h>
#include <stdlib.h>

/* ---- what is known about pools ------------------------------------------------------------ */

struct verify_pool *verify_begin(struct verify *verify, uint32_t pool_at)
{
    struct verify_pool *pool = &verify->pools[verify->count++];
    uint32_t used = schema_pool(verify->pipeline, pool_at)->used;

    assert(verify->count <= VERIFY_MAX_POOLS);
    pool->pool_at = pool_at;
    pool->used = used;
    pool->is_free = memory_new(used, sizeof(*pool->is_free));
    pool->is_owned = memory_new(used, sizeof(*pool->is_owned));
    pool->users = memory_new(used, sizeof(*pool->users));
    return pool;
}

bool verify_has(const struct verify *verify, uint32_t pool_at)
{
    for (uint32_t i = 0; i < verify->count; i++)
        if (verify->pools[i].pool_at == pool_at)
            return true;
    return false;
}

struct verify_pool *verify_find(struct verify *verify, uint32_t pool_at)
{
    for (uint32_t i = 0; i < verify->count; i++)
        if (verify->pools[i].pool_at == pool_at)
            return &verify->pools[i];
    return verify_begin(verify, pool_at);
}

void verify_release(struct verify *verify)
{
    for (uint32_t i = 0; i < verify->count; i++) {
        free(verify->pools[i].is_free);
        free(verify->pools[i].is_owned);
        free(verify->pools[i].users);
    }
    verify->count = 0;
}

/* ---- fields ------------------------------------------------------------------------------- */

/* A field that not every value suits, and for indices the pool that they lead to. */
struct rule {
    const struct schema_field *field;
    struct verify_pool *to;
};

enum {
    MAX_RULES = 64
};

static uint32_t make_rules(struct verify *verify, const struct schema_record *type,
                           struct rule *rules)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct schema_field *field = &type->fields[i];
        bool is_small = field->kind == SCHEMA_BOOL || field->kind == SCHEMA_UPTO ||
                        field->kind == SCHEMA_REASON;

        if (!is_small && !schema_is_index(field))
            continue;
        assert(count < MAX_RULES);
        rules[count].field = field;
        rules[count++].to = is_small ? NULL : verify_find(verify, field->pool_at);
    }
    return count;
}

static uint8_t most_of(const struct schema_field *field)
{
    if (field->kind == SCHEMA_BOOL)
        return 1;
    return field->kind == SCHEMA_REASON ? REASON_LAST + 1 : field->most;
}

static bool index_holds(const struct rule *rule, uint32_t index)
{
    if (index == POOL_NONE)
        return rule->field->may_be_none;
    if (index >= rule->to->used || rule->to->is_free[index])
        return false;
    if (rule->field->kind == SCHEMA_USE)
        rule->to->users[index]++;
    if (rule->field->kind != SCHEMA_OWN)
        return true;
    if (rule->to->is_owned[index])
        return false;
    rule->to->is_owned[index] = true;
    return true;
}

static bool rule_holds(const struct rule *rule, const char *record)
{
    uint8_t small;
    uint32_t index;

    if (rule->to) {
        memcpy(&index, record + rule->field->at, sizeof(index));
        return index_holds(rule, index);
    }
    memcpy(&small, record + rule->field->at, sizeof(small));
    return small <= most_of(rule->field);
}

static bool verify_record(const struct verify *verify, const struct rule *rules,
                          uint32_t count, const char *record)
{
    for (uint32_t i = 0; i < count; i++)
        if (!rule_holds(&rules[i], record))
            return FAIL(verify->err, ERROR_INVALID, "%s has an impossible value",
                        rules[i].field->name);
    return true;
}

static bool verify_pool(struct verify *verify, const struct schema_field *field)
{
    struct rule rules[MAX_RULES];
    uint32_t count = make_rules(verify, field->record, rules);
    const struct verify_pool *known = verify_find(verify, field->at);
    const struct pool *pool = schema_pool(verify->pipeline, field->at);

    for (uint32_t i = 0; count && i < pool->used; i++)
        if (!known->is_free[i] && !verify_record(verify, rules, count, pool_at(pool, i)))
            return false;
    return true;
}

static bool verify_users(struct verify *verify, const struct schema_field *pool_field)
{
    const struct schema_record *type = pool_field->record;
    const struct verify_pool *known = verify_find(verify, pool_field->at);
    const struct pool *pool = schema_pool(verify->pipeline, pool_field->at);
    uint32_t at = 0;

    while (at < type->field_count && type->fields[at].kind != SCHEMA_USERS)
        at++;
    for (uint32_t i = 0; at < type->field_count && i < pool->used; i++) {
        uint32_t users;

        memcpy(&users, schema_at(&type->fields[at], pool_at(pool, i)), sizeof(users));
        if (!known->is_free[i] && users != known->users[i])
            return FAIL(verify->err, ERROR_INVALID, "%s are not as many as counted",
                        type->fields[at].name);
    }
    return true;
}

/* ---- tables ------------------------------------------------------------------------------- */

static bool make_table(struct verify *verify, const struct schema_field *field)
{
    struct table *table = schema_at(field, verify->pipeline);
    const struct verify_pool *known = verify_find(verify, field->pool_at);
    const struct pool *pool = schema_pool(verify->pipeline, field->pool_at);
    size_t entries = 0;

    table_reserve(table, pool->count);
    for (uint32_t i = 0; i < pool->used; i++) {
        struct hash128 hash;

        if (known->is_free[i] || known->is_owned[i])
            continue;
        memcpy(&hash, (const char *)pool_at(pool, i) + field->hash_at, sizeof(hash));
        table_insert(table, hash, i);
        if (table->count != ++entries)
            return FAIL(verify->err, ERROR_INVALID, "%s: twice the same hash",
                        field->name);
    }
    return true;
}

/* ---- all ---------------------------------------------------------------------------------- */

typedef bool verify_each(struct verify *verify, const struct schema_field *field);

static bool each(struct verify *verify, enum schema_kind kind, verify_each *call)
{
    for (uint32_t i = 0; i < schema_pipeline.field_count; i++)
        if (schema_pipeline.fields[i].kind == kind &&
            !call(verify, &schema_pipeline.fields[i]))
            return false;
    return true;
}

bool verify_state(struct verify *verify)
{
    struct rule rules[MAX_RULES];
    uint32_t count = make_rules(verify, &schema_pipeline, rules);

    return verify_record(verify, rules, count, (const char *)verify->pipeline) &&
           each(verify, SCHEMA_POOL, verify_pool) &&
           each(verify, SCHEMA_POOL, verify_users) && verify_links(verify) &&
           each(verify, SCHEMA_TABLE, make_table);
}
