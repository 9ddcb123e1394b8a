#include "pipeline/cell.h"

#include "base/memory.h"
#include "pipeline/drawing.h"
#include "pipeline/names.h"
#include "pipeline/plans.h"

#include <stdlib.h>

static struct hash128 hash_of(struct slice text, uint64_t salt)
{
    return hash_bytes(text, salt);
}

static struct slice copy_part(char **at, struct slice part)
{
    struct slice copy = {*at, part.len};

    if (part.len)
        memcpy(*at, part.ptr, part.len);
    *at += part.len;
    return copy;
}

/* Name, id, identifier in this order: length-independent because each is hashed apart. */
static struct hash128 destination_hash(const struct mackerel_destination *target)
{
    struct hash128 hash = hash_of(target->name, (uint64_t)target->kind + 1);

    hash = hash_mix(hash, hash_of(target->host_id, 3));
    return hash_mix(hash, hash_of(target->custom_identifier, 4));
}

uint32_t cell_destination(struct pipeline *p, const struct mackerel_destination *target)
{
    struct hash128 hash = destination_hash(target);
    uint32_t index = table_find(&p->destination_table, hash);

    if (index != TABLE_NONE)
        return index;
    index = pool_take(&p->destinations);

    struct destination *destination = state_destination(p, index);
    char *at = memory_new(target->name.len + target->host_id.len +
                              target->custom_identifier.len + target->roles.len +
                              target->meta.len + 1,
                          1);

    destination->hash = hash;
    destination->text = at;
    destination->target.kind = target->kind;
    destination->target.name = copy_part(&at, target->name);
    destination->target.host_id = copy_part(&at, target->host_id);
    destination->target.custom_identifier = copy_part(&at, target->custom_identifier);
    destination->target.roles = copy_part(&at, target->roles);
    destination->target.meta = copy_part(&at, target->meta);
    table_insert(&p->destination_table, hash, index);
    return index;
}

static struct hash128 key_hash(const struct pipeline *p, const struct cell_key *key)
{
    uint64_t salt = ((uint64_t)key->kind << 8) + (uint64_t)key->group;

    struct hash128 hash = hash_mix(state_destination(p, key->destination)->hash,
                                   hash_of(key->name, salt));

    if (key->plan != POOL_NONE)
        hash = hash_mix(hash, state_plan(p, key->plan)->hash);
    return hash_equal(key->label, (struct hash128){0}) ? hash
                                                       : hash_mix(hash, key->label);
}

static void keep(struct cell *cell, const struct cell_key *key)
{
    cell->kept_count = key->kept_count;
    if (key->kept_count == 0)
        return;
    cell->kept = memory_new(key->kept_count, sizeof(*cell->kept));
    memcpy(cell->kept, key->kept, key->kept_count * sizeof(*cell->kept));
}

static void set_drawing(struct pipeline *p, struct cell *cell, uint32_t drawing)
{
    if (cell->drawing == drawing)
        return;
    drawing_give(p, cell->drawing);
    cell->drawing = drawing_share(p, drawing);
}

uint32_t cell_open(struct pipeline *p, const struct cell_key *key)
{
    struct hash128 hash = key_hash(p, key);
    uint32_t index = table_find(&p->cell_table, hash);

    if (index != TABLE_NONE) {
        set_drawing(p, state_cell(p, index), key->drawing);
        return index;
    }
    index = pool_take(&p->cells);

    struct cell *cell = state_cell(p, index);

    cell->hash = hash;
    cell->destination = key->destination;
    cell->plan = plans_share(p, key->plan);
    cell->drawing = drawing_share(p, key->drawing);
    cell->first_stream = cell->first_move = POOL_NONE;
    cell->newest_minute = cell->newest_run = POOL_NONE;
    cell->kind = (uint8_t)key->kind;
    cell->group = (uint8_t)key->group;
    cell->name = memory_copy(key->name);
    cell->name_len = (uint32_t)key->name.len;
    keep(cell, key);
    table_insert(&p->cell_table, hash, index);
    return index;
}

void cell_set_plan(struct pipeline *p, uint32_t index, uint32_t plan)
{
    struct cell *cell = state_cell(p, index);

    cell->plan = plans_share(p, plan);
    cell->hash = key_hash(p, &(struct cell_key){
                                 .destination = cell->destination,
                                 .plan = plan,
                                 .kind = cell->kind,
                                 .group = cell->group,
                                 .name = cell_name(cell),
                             });
}

void cell_add_stream(struct pipeline *p, uint32_t cell, uint32_t stream)
{
    uint32_t next = state_cell(p, cell)->first_stream;

    if (next == POOL_NONE)
        names_take(p, cell);
    state_stream(p, stream)->cell = cell;
    state_stream(p, stream)->next_in_cell = next;
    state_stream(p, stream)->previous_in_cell = POOL_NONE;
    if (next != POOL_NONE)
        state_stream(p, next)->previous_in_cell = stream;
    state_cell(p, cell)->first_stream = stream;
}

void cell_remove_stream(struct pipeline *p, uint32_t cell, uint32_t stream)
{
    uint32_t next = state_stream(p, stream)->next_in_cell;
    uint32_t previous = state_stream(p, stream)->previous_in_cell;

    if (next != POOL_NONE)
        state_stream(p, next)->previous_in_cell = previous;
    if (previous != POOL_NONE)
        state_stream(p, previous)->next_in_cell = next;
    else
        state_cell(p, cell)->first_stream = next;
    if (state_cell(p, cell)->first_stream == POOL_NONE)
        names_give(p, cell);
    cell_drop_if_unused(p, cell);
}

void cell_drop_if_unused(struct pipeline *p, uint32_t index)
{
    struct cell *cell = state_cell(p, index);

    if (cell->first_stream != POOL_NONE || cell->first_move != POOL_NONE ||
        cell->newest_minute != POOL_NONE || cell->newest_run != POOL_NONE)
        return;
    due_clear(&p->due, index);
    table_remove(&p->cell_table, cell->hash);
    plans_give(p, cell->plan);
    drawing_give(p, cell->drawing);
    free(cell->name);
    free(cell->kept);
    cell->name = NULL;
    cell->kept = NULL;
    pool_give(&p->cells, index);
}
