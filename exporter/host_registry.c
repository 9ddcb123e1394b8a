#include "exporter/host_registry.h"

#include "base/memory.h"
#include "exporter/host_lookup.h"
#include "exporter/host_text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum step {
    STEP_ID,
    STEP_IDENTIFIER,
    STEP_NAME,
    STEP_CREATE,
    STEP_KNOWN
};

struct host {
    uint64_t id;
    struct mackerel_destination destination; /* borrowed */
    enum step step;
    bool is_asked;     /* a question is on its way */
    bool was_refused;  /* creation was answered with a refusal in this round */
    bool is_unknown;   /* sought at least once in vain */
    uint64_t due_ms;   /* when to ask the next question */
    uint64_t since_ms; /* when the search began */
    uint64_t
        lost_ms; /* when Mackerel last said that it does not know the host; 0: never */
    uint64_t creations; /* of the registry when this round of look-ups began */
    unsigned rounds;    /* look-ups in vain, in a row */
    char host_id[64];
    char problem[HOST_TEXT_MAX];
    struct agent_watch watch;
};

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

static void start_round(const struct host_registry *registry, struct host *host,
                        uint64_t due_ms)
{
    host->creations = registry->creations;
    host->due_ms = due_ms;
    if (host->destination.host_id.len)
        host->step = STEP_ID;
    else if (host->destination.custom_identifier.len)
        host->step = STEP_IDENTIFIER;
    else
        host->step = STEP_NAME;
}

void host_registry_seek(struct host_registry *registry, uint64_t id,
                        const struct mackerel_destination *destination, uint64_t now_ms)
{
    size_t at = position(registry, id);

    if (at < registry->count && registry->hosts[at]->id == id)
        return;

    struct host *host = memory_new(1, sizeof(*host));

    host->id = id;
    host->destination = *destination;
    host->since_ms = now_ms;
    start_round(registry, host, now_ms);
    registry->hosts = memory_grow(registry->hosts, registry->count + 1,
                                  &registry->capacity, sizeof(struct host *));
    memmove(registry->hosts + at + 1, registry->hosts + at,
            (registry->count - at) * sizeof(struct host *));
    registry->hosts[at] = host;
    registry->count++;
}

void host_registry_forget(struct host_registry *registry, uint64_t id)
{
    struct host *host = find(registry, id);
    size_t at = position(registry, id);

    if (!host)
        return;
    if (host->is_asked && host->step == STEP_CREATE)
        registry->is_creating = false;
    free(host);
    registry->count--;
    memmove(registry->hosts + at, registry->hosts + at + 1,
            (registry->count - at) * sizeof(struct host *));
}

static enum host_event give_up_round(const struct host_registry *registry,
                                     struct host *host, uint64_t now_ms)
{
    uint64_t pause = HOST_SEEK_MAX_MS;

    if (host->rounds < 4)
        pause = (uint64_t)HOST_SEEK_FIRST_MS << host->rounds;
    if (pause > HOST_SEEK_MAX_MS)
        pause = HOST_SEEK_MAX_MS;
    host->rounds++;
    host->is_unknown = true;
    host->was_refused = false;
    start_round(registry, host, now_ms + pause);
    return host->rounds == 1 ? HOST_EVENT_UNKNOWN : HOST_EVENT_STILL_UNKNOWN;
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
    if (host->step == STEP_IDENTIFIER && host->destination.name.len) {
        host->step = STEP_NAME;
        return HOST_EVENT_NONE;
    }
    if (!host->was_refused && may_create(registry, host)) {
        host->step = STEP_CREATE;
        return HOST_EVENT_NONE;
    }
    if (!host->was_refused)
        snprintf(host->problem, sizeof(host->problem), "no such host");
    return give_up_round(registry, host, now_ms);
}

