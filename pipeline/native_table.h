/*
 * The facts of the native table: which metric feeds which group, what its attributes are called
 * (old and new names) and which of their values feed which component.
 *
 * One row per metric. A selector maps the value of an attribute to a component; a row without a
 * selector feeds one component. A selector that maps nothing marks a metric that the table could
 * use as an alternative but does not read.
 */
#ifndef PIPELINE_NATIVE_TABLE_H
#define PIPELINE_NATIVE_TABLE_H

#include "base/slice.h"
#include "pipeline/native_input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NATIVE_ALIASES = 4,
    NATIVE_CHOICES = 12
};

struct native_choice {
    const char *value; /* NULL ends the list */
    uint8_t component;
};

struct native_selector {
    const char
        *keys[NATIVE_ALIASES + 1]; /* the first that a point has counts; NULL ends */
    struct native_choice choices[NATIVE_CHOICES];
    bool has_other; /* values outside the list feed `other` */
    uint8_t other;
};

struct native_row {
    const char *metric;
    enum native_group group;
    enum native_reading reading;
    enum native_rank_of_source source;
    uint8_t component; /* without a selector */
    const struct native_selector *selector;
};

/* Which part of a device's text is its name. */
enum native_naming {
    NATIVE_BY_NAME,   /* all of it behind the prefix */
    NATIVE_BY_LETTER, /* of a drive: `C` of `C:`; others are left out */
};

/* Devices of a group as mackerel-agent names and leaves them out on a platform. */
struct native_device_rule {
    enum native_naming naming;
    const char *prefix;     /* others are left out; it is not part of the name */
    const char *ignored[2]; /* an ending `*` stands for any rest */
};

/* NULL when the metric is not in the table. */
const struct native_row *native_find(struct slice metric_name);

/* Does mackerel-agent have the group on that platform? */
bool native_has_group(enum native_platform platform, enum native_group group);

/* The attributes, ending with NULL, that tell what of a host a point is about: its device, its cpu. */
const char *const *native_unit_keys(enum native_group group);

bool native_has_devices(enum native_group group);
const struct native_device_rule *native_device_rule(enum native_platform platform,
                                                    enum native_group group);

#endif
