#include "exporter/service_registry.h"

#include "base/memory.h"
#include "proto/mackerel.h"

#include <stdio.h>
#include <stdlib.h>

enum state {
    STATE_SOUGHT,
    STATE_MISSING,
    STATE_KNOWN
};

enum {
    SEEK_FIRST_MS = 60 * 1000,
    SEEK_MAX_MS = 10 * 60 * 1000
};

struct service {
    uint64_t id;
    struct slice name; /* borrowed */
    enum state state;
    bool is_asked;    /* its creation is on its way */
    bool was_refused; /* in this round */
    bool is_listed;   /* in the list that is being read */
    unsigned rounds;  /* in vain, in a row */
    uint64_t due_ms;
    uint64_t lost_ms; /* when a post was last answered 404; 0: never */
    char problem[256];
};

struct service_registry {
    bool may_create;
    bool is_listing; /* the list is on its way */
    struct service *services;
    size_t count, capacity;
};

struct service_registry *service_registry_new(bool may_create)
{
    struct service_registry *registry = memory_new(1, sizeof(*registry));

    registry->may_create = may_create;
    return registry;
}

void service_registry_free(struct service_registry *registry)
{
    if (!registry)
        return;
    free(registry->services);
    free(registry);
}

static struct service *find(const struct service_registry *registry, uint64_t id)
{
    for (size_t i = 0; i < registry->count; i++)
        if (registry->services[i].id == id)
            return &registry->services[i];
    return NULL;
}

bool service_registry_seek(struct service_registry *registry, uint64_t id,
                           struct slice name, uint64_t now_ms)
{
    if (find(registry, id))
        return false;
    registry->services = memory_grow(registry->services, registry->count + 1,
                                     &registry->capacity, sizeof(registry->services[0]));
    registry->services[registry->count++] = (struct service){
        .id = id,
        .name = name,
        .due_ms = now_ms,
    };
    return true;
}

void service_registry_forget(struct service_registry *registry, uint64_t id)
{
    struct service *service = find(registry, id);

    if (service)
        *service = registry->services[--registry->count];
}

static void give_up_round(struct service *service, uint64_t now_ms)
{
    uint64_t pause = SEEK_MAX_MS;

    if (service->rounds < 4)
        pause = (uint64_t)SEEK_FIRST_MS << service->rounds;
    service->rounds++;
    service->state = STATE_SOUGHT;
    service->was_refused = false;
    service->due_ms = now_ms + (pause > SEEK_MAX_MS ? SEEK_MAX_MS : pause);
}

static void become_known(struct service *service)
{
    service->state = STATE_KNOWN;
    service->was_refused = false;
    service->rounds = 0;
    service->problem[0] = '\0';
}

void service_registry_restore(struct service_registry *registry, uint64_t id)
{
    struct service *service = find(registry, id);

    if (service)
        become_known(service);
}

/* ---- the list ---------------------------------------------------------------------------- */

static void note_listed(void *self, struct slice name)
{
    struct service_registry *registry = self;

    for (size_t i = 0; i < registry->count; i++)
        if (slice_equal(registry->services[i].name, name))
            registry->services[i].is_listed = true;
}

static void judge(const struct service_registry *registry, struct service *service,
                  uint64_t now_ms)
{
    if (service->state == STATE_KNOWN || service->is_asked)
        return;
    if (service->is_listed) {
        become_known(service);
        return;
    }
    if (registry->may_create && !service->was_refused) {
        service->state = STATE_MISSING;
        return;
    }
    if (service->due_ms > now_ms)
        return;
    if (!service->was_refused)
        snprintf(service->problem, sizeof(service->problem),
                 "no such service: create it in Mackerel, or set services.create: true");
    give_up_round(service, now_ms);
}

