/*
 * Values by destination, name and minute, the last one wins: what Mackerel holds, and what it should
 * hold. Destinations are texts: "service NAME" or "host NAME".
 */
#ifndef TESTS_SIM_VALUE_MAP_H
#define TESTS_SIM_VALUE_MAP_H

#include "base/hash.h"
#include "base/slice.h"
#include "proto/mackerel.h"

#include <stddef.h>
#include <stdint.h>

struct value_entry {
    const char *destination, *name; /* the map's */
    uint64_t minute_s;
    double value;
    uint64_t written_ns; /* when it last changed, as the writer says */
    unsigned writes;
};

struct value_map {
    struct value_entry *entries; /* in the order of their first writing */
    size_t count, room;
    struct value_index *index;
};

/* Zero-initialise it. */
void value_map_release(struct value_map *map);

struct value_entry *value_map_put(struct value_map *map, const char *destination,
                                  struct slice name, uint64_t minute_s, double value);
/* NULL when there is none. */
const struct value_entry *value_map_find(const struct value_map *map,
                                         const char *destination, struct slice name,
                                         uint64_t minute_s);

enum {
    VALUE_MAP_DESTINATION_MAX = 128
};

void value_map_name(const struct mackerel_destination *destination,
                    char text[static VALUE_MAP_DESTINATION_MAX]);

#endif
