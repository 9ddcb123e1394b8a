#include "tests/sim/puts.h"

#include "base/memory.h"

#include <stdlib.h>

struct put {
    struct hash128 row, key;
    double value;
    uint64_t tick_lsn;
    bool is_stray;
};

static struct hash128 row_of(const char *destination, uint64_t minute_s)
{
    return hash_mix(hash_bytes(slice_of(destination), 1),
                    (struct hash128){minute_s, ~minute_s});
}

static struct hash128 key_of(struct hash128 row, struct slice name)
{
    return hash_mix(row, hash_bytes(name, 2));
}

void puts_release(struct puts *puts)
{
    free(puts->list);
    *puts = (struct puts){0};
}

static void note_row(struct puts *puts, const struct mackerel_row *row, uint64_t tick_lsn)
{
    char destination[VALUE_MAP_DESTINATION_MAX];
    struct hash128 hash;

    value_map_name(&row->destination, destination);
    hash = row_of(destination, row->minute_s);
    for (size_t i = 0; i < row->count; i++) {
        puts->list = memory_grow(puts->list, puts->count + 1, &puts->room,
                                 sizeof(*puts->list));
        puts->list[puts->count++] = (struct put){
            .row = hash,
            .key = key_of(hash, row->values[i].name),
            .value = row->values[i].value,
            .tick_lsn = tick_lsn,
        };
    }
}

void puts_note(struct puts *puts, const struct mackerel_row *rows, size_t count,
               uint64_t tick_lsn)
{
    for (size_t i = 0; i < count; i++)
        note_row(puts, &rows[i], tick_lsn);
}

void puts_lose(struct puts *puts, size_t count, uint64_t from_lsn)
{
    for (size_t i = 0; i < count; i++)
        puts->list[i].is_stray |= puts->list[i].tick_lsn >= from_lsn;
}

bool puts_has_stray(const struct puts *puts, const struct value_entry *value)
{
    struct hash128 key = key_of(row_of(value->destination, value->minute_s),
                                slice_of(value->name));

    for (size_t i = 0; i < puts->count; i++) {
        const struct put *put = &puts->list[i];

        if (put->is_stray && hash_equal(put->key, key) && put->value == value->value)
            return true;
    }
    return false;
}

bool puts_has_stray_row(const struct puts *puts, const struct value_entry *value)
{
    struct hash128 row = row_of(value->destination, value->minute_s);
    struct hash128 key = key_of(row, slice_of(value->name));
    bool has_stray = false;

    for (size_t i = 0; i < puts->count; i++) {
        const struct put *put = &puts->list[i];

        if (hash_equal(put->key, key))
            return false;
        has_stray |= put->is_stray && hash_equal(put->row, row);
    }
    return has_stray;
}
