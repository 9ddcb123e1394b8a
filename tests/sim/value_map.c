#include "tests/sim/value_map.h"

#include "base/memory.h"
#include "base/table.h"

#include <stdio.h>
#include <stdlib.h>

struct value_index {
    struct table entries, texts;
    char **text;
    size_t text_count, text_room;
};

static struct value_index *index_of(struct value_map *map)
{
    if (!map->index)
        map->index = memory_new(1, sizeof(*map->index));
    return map->index;
}

static struct hash128 key_of(const char *destination, struct slice name,
                             uint64_t minute_s)
{
    struct hash128 minute = {minute_s, ~minute_s};

    return hash_mix(hash_mix(hash_bytes(slice_of(destination), 1), hash_bytes(name, 2)),
                    minute);
}

void value_map_release(struct value_map *map)
{
    if (map->index) {
        for (size_t i = 0; i < map->index->text_count; i++)
            free(map->index->text[i]);
        free(map->index->text);
        table_release(&map->index->entries);
        table_release(&map->index->texts);
        free(map->index);
    }
    free(map->entries);
    *map = (struct value_map){0};
}

/* The same text is kept once. */
static const char *keep(struct value_index *index, struct slice text)
{
    struct hash128 hash = hash_bytes(text, 3);
    uint32_t at = table_find(&index->texts, hash);

    if (at != TABLE_NONE)
        return index->text[at];
    index->text = memory_grow(index->text, index->text_count + 1, &index->text_room,
                              sizeof(*index->text));
    index->text[index->text_count] = memory_copy(text);
    table_insert(&index->texts, hash, (uint32_t)index->text_count);
    return index->text[index->text_count++];
}

struct value_entry *value_map_put(struct value_map *map, const char *destination,
                                  struct slice name, uint64_t minute_s, double value)
{
    struct value_index *index = index_of(map);
    struct hash128 key = key_of(destination, name, minute_s);
    uint32_t at = table_find(&index->entries, key);

    if (at == TABLE_NONE) {
        at = (uint32_t)map->count;
        map->entries = memory_grow(map->entries, map->count + 1, &map->room,
                                   sizeof(*map->entries));
        map->entries[map->count++] = (struct value_entry){
            .destination = keep(index, slice_of(destination)),
            .name = keep(index, name),
            .minute_s = minute_s,
        };
        table_insert(&index->entries, key, at);
    }
    map->entries[at].value = value;
    map->entries[at].writes++;
    return &map->entries[at];
}

const struct value_entry *value_map_find(const struct value_map *map,
                                         const char *destination, struct slice name,
                                         uint64_t minute_s)
{
    uint32_t at;

    if (!map->index)
        return NULL;
    at = table_find(&map->index->entries, key_of(destination, name, minute_s));
    return at == TABLE_NONE ? NULL : &map->entries[at];
}

void value_map_name(const struct mackerel_destination *destination,
                    char text[static VALUE_MAP_DESTINATION_MAX])
{
    snprintf(text, VALUE_MAP_DESTINATION_MAX, "%s %.*s",
             destination->kind == MACKEREL_HOST ? "host" : "service",
             SLICE_ARG(destination->name));
}
