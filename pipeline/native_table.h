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
#include "pipeline/native_group.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NATIVE_ALIASES = 3,
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
    bool is_total;
    uint8_t component; /* without a selector */
    const struct native_selector *selector;
};

/* Devices of a group as mackerel-agent names and leaves them out. */
struct native_device_rule {
    const char *keys[NATIVE_ALIASES + 1]; /* no keys: the group has no devices */
    const char *prefix;     /* others are left out; it is not part of the name */
    const char *ignored[2]; /* an ending `*` stands for any rest */
};

/* NULL when the metric is not in the table. */
const struct native_row *native_find(struct slice metric_name);
const struct native_device_rule *native_device_rule(enum native_group group);

#endif
