#include "base/memory.h"
#include "pipeline/cell.h"
#include "pipeline/checkpoint.h"
#include "pipeline/names.h"
#include "pipeline/plans.h"
#include "pipeline/restore.h"
#include "pipeline/schema.h"
#include "pipeline/verify.h"

#include <assert.h>
#include <stdlib.h>

struct load {
    struct restore restore;
    struct verify verify;
    struct pipeline *p;
    uint32_t reason_count;
    uint8_t reason[UINT8_MAX]; /* as they were written -> as they are now */
    uint64_t retired;          /* points under reasons that are no more */
};

/* ---- reasons ------------------------------------------------------------------------------ */

static bool find_reason(const char *name, uint8_t *reason)
{
    for (int i = 0; i <= REASON_LAST; i++) {
        if (strcmp(reason_name((enum reason)i), name) != 0)
            continue;
        *reason = (uint8_t)i;
        return true;
    }
    return false;
}

/* Nothing is refused for it any more; the points that were leave the books. */
static bool is_retired(const char *name)
{
    return strcmp(name, "unsupported_kind") == 0;
}

static bool take_reason(struct load *load, uint8_t *reason)
{
    struct restore *restore = &load->restore;
    char name[CHECKPOINT_MAX_NAME], example[CHECKPOINT_MAX_NAME];
    struct ledger_reason read = {0};

    static_assert(sizeof(read.example) >= sizeof(example), "an example fits");
    if (!restore_take_name(restore, name) || !restore_take_u64(restore, &read.count) ||
        !restore_take_u64(restore, &read.example_ns) ||
        !restore_take_name(restore, example))
        return false;
    if (is_retired(name)) {
        load->retired += read.count;
        *reason = REASON_LAST;
        return true;
    }
    if (!find_reason(name, reason))
        return FAIL(restore->err, ERROR_INVALID, "no reason is called %s", name);
    memcpy(read.example, example, strlen(example));
    load->p->ledger.reasons[*reason] = read;
    return true;
}

static bool take_reasons(struct load *load)
{
    if (!restore_take_u32(&load->restore, &load->reason_count))
        return false;
    if (load->reason_count > sizeof(load->reason))
        return FAIL(load->restore.err, ERROR_INVALID, "too many reasons");
    for (uint32_t i = 0; i < load->reason_count; i++)
        if (!take_reason(load, &load->reason[i]))
            return false;
    return true;
}

/* Refusals in the records are numbers of reasons plus one. */
static bool translate_refusals(struct load *load, const struct schema_field *field,
                               struct pool *pool)
{
    for (uint32_t i = 0; i < pool->used; i++) {
        uint8_t *refusal = schema_at(field, pool_at(pool, i));

        if (*refusal > load->reason_count)
            return FAIL(load->restore.err, ERROR_INVALID, "unknown reason in %s",
                        field->name);
        if (*refusal)
            *refusal = load->reason[*refusal - 1] + 1;
    }
    return true;
}

/* ---- the pipeline's own fields ------------------------------------------------------------ */

static bool take_pipeline(struct load *load)
{
    const struct schema_record *type = &schema_pipeline;
    struct pool one;
    bool ok;

    pool_init(&one, sizeof(struct pipeline));
    ok = restore_take_description(&load->restore, type) &&
         restore_take_records(&load->restore, type, &one, 1) &&
         restore_take_owned(&load->restore, type, &one, NULL);
    for (uint32_t i = 0; one.used && i < type->field_count; i++) {
        const struct schema_field *field = &type->fields[i];

        if (field->kind <= SCHEMA_LAST_STORED)
            memcpy(schema_at(field, load->p), schema_at(field, one.records), field->size);
    }
    pool_release(&one);
    load->p->options.default_service = load->p->default_service;
    load->p->options.native_metrics = load->p->native_metrics;
    load->p->options.rules = load->p->rules;
    load->p->options.native_policy = load->p->native_policy;
    return ok;
}

