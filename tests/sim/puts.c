#include "tests/sim/puts.h"

#include "base/memory.h"

#include <stdlib.h>

struct put {
    struct hash128 key;
    double value;
    uint64_t tick_lsn;
    bool is_stray;
};

static struct hash128 key_of(const char *destination, struct slice name,
                             uint64_t minute_s)
{
    struct hash128 minute = {minute_s, ~minute_s};

    return hash_mix(hash_mix(hash_bytes(slice_of(destination), 1), hash_bytes(name, 2)),
                    minute);
}

void puts_release(struct puts *puts)
{
    free(puts->list);
    *puts = (struct puts){0};
}

static void note_row(struct puts *puts, const struct mackerel_row *row, uint64_t tick_lsn)
{
    char destination[VALUE_MAP_DESTINATION_MAX];

    value_map_name(&row->destination, destination);
    for (size_t i = 0; i < row->count; i++) {
        puts->list = memory_grow(puts->list, puts->count + 1, &puts->room,
                                 sizeof(*puts->list));
        puts->list[puts->count++] = (struct put){
            .key = key_of(destination, row->values[i].name, row->minute_s),
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
    struct hash128 key = key_of(value->destination, slice_of(value->name),
                                value->minute_s);

    for (size_t i = 0; i < puts->count; i++) {
        const struct put *put = &puts->list[i];

        if (put->is_stray && hash_equal(put->key, key) && put->value == value->value)
            return true;
    }
    return false;
}
