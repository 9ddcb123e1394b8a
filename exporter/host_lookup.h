/*
 * Reads what a look-up of hosts found. Pure.
 */
#ifndef EXPORTER_HOST_LOOKUP_H
#define EXPORTER_HOST_LOOKUP_H

#include "proto/mackerel.h"

#include <stddef.h>

enum host_lookup {
    HOST_LOOKUP_ONE,
    HOST_LOOKUP_NONE,
    HOST_LOOKUP_UNCLEAR
};

/* What a look-up came to: the id of the one host, or in words why there is none to be had. */
struct host_finding {
    char host_id[64];
    char problem[256];
};

/*
 * Counts the hosts of an answer that are not retired and, where `name` is not empty, have exactly
 * that name. UNCLEAR: several, or an answer that cannot be read; with a problem.
 */
enum host_lookup host_lookup_read(struct slice body, struct slice name,
                                  struct host_finding *finding);

#endif
