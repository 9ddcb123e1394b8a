/*
 * The hosts that values are for: from the identity that telemetry carries to the id of a host in
 * Mackerel, and whether native values may be posted there.
 *
 * A host is sought by Mackerel host id if the identity has one, else by custom identifier, else, or
 * where no host has that identifier, by name: exactly one host of that name that is not retired, in
 * any status. (Hosts made by mackerel-agent mostly have no identifier.) While none or several are
 * found the identity is unknown: its values wait, it is sought again after 60 s, doubling to 10 min.
 * A host that was found is looked up again about every hour, and goes on being posted to meanwhile:
 * it may have been retired, or the identity may belong to another host by now.
 *
 * A host costs money and cannot be taken back, so one is created only where the configuration says
 * so, after a look-up found nothing, one creation at a time; whoever waited for its turn looks up
 * again first, and so does whoever does not know whether a creation took effect.
 *
 * Pure: host_registry_next() says what to ask, host_registry_answer() takes the answer. Times are
 * monotonic milliseconds. Texts of destinations are borrowed until host_registry_forget().
 * Source: Mackerel API documentation, "Hosts". Thread: delivery.
 */
#ifndef EXPORTER_HOST_REGISTRY_H
#define EXPORTER_HOST_REGISTRY_H

#include "exporter/agent_watch.h"
#include "exporter/api.h"
#include "exporter/host_event.h"
#include "exporter/outbox_item.h"
#include "proto/mackerel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum host_create {
    HOST_CREATE_NEVER,
    HOST_CREATE_LISTED,
    HOST_CREATE_ANY
};

enum native_mode {
    NATIVE_MODE_AUTO,
    NATIVE_MODE_ON,
    NATIVE_MODE_OFF
};

struct host_registry_options {
    enum host_create create;
    const char *const
        *listed; /* names and custom identifiers that may be created; borrowed */
    size_t listed_count;
    enum native_mode native;
};

struct host_registry;

struct host_registry *host_registry_new(const struct host_registry_options *options);
void host_registry_free(struct host_registry *registry);

/* Seeks the host of a destination (an id of the outbox) from now on; known ids are left alone. True
 * when it was new. */
bool host_registry_seek(struct host_registry *registry, uint64_t id,
                        const struct mackerel_destination *destination, uint64_t now_ms);
void host_registry_forget(struct host_registry *registry, uint64_t id);

/* After seek: an earlier process found this host. It is posted to at once, and looked up again and
 * watched when that was due anyway. */
void host_registry_restore(struct host_registry *registry, uint64_t id,
                           const struct outbox_host *known, struct instant now);
/* What a later process may want to know; host_id is empty while the host is not known. */
void host_registry_export(const struct host_registry *registry, uint64_t id,
                          struct outbox_host *known, struct instant now);

/* Writes the next question and marks it as asked; false when there is none now. */
bool host_registry_next(struct host_registry *registry, uint64_t now_ms,
                        struct api_request *request);

/* A final answer to a question: 2xx or a 4xx that is not about the key or the pace. */
enum host_event host_registry_answer(struct host_registry *registry,
                                     const struct api_request *request,
                                     const struct api_answer *answer, struct instant now);

/* No answer, or none that says anything: ask again once the caller sends anything again. */
void host_registry_failed(struct host_registry *registry,
                          const struct api_request *request);

/* The host's id in Mackerel; NULL while it is not known. */
const char *host_registry_id(const struct host_registry *registry, uint64_t id);

enum native_state host_registry_native(const struct host_registry *registry, uint64_t id);

/* Mackerel does not know this host any more: seek it again. */
void host_registry_lost(struct host_registry *registry, uint64_t id, uint64_t now_ms);

/*
 * Mackerel refuses everything for this host, perhaps because it was retired: look it up before the
 * values are blamed. False when that was done in the last 10 min.
 */
bool host_registry_doubt(struct host_registry *registry, uint64_t id, uint64_t now_ms);

/* We send loadavg5 of that minute of this destination's host; to be told before it leaves. */
void host_registry_posted_load(struct host_registry *registry, uint64_t id,
                               uint64_t minute_s);

struct host_unknown {
    uint64_t id;
    uint64_t since_ms;
    char sought[HOST_TEXT_MAX];  /* the identity in words */
    char problem[HOST_TEXT_MAX]; /* what the look-up found */
    char hint[HOST_TEXT_MAX];    /* the one line that fixes it */
};

/* Describes a destination whose host was sought and not found; false for all others. */
bool host_registry_explain(const struct host_registry *registry, uint64_t id,
                           struct host_unknown *unknown);

#endif