/* ---- pools -------------------------------------------------------------------------------- */

static bool take_free_list(struct load *load, const char *name, uint32_t used,
                           uint32_t **freed, uint32_t *count)
{
    struct restore *restore = &load->restore;

    *freed = NULL;
    if (!restore_take_u32(restore, count))
        return false;
    if (*count > used)
        return FAIL(restore->err, ERROR_INVALID, "%s: more freed than used", name);
    *freed = restore_take_array(restore, *count, sizeof(**freed));
    return *freed != NULL;
}

/* The records of the list become free, in its order. */
static bool free_records(struct load *load, const struct schema_field *field,
                         const uint32_t *freed, uint32_t count)
{
    struct pool *pool = schema_at(field, load->p);
    struct verify_pool *marks = verify_begin(&load->verify, field->at);

    pool->count = pool->used - count;
    for (uint32_t i = count; i-- > 0;) {
        uint32_t at = freed[i];

        if (at >= pool->used || marks->is_free[at])
            return FAIL(load->restore.err, ERROR_INVALID, "%s: bad list of freed records",
                        field->name);
        marks->is_free[at] = true;
        restore_blank(field->record, pool_at(pool, at));
        memcpy(pool_at(pool, at), &pool->free, sizeof(pool->free));
        pool->free = at;
    }
    return true;
}

static bool take_known_pool(struct load *load, const struct schema_field *field,
                            uint32_t used)
{
    struct restore *restore = &load->restore;
    struct pool *pool = schema_at(field, load->p);
    uint32_t *freed, count;
    bool ok = take_free_list(load, field->name, used, &freed, &count) &&
              restore_take_records(restore, field->record, pool, used) &&
              free_records(load, field, freed, count);

    free(freed);
    if (!ok || !restore_take_owned(restore, field->record, pool,
                                   verify_find(&load->verify, field->at)->is_free))
        return false;
    for (uint32_t i = 0; i < field->record->field_count; i++)
        if (field->record->fields[i].kind == SCHEMA_REASON &&
            !translate_refusals(load, &field->record->fields[i], pool))
            return false;
    return true;
}

static bool skip_pool(struct load *load, const char *name, uint32_t used)
{
    uint32_t *freed, count;
    bool ok = take_free_list(load, name, used, &freed, &count) &&
              restore_skip_records(&load->restore, used) &&
              restore_skip_owned(&load->restore);

    free(freed);
    return ok;
}

static bool take_pool(struct load *load, const char *name)
{
    struct restore *restore = &load->restore;
    const struct schema_field *field = restore_find(&schema_pipeline, name);
    bool is_known = field && field->kind == SCHEMA_POOL;
    uint32_t used;

    if (!restore_take_description(restore, is_known ? field->record : NULL) ||
        !restore_take_u32(restore, &used))
        return false;
    if (!is_known)
        return skip_pool(load, name, used);
    if (used == POOL_NONE || verify_has(&load->verify, field->at))
        return FAIL(restore->err, ERROR_INVALID, "%s: twice or too many", name);
    return take_known_pool(load, field, used);
}

static bool take_pools(struct load *load)
{
    char name[CHECKPOINT_MAX_NAME] = "?";

    while (restore_take_name(&load->restore, name) && name[0] != '\0')
        if (!take_pool(load, name))
            return false;
    return name[0] == '\0';
}

/* ---- the rest ----------------------------------------------------------------------------- */

static bool take_due(struct load *load)
{
    struct restore *restore = &load->restore;
    struct due_queue *due = &load->p->due;
    const struct verify_pool *cells = verify_find(&load->verify,
                                                  offsetof(struct pipeline, cells));
    uint64_t count, time_ns;
    uint32_t cell;

    if (!restore_take_u64(restore, &count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!restore_take_u64(restore, &time_ns) || !restore_take_u32(restore, &cell))
            return false;
        if (!cells || cell >= load->p->cells.used || cells->is_free[cell] ||
            (cell < due->place_count && due->place[cell]))
            return FAIL(restore->err, ERROR_INVALID, "a due cell is none");
        due_set(due, cell, time_ns);
    }
    return true;
}