static void read_list(struct service_registry *registry, const struct api_answer *answer,
                      uint64_t now_ms)
{
    for (size_t i = 0; i < registry->count; i++)
        registry->services[i].is_listed = false;

    bool is_read = answer->status < 300 &&
                   mackerel_read_services(answer->body, note_listed, registry, NULL);

    for (size_t i = 0; i < registry->count; i++) {
        struct service *service = &registry->services[i];

        if (is_read) {
            judge(registry, service, now_ms);
            continue;
        }
        if (service->state != STATE_SOUGHT)
            continue;
        snprintf(service->problem, sizeof(service->problem),
                 "the list of services could not be read (status %d)", answer->status);
        give_up_round(service, now_ms);
    }
}

static bool read_creation(struct service *service, const struct api_answer *answer,
                          uint64_t now_ms)
{
    char why[160];

    if (answer->status < 300) {
        become_known(service);
        return true;
    }
    /* Refused, perhaps because it exists by now: the list decides. */
    if (!mackerel_read_error(answer->body, why, sizeof(why)))
        snprintf(why, sizeof(why), "status %d", answer->status);
    snprintf(service->problem, sizeof(service->problem), "Mackerel did not create it: %s",
             why);
    service->was_refused = true;
    service->state = STATE_SOUGHT;
    service->due_ms = now_ms;
    return false;
}

/* ---- questions and answers --------------------------------------------------------------- */

static bool ask_creation(struct service *service, struct api_request *request)
{
    service->is_asked = true;
    api_request_reset(request, API_CREATE_SERVICE, service->id);
    buffer_append_text(&request->path, "/api/v0/services");
    mackerel_write_service(&request->body, service->name);
    return true;
}

static bool ask_list(struct service_registry *registry, struct api_request *request)
{
    registry->is_listing = true;
    api_request_reset(request, API_SERVICES, 0);
    buffer_append_text(&request->path, "/api/v0/services");
    return true;
}

bool service_registry_next(struct service_registry *registry, uint64_t now_ms,
                           struct api_request *request)
{
    for (size_t i = 0; i < registry->count; i++) {
        struct service *service = &registry->services[i];

        if (service->is_asked || service->state == STATE_KNOWN ||
            service->due_ms > now_ms)
            continue;
        if (service->state == STATE_MISSING)
            return ask_creation(service, request);
        if (!registry->is_listing)
            return ask_list(registry, request);
    }
    return false;
}

bool service_registry_answer(struct service_registry *registry,
                             const struct api_request *request,
                             const struct api_answer *answer, uint64_t now_ms)
{
    struct service *service = find(registry, request->destination);

    if (request->endpoint == API_SERVICES) {
        registry->is_listing = false;
        read_list(registry, answer, now_ms);
        return false;
    }
    if (!service || !service->is_asked)
        return false;
    service->is_asked = false;
    return read_creation(service, answer, now_ms);
}

void service_registry_failed(struct service_registry *registry,
                             const struct api_request *request)
{
    struct service *service = find(registry, request->destination);

    if (request->endpoint == API_SERVICES)
        registry->is_listing = false;
    if (!service || request->endpoint != API_CREATE_SERVICE)
        return;
    service->is_asked = false;
    service->state = STATE_SOUGHT; /* it may have been created all the same */
}

bool service_registry_exists(const struct service_registry *registry, uint64_t id)
{
    const struct service *service = find(registry, id);

    return service && service->state == STATE_KNOWN;
}

void service_registry_lost(struct service_registry *registry, uint64_t id,
                           uint64_t now_ms)
{
    struct service *service = find(registry, id);

    if (!service || service->state != STATE_KNOWN)
        return;

    bool is_repeated = service->lost_ms && now_ms < service->lost_ms + SEEK_MAX_MS;

    service->lost_ms = now_ms;
    snprintf(service->problem, sizeof(service->problem),
             "Mackerel answers 404 to posts for this service");
    if (is_repeated) {
        give_up_round(service, now_ms);
        return;
    }
    service->state = STATE_SOUGHT;
    service->due_ms = now_ms;
}

bool service_registry_explain(const struct service_registry *registry, uint64_t id,
                              char *text, size_t size)
{
    const struct service *service = find(registry, id);

    if (!service || service->state == STATE_KNOWN || service->problem[0] == '\0')
        return false;
    snprintf(text, size, "%s", service->problem);
    return true;
}
