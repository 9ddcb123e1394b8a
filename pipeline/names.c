#include "pipeline/names.h"

#include "pipeline/suffix.h"

static bool is_native(const struct cell *cell)
{
    return cell->plan == POOL_NONE;
}

/* ---- how many ----------------------------------------------------------------------------- */

/* Of native cells: what mackerel-agent posts of a group or of one device of it. */
static uint32_t native_names(enum native_group group)
{
    switch (group) {
    case NATIVE_LOAD: return 3;
    case NATIVE_CPU: return 8;
    case NATIVE_MEMORY: return 6;
    case NATIVE_SWAP:
    case NATIVE_DISK:
    case NATIVE_NETWORK:
    case NATIVE_FILESYSTEM:
    case NATIVE_CONTAINER_CPU:
    case NATIVE_CONTAINER_MEMORY:
    case NATIVE_CONTAINER_NETWORK: return 2;
    }
    return 0;
}

uint32_t names_of(const struct pipeline *p, const struct cell *cell)
{
    return is_native(cell) ? native_names((enum native_group)cell->group)
                           : suffix_count(state_plan(p, cell->plan));
}

static bool is_host(const struct destination *destination)
{
    return destination->target.kind == MACKEREL_HOST;
}

uint32_t names_budget(const struct pipeline *p, const struct destination *destination)
{
    const struct pipeline_budgets *budgets = &p->options.budgets;

    return is_host(destination) ? budgets->host_metrics : budgets->service_metrics;
}

static bool exceeds(uint64_t used, uint64_t more, uint32_t limit)
{
    return limit && used + more > limit;
}

static bool has_room(const struct pipeline *p, const struct destination *destination,
                     uint64_t more)
{
    const struct pipeline_budgets *budgets = &p->options.budgets;

    if (exceeds(destination->names, more, names_budget(p, destination)))
        return false;
    if (!is_host(destination))
        return !exceeds(p->names.of_services, more, budgets->all_service_metrics);
    return destination->names || !exceeds(p->names.hosts, 1, budgets->hosts);
}

/* ---- who ---------------------------------------------------------------------------------- */

/* A walk over the names of a cell. */
struct walk {
    struct pipeline *p;
    const struct cell *cell;
    uint32_t index;
    uint32_t fresh; /* of its names that nobody holds */
    bool collides, is_replaced;
};

/* The suffix ends the name: "a" with ".b" is the same as "a.b" with nothing. */
static struct hash128 name_hash(const struct walk *walk, const char *suffix)
{
    struct buffer *text = &walk->p->names.text;

    buffer_reset(text);
    buffer_append(text, (struct slice){walk->cell->name, walk->cell->name_len});
    buffer_append_text(text, suffix);
    return hash_mix(state_destination(walk->p, walk->cell->destination)->hash,
                    hash_bytes(buffer_slice(text), 0));
}

static struct walk walk_over(struct pipeline *p, uint32_t index, suffix_visit *visit)
{
    struct walk walk = {.p = p, .cell = state_cell(p, index), .index = index};

    if (walk.cell->plan != POOL_NONE)
        suffix_all(state_plan(p, walk.cell->plan), visit, &walk);
    return walk;
}

/* Rules changed and no stream has joined it since. */
static bool is_outdated(const struct pipeline *p, uint32_t cell)
{
    return state_cell(p, cell)->generation != p->generation;
}

static void look(void *self, const char *suffix)
{
    struct walk *walk = self;
    uint32_t holder = table_find(&walk->p->names.holders, name_hash(walk, suffix));

    walk->fresh += holder == TABLE_NONE;
    if (holder == TABLE_NONE || holder == walk->index)
        return;
    walk->is_replaced = true;
    walk->collides |= !is_outdated(walk->p, holder);
}

/* ---- counting ----------------------------------------------------------------------------- */

enum {
    NEAR_PERCENT = 80
};

static bool is_near(const struct pipeline *p, const struct destination *destination)
{
    uint64_t budget = names_budget(p, destination);

    return budget && (uint64_t)destination->names * 100 >= budget * NEAR_PERCENT;
}

/* The first place that holds `old` holds `new` from now on. */
static void replace(struct names *names, uint32_t old, uint32_t new)
{
    for (size_t i = 0; i < PIPELINE_NEAR; i++)
        if (names->near_one[i] == old) {
            names->near_one[i] = new;
            return;
        }
}

static void count(struct pipeline *p, const struct cell *cell, int64_t more)
{
    struct destination *destination = state_destination(p, cell->destination);
    bool was_near = is_near(p, destination), had_some = destination->names > 0;

    destination->names = (uint32_t)(destination->names + more);
    if (is_host(destination))
        p->names.hosts += (uint32_t)((destination->names > 0) - had_some);
    else
        p->names.of_services = (uint32_t)(p->names.of_services + more);
    if (is_near(p, destination) == was_near)
        return;
    p->names.near += was_near ? UINT32_MAX : 1;
    replace(&p->names, was_near ? cell->destination + 1 : 0,
            was_near ? 0 : cell->destination + 1);
}

static void hold(void *self, const char *suffix)
{
    struct walk *walk = self;
    struct hash128 hash = name_hash(walk, suffix);
    uint32_t holder = table_find(&walk->p->names.holders, hash);

    if (holder == TABLE_NONE)
        count(walk->p, walk->cell, 1);
    if (holder == TABLE_NONE ||
        state_cell(walk->p, holder)->generation < walk->cell->generation)
        table_insert(&walk->p->names.holders, hash, walk->index);
}

