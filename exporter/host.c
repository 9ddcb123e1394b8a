#include "exporter/host.h"

#include "exporter/host_text.h"

#include <assert.h>

void host_start_round(struct host *host, uint64_t creations, uint64_t due_ms)
{
    host->creations = creations;
    host->due_ms = due_ms;
    if (host->destination.host_id.len)
        host->step = HOST_STEP_ID;
    else if (host->destination.custom_identifier.len)
        host->step = HOST_STEP_IDENTIFIER;
    else
        host->step = HOST_STEP_NAME;
}

void host_settle(struct host *host, uint64_t now_ms)
{
    uint64_t spread_ms = host->id * 7919 * 1000 % HOST_VERIFY_SPREAD_MS;

    host->step = HOST_STEP_KNOWN;
    host->is_known = true;
    host->is_unknown = host->was_refused = false;
    host->rounds = 0;
    host->verify_ms = now_ms + HOST_VERIFY_MS + spread_ms;
}

enum host_event host_give_up_round(struct host *host, uint64_t creations, uint64_t now_ms)
{
    uint64_t pause = HOST_SEEK_MAX_MS;

    if (host->rounds < 4)
        pause = (uint64_t)HOST_SEEK_FIRST_MS << host->rounds;
    if (pause > HOST_SEEK_MAX_MS)
        pause = HOST_SEEK_MAX_MS;
    host->rounds++;
    host->is_unknown = true;
    host->is_known = false;
    host->was_refused = false;
    host_start_round(host, creations, now_ms + pause);
    return host->rounds == 1 ? HOST_EVENT_UNKNOWN : HOST_EVENT_STILL_UNKNOWN;
}

static const enum api_endpoint endpoints[] = {
    [HOST_STEP_ID] = API_HOST,      [HOST_STEP_IDENTIFIER] = API_HOST_BY_IDENTIFIER,
    [HOST_STEP_NAME] = API_HOSTS,   [HOST_STEP_CREATE] = API_CREATE_HOST,
    [HOST_STEP_KNOWN] = API_LATEST,
};

static_assert(sizeof(endpoints) / sizeof(endpoints[0]) == HOST_STEP_KNOWN + 1,
              "one per step");

enum api_endpoint host_endpoint(const struct host *host)
{
    return endpoints[host->step];
}

void host_write_question(const struct host *host, struct api_request *request)
{
    api_request_reset(request, endpoints[host->step], host->id);
    switch (host->step) {
    case HOST_STEP_ID:
        buffer_append_text(&request->path, "/api/v0/hosts/");
        api_append_encoded(&request->path, host->destination.host_id);
        return;
    case HOST_STEP_IDENTIFIER:
        buffer_append_text(&request->path, "/api/v0/hosts-by-custom-identifier/");
        api_append_encoded(&request->path, host->destination.custom_identifier);
        return;
    case HOST_STEP_NAME:
        buffer_append_text(&request->path, "/api/v0/hosts?name=");
        api_append_encoded(&request->path, host->destination.name);
        /* Without statuses the API leaves out hosts in maintenance and switched off. */
        buffer_append_text(
            &request->path,
            "&status=working&status=standby&status=maintenance&status=poweroff");
        return;
    case HOST_STEP_CREATE:
        buffer_append_text(&request->path, "/api/v0/hosts");
        host_text_write_creation(&request->body, &host->destination);
        return;
    case HOST_STEP_KNOWN:
        buffer_append_text(&request->path, "/api/v0/tsdb/latest?hostId=");
        api_append_encoded(&request->path, slice_of(host->host_id));
        buffer_append_text(&request->path, "&name=loadavg5");
        return;
    }
}
