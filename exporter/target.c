#include "exporter/target.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

static size_t position(const struct target_table *table, uint64_t id)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (table->targets[middle].stored.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct target *target_find(const struct target_table *table, uint64_t id)
{
    size_t at = position(table, id);

    if (at == table->count || table->targets[at].stored.id != id)
        return NULL;
    return &table->targets[at];
}

static void take_over(struct target_table *table, const struct outbox_destination *stored)
{
    struct target *target = target_find(table, stored->id);

    if (!target) {
        table->targets = memory_grow(table->targets, table->count + 1, &table->capacity,
                                     sizeof(table->targets[0]));
        target = &table->targets[table->count++];
        *target = (struct target){
            .backlog = portion_of(PORTION_SERVICE, PORTION_SERVICE_MAX)};
    }
    target->stored = *stored;
}

void target_table_refresh(struct target_table *table, struct outbox *outbox)
{
    struct outbox_destination list[64];
    uint64_t after_id = 0;
    size_t listed;

    do {
        listed = outbox_list(outbox, after_id, list, sizeof(list) / sizeof(list[0]));
        for (size_t i = 0; i < listed; i++)
            take_over(table, &list[i]);
        if (listed)
            after_id = list[listed - 1].id;
    } while (listed);
}

void target_remove(struct target_table *table, uint64_t id)
{
    struct target *target = target_find(table, id);

    if (!target)
        return;
    table->count--;
    memmove(target, target + 1,
            (size_t)(table->targets + table->count - target) * sizeof(*target));
}

void target_table_release(struct target_table *table)
{
    free(table->targets);
    *table = (struct target_table){0};
}

void target_note_error(struct target *target, uint64_t now_ns, const char *text)
{
    target->last_error_ns = now_ns;
    snprintf(target->last_error, sizeof(target->last_error), "%s", text);
}