static void let_go(void *self, const char *suffix)
{
    struct walk *walk = self;
    struct hash128 hash = name_hash(walk, suffix);

    if (table_find(&walk->p->names.holders, hash) != walk->index)
        return;
    table_remove(&walk->p->names.holders, hash);
    count(walk->p, walk->cell, -1);
}

/* ---- kept values -------------------------------------------------------------------------- */

/* Tables that count: a hash and how many there are of it. */
static uint32_t counted(const struct table *table, struct hash128 hash)
{
    uint32_t found = table_find(table, hash);

    return found == TABLE_NONE ? 0 : found;
}

static void set_count(struct table *table, struct hash128 hash, uint32_t number)
{
    if (number)
        table_insert(table, hash, number);
    else
        table_remove(table, hash);
}

static struct hash128 value_hash(const struct kept_value *value)
{
    return hash_mix(value->group, value->value);
}

static void hold_values(struct pipeline *p, const struct cell *cell)
{
    for (uint32_t i = 0; i < cell->kept_count; i++) {
        struct hash128 hash = value_hash(&cell->kept[i]);
        uint32_t users = counted(&p->names.values, hash);

        set_count(&p->names.values, hash, users + 1);
        if (users == 0)
            set_count(&p->names.groups, cell->kept[i].group,
                      counted(&p->names.groups, cell->kept[i].group) + 1);
    }
}

static void let_go_of_values(struct pipeline *p, const struct cell *cell)
{
    for (uint32_t i = 0; i < cell->kept_count; i++) {
        struct hash128 hash = value_hash(&cell->kept[i]);
        uint32_t users = counted(&p->names.values, hash);

        set_count(&p->names.values, hash, users - 1);
        if (users == 1)
            set_count(&p->names.groups, cell->kept[i].group,
                      counted(&p->names.groups, cell->kept[i].group) - 1);
    }
}

bool names_has_value(const struct pipeline *p, const struct kept_value *value)
{
    return counted(&p->names.values, value_hash(value)) > 0;
}

bool names_has_room(const struct pipeline *p, const struct kept_value *value,
                    uint32_t top)
{
    return counted(&p->names.groups, value->group) < top;
}

/* ---- cells -------------------------------------------------------------------------------- */

enum names_verdict names_ask(struct pipeline *p, uint32_t cell, uint32_t reserve)
{
    struct walk walk = walk_over(p, cell, look);

    if (walk.collides)
        return NAMES_COLLIDE;
    return has_room(p, state_destination(p, walk.cell->destination),
                    (uint64_t)walk.fresh + reserve)
               ? NAMES_FREE
               : NAMES_OVER_BUDGET;
}

static void take(struct pipeline *p, uint32_t index)
{
    const struct cell *cell = state_cell(p, index);

    if (is_native(cell))
        count(p, cell, native_names((enum native_group)cell->group));
    walk_over(p, index, hold);
    hold_values(p, cell);
}

void names_take(struct pipeline *p, uint32_t index)
{
    state_cell(p, index)->generation = p->generation;
    take(p, index);
}

void names_confirm(struct pipeline *p, uint32_t index)
{
    state_cell(p, index)->generation = p->generation;
    walk_over(p, index, hold);
}

void names_give(struct pipeline *p, uint32_t index)
{
    const struct cell *cell = state_cell(p, index);

    if (is_native(cell))
        count(p, cell, -(int64_t)native_names((enum native_group)cell->group));
    walk_over(p, index, let_go);
    let_go_of_values(p, cell);
    p->names_freed_ns = p->now_ns;
}

bool names_yields(struct pipeline *p, uint32_t cell, uint64_t minute)
{
    return minute >= p->changed_minute && is_outdated(p, cell) &&
           walk_over(p, cell, look).is_replaced;
}

/* ---- for people --------------------------------------------------------------------------- */

static void describe(const struct pipeline *p, const struct destination *destination,
                     struct pipeline_near *near)
{
    const struct mackerel_destination *target = &destination->target;
    struct slice name = target->name.len                ? target->name
                        : target->custom_identifier.len ? target->custom_identifier
                                                        : target->host_id;
    size_t len = name.len < sizeof(near->destination) ? name.len
                                                      : sizeof(near->destination) - 1;

    *near = (struct pipeline_near){
        .is_host = is_host(destination),
        .names = destination->names,
        .budget = names_budget(p, destination),
    };
    if (len)
        memcpy(near->destination, name.ptr, len);
}

void names_read_use(const struct pipeline *p, struct pipeline_budget_use *use)
{
    size_t count = 0;

    *use = (struct pipeline_budget_use){
        .hosts = p->names.hosts,
        .service_names = p->names.of_services,
        .near_count = p->names.near,
    };
    for (size_t i = 0; p->names.near && i < PIPELINE_NEAR; i++)
        if (p->names.near_one[i])
            describe(p, state_destination(p, p->names.near_one[i] - 1),
                     &use->near[count++]);
}

/* ---- all of it ---------------------------------------------------------------------------- */

void names_release(struct pipeline *p)
{
    table_release(&p->names.holders);
    table_release(&p->names.values);
    table_release(&p->names.groups);
    buffer_release(&p->names.text);
    p->names = (struct names){0};
}

void names_rebuild(struct pipeline *p)
{
    names_release(p);
    for (uint32_t i = 0; i < p->destinations.used; i++)
        state_destination(p, i)->names = 0;
    for (uint32_t i = 0; i < p->cells.used; i++)
        if (state_cell(p, i)->name && state_cell(p, i)->first_stream != POOL_NONE)
            take(p, i);
}
