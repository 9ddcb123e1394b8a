#include "exporter/host_registry.h"

#include "base/memory.h"
#include "exporter/host.h"
#include "exporter/host_lookup.h"
#include "exporter/host_text.h"

#include <stdio.h>
#include <stdlib.h>

struct host_registry {
    struct host_registry_options options;
    struct host **hosts; /* in the order of ids */
    size_t count, capacity;
    uint64_t creations; /* creations that were tried and answered */
    bool is_creating;   /* one is on its way */
};

struct host_registry *host_registry_new(const struct host_registry_options *options)
{
    struct host_registry *registry = memory_new(1, sizeof(*registry));

    registry->options = *options;
    return registry;
}

void host_registry_free(struct host_registry *registry)
{
    if (!registry)
        return;
    for (size_t i = 0; i < registry->count; i++)
        free(registry->hosts[i]);
    free(registry->hosts);
    free(registry);
}

/* Position of the first host with an id of at least `id`. */
static size_t position(const struct host_registry *registry, uint64_t id)
{
    size_t low = 0, high = registry->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (registry->hosts[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct host *find(const struct host_registry *registry, uint64_t id)
{
    size_t at = position(registry, id);

    if (at == registry->count || registry->hosts[at]->id != id)
        return NULL;
    return registry->hosts[at];
}

/* ---- the search -------------------------------------------------------------------------- */

bool host_registry_seek(struct host_registry *registry, uint64_t id,
                        const struct mackerel_destination *destination, uint64_t now_ms)
{
    size_t at = position(registry, id);

    if (at < registry->count && registry->hosts[at]->id == id)
        return false;

    struct host *host = memory_new(1, sizeof(*host));

    host->id = id;
    host->destination = *destination;
    host->since_ms = now_ms;
    host_start_round(host, registry->creations, now_ms);
    registry->hosts = memory_grow(registry->hosts, registry->count + 1,
                                  &registry->capacity, sizeof(struct host *));
    memmove(registry->hosts + at + 1, registry->hosts + at,
            (registry->count - at) * sizeof(struct host *));
    registry->hosts[at] = host;
    registry->count++;
    return true;
}

void host_registry_restore(struct host_registry *registry, uint64_t id,
                           const struct outbox_host *known, struct instant now)
{
    struct host *host = find(registry, id);

    if (!host || host->is_known)
        return;
    snprintf(host->host_id, sizeof(host->host_id), "%s", known->host_id);
    host_settle(host, now.mono_ms);
    host->verify_ms = instant_mono_ms(now, known->verify_s);
    agent_watch_init(&host->watch, now.mono_ms);
    if (known->native != NATIVE_POST && known->native != NATIVE_AGENT_WRITES)
        return;
    host->watch.state = (enum native_state)known->native;
    host->watch.due_ms = instant_mono_ms(now, known->native_due_s);
}

void host_registry_export(const struct host_registry *registry, uint64_t id,
                          struct outbox_host *known, struct instant now)
{
    const struct host *host = find(registry, id);

    *known = (struct outbox_host){0};
    if (!host || !host->is_known)
        return;
    snprintf(known->host_id, sizeof(known->host_id), "%s", host->host_id);
    known->verify_s = instant_of_mono_s(now, host->verify_ms);
    known->native = host->watch.state;
    known->native_due_s = instant_of_mono_s(now, host->watch.due_ms);
}

void host_registry_forget(struct host_registry *registry, uint64_t id)
{
    struct host *host = find(registry, id);
    size_t at = position(registry, id);

    if (!host)
        return;
    if (host->is_asked && host->step == HOST_STEP_CREATE)
        registry->is_creating = false;
    free(host);
    registry->count--;
    memmove(registry->hosts + at, registry->hosts + at + 1,
            (registry->count - at) * sizeof(struct host *));
}

static bool may_create(const struct host_registry *registry, const struct host *host)
{
    const struct host_registry_options *options = &registry->options;

    if (options->create == HOST_CREATE_NEVER || host->destination.host_id.len)
        return false;
    if (options->create == HOST_CREATE_ANY)
        return true;
    for (size_t i = 0; i < options->listed_count; i++)
        if (slice_is(host->destination.name, options->listed[i]) ||
            slice_is(host->destination.custom_identifier, options->listed[i]))
            return true;
    return false;
}

static enum host_event none_found(const struct host_registry *registry, struct host *host,
                                  uint64_t now_ms)
{
    if (host->step == HOST_STEP_IDENTIFIER && host->destination.name.len) {
        host->step = HOST_STEP_NAME;
        return HOST_EVENT_NONE;
    }
    if (host->is_known) {
        host->is_known = false;
        host->since_ms = now_ms;
    }
    if (!host->was_refused && may_create(registry, host)) {
        host->step = HOST_STEP_CREATE;
        return HOST_EVENT_NONE;
    }
    if (!host->was_refused)
        snprintf(host->problem, sizeof(host->problem), "no such host");
    return host_give_up_round(host, registry->creations, now_ms);
}

/* A host that another identity already found shares what is known about its native writer. */
static void start_watch(const struct host_registry *registry, struct host *host,
                        uint64_t now_ms)
{
    agent_watch_init(&host->watch, now_ms);
    for (size_t i = 0; i < registry->count; i++) {
        const struct host *other = registry->hosts[i];

        if (other != host && other->is_known &&
            strcmp(other->host_id, host->host_id) == 0)
            host->watch = other->watch;
    }
}

static enum host_event found(const struct host_registry *registry, struct host *host,
                             const char *host_id, uint64_t now_ms)
{
    bool was_created = host->step == HOST_STEP_CREATE;
    bool is_another = strcmp(host->host_id, host_id) != 0;
    bool is_news = is_another || !host->is_known;

    snprintf(host->host_id, sizeof(host->host_id), "%s", host_id);
    host_settle(host, now_ms);
    if (is_another)
        start_watch(registry, host, now_ms);
    if (was_created)
        return HOST_EVENT_CREATED;
    return is_news ? HOST_EVENT_FOUND : HOST_EVENT_NONE;
}

static enum host_event read_lookup(const struct host_registry *registry,
                                   struct host *host, struct slice body, uint64_t now_ms)
{
    struct host_finding finding;
    struct slice name = {0};

    if (host->step == HOST_STEP_NAME)
        name = host->destination.name;
    switch (host_lookup_read(body, name, &finding)) {
    case HOST_LOOKUP_ONE: return found(registry, host, finding.host_id, now_ms);
    case HOST_LOOKUP_NONE: return none_found(registry, host, now_ms);
    case HOST_LOOKUP_UNCLEAR: break;
    }
    if (host->is_known) {
        host_settle(host, now_ms); /* a twin of it appeared: no reason to leave it */
        return HOST_EVENT_NONE;
    }
    snprintf(host->problem, sizeof(host->problem), "%s", finding.problem);
    return host_give_up_round(host, registry->creations, now_ms);
}

static enum host_event read_creation(struct host_registry *registry, struct host *host,
                                     const struct api_answer *answer, uint64_t now_ms)
{
    char host_id[sizeof(host->host_id)], why[200];

    registry->is_creating = false;
    registry->creations++;
    if (answer->status < 300 &&
        mackerel_read_id(answer->body, host_id, sizeof(host_id), NULL))
        return found(registry, host, host_id, now_ms);
    /* Refused, perhaps because another gateway was faster: look before judging. */
    host->was_refused = true;
    if (!mackerel_read_error(answer->body, why, sizeof(why)))
        snprintf(why, sizeof(why), "status %d", answer->status);
    snprintf(host->problem, sizeof(host->problem), "Mackerel did not create it: %s", why);
    host_start_round(host, registry->creations, now_ms);
    return HOST_EVENT_NONE;
}

/* ---- the native writer ------------------------------------------------------------------- */

static enum host_event read_latest(struct host *host, const struct api_answer *answer,
                                   struct instant now)
{
    enum native_state before = host->watch.state;
    uint64_t time_s = 0;

    if (answer->status == 404)
        host->verify_ms = now.mono_ms; /* the host is not there: is it another one now? */
    if (answer->status >= 300 ||
        !mackerel_read_latest_time(answer->body, &time_s, NULL)) {
        host->watch.due_ms = now.mono_ms + HOST_SEEK_FIRST_MS;
        return HOST_EVENT_NONE;
    }
    agent_watch_read(&host->watch, time_s, now);
    if (host->watch.state == before || host->watch.state == NATIVE_WAIT)
        return HOST_EVENT_NONE;
    return host->watch.state == NATIVE_AGENT_WRITES ? HOST_EVENT_AGENT_WRITES
                                                    : HOST_EVENT_AGENT_SILENT;
}

enum native_state host_registry_native(const struct host_registry *registry, uint64_t id)
{
    const struct host *host = find(registry, id);

    if (registry->options.native != NATIVE_MODE_AUTO)
        return registry->options.native == NATIVE_MODE_ON ? NATIVE_POST : NATIVE_OFF;
    return host && host->is_known ? host->watch.state : NATIVE_WAIT;
}

void host_registry_posted_load(struct host_registry *registry, uint64_t id,
                               uint64_t minute_s)
{
    const struct host *poster = find(registry, id);

    for (size_t i = 0; poster && i < registry->count; i++)
        if (strcmp(registry->hosts[i]->host_id, poster->host_id) == 0)
            agent_watch_posted(&registry->hosts[i]->watch, minute_s);
}

/* ---- questions and answers --------------------------------------------------------------- */

static bool is_to_be_watched(const struct host_registry *registry,
                             const struct host *host, uint64_t now_ms)
{
    return registry->options.native == NATIVE_MODE_AUTO && host->watch.due_ms <= now_ms;
}

static bool is_due(const struct host_registry *registry, const struct host *host,
                   uint64_t now_ms)
{
    if (host->is_asked)
        return false;
    if (host->step == HOST_STEP_KNOWN)
        return host->verify_ms <= now_ms || is_to_be_watched(registry, host, now_ms);
    return host->due_ms <= now_ms &&
           !(host->step == HOST_STEP_CREATE && registry->is_creating);
}

bool host_registry_next(struct host_registry *registry, uint64_t now_ms,
                        struct api_request *request)
{
    for (size_t i = 0; i < registry->count; i++) {
        struct host *host = registry->hosts[i];

        if (!is_due(registry, host, now_ms))
            continue;
        if (host->step == HOST_STEP_KNOWN && host->verify_ms <= now_ms)
            host_start_round(host, registry->creations, now_ms);
        if (host->step == HOST_STEP_CREATE && host->creations != registry->creations)
            host_start_round(host, registry->creations,
                             now_ms); /* somebody was created meanwhile */
        if (host->step == HOST_STEP_CREATE)
            registry->is_creating = true;
        host->is_asked = true;
        host_write_question(host, request);
        return true;
    }
    return false;
}

/* The host that waits for the answer to this question; NULL when it moved on meanwhile. */
static struct host *take_question(const struct host_registry *registry,
                                  const struct api_request *request)
{
    struct host *host = find(registry, request->destination);

    if (!host || !host->is_asked || host_endpoint(host) != request->endpoint)
        return NULL;
    host->is_asked = false;
    return host;
}

enum host_event host_registry_answer(struct host_registry *registry,
                                     const struct api_request *request,
                                     const struct api_answer *answer, struct instant now)
{
    struct host *host = take_question(registry, request);
    uint64_t now_ms = now.mono_ms;

    if (!host)
        return HOST_EVENT_NONE;
    switch (host->step) {
    case HOST_STEP_ID:
    case HOST_STEP_IDENTIFIER:
    case HOST_STEP_NAME:
        if (answer->status >= 300)
            return none_found(registry, host, now_ms);
        return read_lookup(registry, host, answer->body, now_ms);
    case HOST_STEP_CREATE: return read_creation(registry, host, answer, now_ms);
    case HOST_STEP_KNOWN: return read_latest(host, answer, now);
    }
    return HOST_EVENT_NONE;
}

void host_registry_failed(struct host_registry *registry,
                          const struct api_request *request)
{
    struct host *host = take_question(registry, request);

    if (!host || host->step != HOST_STEP_CREATE)
        return;
    /* It may have been created all the same. */
    registry->is_creating = false;
    registry->creations++;
    host_start_round(host, registry->creations, host->due_ms);
}

const char *host_registry_id(const struct host_registry *registry, uint64_t id)
{
    const struct host *host = find(registry, id);

    return host && host->is_known ? host->host_id : NULL;
}

void host_registry_lost(struct host_registry *registry, uint64_t id, uint64_t now_ms)
{
    struct host *host = find(registry, id);

    if (!host || !host->is_known)
        return;

    bool is_repeated = host->lost_ms && now_ms < host->lost_ms + HOST_SEEK_MAX_MS;

    host->lost_ms = now_ms;
    host->since_ms = now_ms;
    host->is_asked = host->is_known = false;
    snprintf(host->problem, sizeof(host->problem), "Mackerel refuses values for host %s",
             host->host_id);
    /* The look-up may go on finding what the post does not: do not spin between the two. */
    if (is_repeated)
        host_give_up_round(host, registry->creations, now_ms);
    else
        host_start_round(host, registry->creations, now_ms);
}

bool host_registry_doubt(struct host_registry *registry, uint64_t id, uint64_t now_ms)
{
    struct host *host = find(registry, id);

    if (!host || !host->is_known ||
        (host->doubt_ms && now_ms < host->doubt_ms + HOST_SEEK_MAX_MS))
        return false;
    host->doubt_ms = now_ms;
    host->is_asked = host->is_known = false;
    host_start_round(host, registry->creations, now_ms);
    return true;
}

bool host_registry_explain(const struct host_registry *registry, uint64_t id,
                           struct host_unknown *unknown)
{
    const struct host *host = find(registry, id);

    if (!host || !host->is_unknown)
        return false;
    unknown->id = id;
    unknown->since_ms = host->since_ms;
    snprintf(unknown->problem, sizeof(unknown->problem), "%s", host->problem);
    host_text_sought(&host->destination, unknown->sought, sizeof(unknown->sought));
    host_text_hint(&host->destination, registry->options.create != HOST_CREATE_NEVER,
                   unknown->hint, sizeof(unknown->hint));
    return true;
}