/* A host that another identity already found shares what is known about its native writer. */
static void start_watch(const struct host_registry *registry, struct host *host,
                        uint64_t now_ms)
{
    agent_watch_init(&host->watch, now_ms);
    for (size_t i = 0; i < registry->count; i++) {
        const struct host *other = registry->hosts[i];

        if (other != host && other->step == STEP_KNOWN &&
            strcmp(other->host_id, host->host_id) == 0)
            host->watch = other->watch;
    }
}

static enum host_event found(const struct host_registry *registry, struct host *host,
                             const char *host_id, uint64_t now_ms)
{
    enum host_event event = host->step == STEP_CREATE ? HOST_EVENT_CREATED
                                                      : HOST_EVENT_FOUND;

    snprintf(host->host_id, sizeof(host->host_id), "%s", host_id);
    host->step = STEP_KNOWN;
    host->is_unknown = host->was_refused = false;
    host->rounds = 0;
    start_watch(registry, host, now_ms);
    return event;
}

static enum host_event read_lookup(const struct host_registry *registry,
                                   struct host *host, struct slice body, uint64_t now_ms)
{
    struct host_finding finding;
    struct slice name = {0};

    if (host->step == STEP_NAME)
        name = host->destination.name;
    switch (host_lookup_read(body, name, &finding)) {
    case HOST_LOOKUP_ONE: return found(registry, host, finding.host_id, now_ms);
    case HOST_LOOKUP_NONE: return none_found(registry, host, now_ms);
    case HOST_LOOKUP_UNCLEAR: break;
    }
    snprintf(host->problem, sizeof(host->problem), "%s", finding.problem);
    return give_up_round(registry, host, now_ms);
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
    start_round(registry, host, now_ms);
    return HOST_EVENT_NONE;
}

/* ---- the native writer ------------------------------------------------------------------- */

static enum host_event read_latest(struct host *host, const struct api_answer *answer,
                                   uint64_t now_ms)
{
    enum native_state before = host->watch.state;
    uint64_t time_s = 0;

    if (answer->status < 300 && !mackerel_read_latest_time(answer->body, &time_s, NULL)) {
        host->watch.due_ms = now_ms + HOST_SEEK_FIRST_MS;
        return HOST_EVENT_NONE;
    }
    agent_watch_read(&host->watch, time_s, now_ms);
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
    return host && host->step == STEP_KNOWN ? host->watch.state : NATIVE_WAIT;
}

void host_registry_posted_load(struct host_registry *registry, uint64_t id,
                               uint64_t now_ms)
{
    const struct host *poster = find(registry, id);

    for (size_t i = 0; poster && i < registry->count; i++)
        if (strcmp(registry->hosts[i]->host_id, poster->host_id) == 0)
            agent_watch_posted(&registry->hosts[i]->watch, now_ms);
}

/* ---- questions and answers --------------------------------------------------------------- */

static bool is_due(const struct host_registry *registry, const struct host *host,
                   uint64_t now_ms)
{
    if (host->is_asked)
        return false;
    if (host->step == STEP_KNOWN)
        return registry->options.native == NATIVE_MODE_AUTO &&
               agent_watch_due_ms(&host->watch) <= now_ms;
    return host->due_ms <= now_ms &&
           !(host->step == STEP_CREATE && registry->is_creating);
}

static const enum api_endpoint endpoints[] = {
    [STEP_ID] = API_HOST,      [STEP_IDENTIFIER] = API_HOST_BY_IDENTIFIER,
    [STEP_NAME] = API_HOSTS,   [STEP_CREATE] = API_CREATE_HOST,
    [STEP_KNOWN] = API_LATEST,
};

static_assert(sizeof(endpoints) / sizeof(endpoints[0]) == STEP_KNOWN + 1, "one per step");

