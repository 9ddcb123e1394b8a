#include "exporter/poison.h"

#include "base/memory.h"

#include <stdlib.h>

static struct hash128 key_of(uint64_t destination, struct slice name)
{
    return hash_mix((struct hash128){destination, 0}, hash_bytes(name, 0));
}

static struct poison *find(const struct poison_list *list, struct hash128 key)
{
    for (size_t i = 0; i < list->count; i++)
        if (hash_equal(list->poisons[i].key, key))
            return &list->poisons[i];
    return NULL;
}

/* A free place, or that of the metric which was refused the longest ago. */
static struct poison *find_place(struct poison_list *list)
{
    struct poison *oldest;

    if (!list->poisons)
        list->poisons = memory_new(POISON_MAX, sizeof(list->poisons[0]));
    if (list->count < POISON_MAX)
        return &list->poisons[list->count++];
    oldest = &list->poisons[0];
    for (size_t i = 1; i < list->count; i++)
        if (list->poisons[i].at_ms < oldest->at_ms)
            oldest = &list->poisons[i];
    return oldest;
}

bool poison_strike(struct poison_list *list, uint64_t destination, struct slice name,
                   uint64_t now_ms)
{
    struct hash128 key = key_of(destination, name);
    struct poison *poison = find(list, key);

    if (!poison) {
        poison = find_place(list);
        *poison = (struct poison){.key = key};
    } else if (now_ms >= poison->at_ms + POISON_MS) {
        poison->strikes = 0;
    }
    poison->strikes++;
    poison->at_ms = now_ms;
    return poison->strikes >= POISON_STRIKES;
}

bool poison_is_barred(const struct poison_list *list, uint64_t destination,
                      struct slice name, uint64_t now_ms)
{
    const struct poison *poison;

    if (list->count == 0)
        return false;
    poison = find(list, key_of(destination, name));
    return poison && poison->strikes >= POISON_STRIKES &&
           now_ms < poison->at_ms + POISON_MS;
}

void poison_list_release(struct poison_list *list)
{
    free(list->poisons);
    *list = (struct poison_list){0};
}