static bool take_mark(struct load *load)
{
    uint32_t mark;

    if (!restore_take_u32(&load->restore, &mark))
        return false;
    if (mark != CHECKPOINT_MARK)
        return FAIL(load->restore.err, ERROR_INVALID, "no state of a pipeline");
    return true;
}

static bool take_version(struct load *load)
{
    uint32_t version;

    if (!restore_take_u32(&load->restore, &version))
        return false;
    if (version != CHECKPOINT_VERSION)
        return FAIL(load->restore.err, ERROR_INVALID,
                    "state of version %u; this program reads version %d", version,
                    CHECKPOINT_VERSION);
    return true;
}

/* ---- plans -------------------------------------------------------------------------------- */

static void make_cell_plan(struct pipeline *p, uint32_t index,
                           const struct verify_pool *destinations)
{
    const struct cell *cell = state_cell(p, index);
    uint32_t plan;

    if (cell_is_native(cell) || cell->destination >= destinations->used ||
        destinations->is_free[cell->destination])
        return;
    plan = plans_take_default(p, cell->kind);
    cell_set_plan(p, index, plan);
    plans_give(p, plan);
}

/* A changed configuration left plan and name as they were. */
static void make_family_plans(struct pipeline *p, struct family *family)
{
    family->plan = plans_take_default(p, family->kind);
    if (family->changed_minute == 0 || family->former_name_len)
        return;
    family->former_plan = plans_share(p, family->plan);
    free(family->former_name);
    family->former_name = memory_copy((struct slice){family->name, family->name_len});
    family->former_name_len = family->name_len;
}

/* A state from before there were plans: its families and cells do what they did. */
static void make_plans(struct load *load)
{
    struct pipeline *p = load->p;
    const struct verify_pool *families = verify_find(&load->verify,
                                                     offsetof(struct pipeline, families));
    const struct verify_pool *cells = verify_find(&load->verify,
                                                  offsetof(struct pipeline, cells));
    const struct verify_pool *destinations = verify_find(
        &load->verify, offsetof(struct pipeline, destinations));

    for (uint32_t i = 0; i < families->used; i++)
        if (!families->is_free[i])
            make_family_plans(p, state_family(p, i));
    for (uint32_t i = 0; i < cells->used; i++)
        if (!cells->is_free[i])
            make_cell_plan(p, i, destinations);
    table_release(&p->plan_table);
}

static bool take_plans(struct load *load)
{
    if (!verify_has(&load->verify, offsetof(struct pipeline, plans)))
        make_plans(load);
    return true;
}

static bool retire_points(struct load *load)
{
    if (load->retired > load->p->ledger.received)
        return FAIL(load->restore.err, ERROR_INVALID,
                    "more points refused than received");
    load->p->ledger.received -= load->retired;
    return true;
}

static bool take_all(struct load *load)
{
    return take_mark(load) && take_version(load) && take_reasons(load) &&
           take_pipeline(load) && take_pools(load) && take_due(load) && take_mark(load) &&
           take_plans(load) && retire_points(load) && verify_state(&load->verify);
}

struct pipeline *pipeline_load(checkpoint_read *read, void *self, struct error *err)
{
    struct load *load = memory_new(1, sizeof(*load));
    struct pipeline *p = memory_new(1, sizeof(*p));

    schema_init_pools(p);
    load->p = p;
    load->restore = (struct restore){.read = read, .self = self, .err = err};
    load->verify = (struct verify){.pipeline = p, .err = err};

    bool ok = take_all(load);

    verify_release(&load->verify);
    free(load);
    if (!ok) {
        pipeline_free(p);
        return NULL;
    }
    names_rebuild(p);
    native_policy_read(&p->policy, p->native_policy);
    return p;
}