static void write_question(const struct host *host, struct api_request *request)
{
    api_request_reset(request, endpoints[host->step], host->id);
    switch (host->step) {
    case STEP_ID:
        buffer_append_text(&request->path, "/api/v0/hosts/");
        api_append_encoded(&request->path, host->destination.host_id);
        return;
    case STEP_IDENTIFIER:
        buffer_append_text(&request->path, "/api/v0/hosts-by-custom-identifier/");
        api_append_encoded(&request->path, host->destination.custom_identifier);
        return;
    case STEP_NAME:
        buffer_append_text(&request->path, "/api/v0/hosts?name=");
        api_append_encoded(&request->path, host->destination.name);
        /* Without statuses the API leaves out hosts in maintenance and switched off. */
        buffer_append_text(
            &request->path,
            "&status=working&status=standby&status=maintenance&status=poweroff");
        return;
    case STEP_CREATE:
        buffer_append_text(&request->path, "/api/v0/hosts");
        host_text_write_creation(&request->body, &host->destination);
        return;
    case STEP_KNOWN:
        buffer_append_text(&request->path, "/api/v0/tsdb/latest?hostId=");
        api_append_encoded(&request->path, slice_of(host->host_id));
        buffer_append_text(&request->path, "&name=loadavg5");
        return;
    }
}

bool host_registry_next(struct host_registry *registry, uint64_t now_ms,
                        struct api_request *request)
{
    for (size_t i = 0; i < registry->count; i++) {
        struct host *host = registry->hosts[i];

        if (!is_due(registry, host, now_ms))
            continue;
        if (host->step == STEP_CREATE && host->creations != registry->creations)
            start_round(registry, host, now_ms); /* somebody was created meanwhile */
        if (host->step == STEP_CREATE)
            registry->is_creating = true;
        host->is_asked = true;
        write_question(host, request);
        return true;
    }
    return false;
}

/* The host that waits for the answer to this question; NULL when it moved on meanwhile. */
static struct host *take_question(const struct host_registry *registry,
                                  const struct api_request *request)
{
    struct host *host = find(registry, request->destination);

    if (!host || !host->is_asked || endpoints[host->step] != request->endpoint)
        return NULL;
    host->is_asked = false;
    return host;
}

enum host_event host_registry_answer(struct host_registry *registry,
                                     const struct api_request *request,
                                     const struct api_answer *answer, uint64_t now_ms)
{
    struct host *host = take_question(registry, request);

    if (!host)
        return HOST_EVENT_NONE;
    switch (host->step) {
    case STEP_ID:
    case STEP_IDENTIFIER:
    case STEP_NAME:
        if (answer->status >= 300)
            return none_found(registry, host, now_ms);
        return read_lookup(registry, host, answer->body, now_ms);
    case STEP_CREATE: return read_creation(registry, host, answer, now_ms);
    case STEP_KNOWN: return read_latest(host, answer, now_ms);
    }
    return HOST_EVENT_NONE;
}

void host_registry_failed(struct host_registry *registry,
                          const struct api_request *request)
{
    struct host *host = take_question(registry, request);

    if (!host || host->step != STEP_CREATE)
        return;
    /* It may have been created all the same. */
    registry->is_creating = false;
    registry->creations++;
    start_round(registry, host, host->due_ms);
}

const char *host_registry_id(const struct host_registry *registry, uint64_t id)
{
    const struct host *host = find(registry, id);

    return host && host->step == STEP_KNOWN ? host->host_id : NULL;
}

void host_registry_lost(struct host_registry *registry, uint64_t id, uint64_t now_ms)
{
    struct host *host = find(registry, id);

    if (!host || host->step != STEP_KNOWN)
        return;

    bool is_repeated = host->lost_ms && now_ms < host->lost_ms + HOST_SEEK_MAX_MS;

    host->lost_ms = now_ms;
    host->since_ms = now_ms;
    host->is_asked = false;
    snprintf(host->problem, sizeof(host->problem), "Mackerel refuses values for host %s",
             host->host_id);
    /* The look-up may go on finding what the post does not: do not spin between the two. */
    if (is_repeated)
        give_up_round(registry, host, now_ms);
    else
        start_round(registry, host, now_ms);
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
