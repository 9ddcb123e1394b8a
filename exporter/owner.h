/*
 * Who writes a metric of a host. Two identities (a custom identifier and a name, say) may resolve
 * to one host of Mackerel; if both wrote the same name, each minute would hold whichever came last.
 * The first that posts a name owns it, until it has said nothing for OWNER_ALIVE_S of minutes.
 * Pure; keeps 128-bit hashes, not texts.
 */
#ifndef EXPORTER_OWNER_H
#define EXPORTER_OWNER_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer than any sender's interval (5 min) and the time a stream of it counts as alive. */
enum {
    OWNER_ALIVE_S = 10 * 60
};

struct owner;

struct owner_table {
    struct owner *owners; /* open addressing; `destination` 0: free */
    size_t count, size;
};

/* True when `destination` owns the name on that host, or owns it from this minute on. */
bool owner_claim(struct owner_table *table, struct slice host_id, struct slice name,
                 uint64_t destination, uint64_t minute_s);

/* Forgets owners that posted nothing since `since_s`. */
void owner_prune(struct owner_table *table, uint64_t since_s);
void owner_table_release(struct owner_table *table);

#endif
