#include "tests/sim/fake_api.h"

#include "base/memory.h"
#include "proto/json_reader.h"
#include "tests/sim/chance.h"

#include <curl/curl.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CLIENT_GIVES_UP_MS = 30000,
    LATE_MS = 30000,
    MAX_AGE_S = 24 * 3600,
    NARROW_BYTES = 2000,
};

static const uint64_t NEVER_NS = UINT64_MAX;
static const uint64_t MS_NS = 1000000, S_NS = 1000000000;

struct plan {
    uint64_t from_ns;
    enum api_mood mood;
};

/* A request that will take effect. */
struct effect {
    uint64_t at_ns;
    char destination[VALUE_MAP_DESTINATION_MAX]; /* empty: each value names its host */
    struct buffer body;
};

struct fake_api {
    struct fake_api_options options;
    struct chance chance;
    char **hosts, **services;
    size_t host_count, host_room, service_count, service_room;
    struct plan *plans;
    size_t plan_count, plan_room;
    struct effect *effects;
    size_t effect_count, effect_room;
    struct value_map values;
    struct fake_api_stats stats;
};

/* What becomes of a request that is in order. */
struct outcome {
    int status; /* 0: `curl` */
    CURLcode curl;
    uint64_t answer_ms, effect_ms; /* UINT64_MAX: never */
    bool had_bytes, was_reused;
    const char *retry_after;
};

/* ---- life -------------------------------------------------------------------------------- */

struct fake_api *fake_api_new(const struct fake_api_options *options)
{
    struct fake_api *api = memory_new(1, sizeof(*api));

    api->options = *options;
    api->chance = chance_of(options->seed);
    return api;
}

void fake_api_free(struct fake_api *api)
{
    if (!api)
        return;
    for (size_t i = 0; i < api->host_count; i++)
        free(api->hosts[i]);
    for (size_t i = 0; i < api->service_count; i++)
        free(api->services[i]);
    for (size_t i = 0; i < api->effect_count; i++)
        buffer_release(&api->effects[i].body);
    free(api->hosts);
    free(api->services);
    free(api->plans);
    free(api->effects);
    value_map_release(&api->values);
    free(api);
}

void fake_api_add_host(struct fake_api *api, const char *name)
{
    api->hosts = memory_grow(api->hosts, api->host_count + 1, &api->host_room,
                             sizeof(*api->hosts));
    api->hosts[api->host_count++] = memory_copy(slice_of(name));
}

void fake_api_add_service(struct fake_api *api, const char *name)
{
    api->services = memory_grow(api->services, api->service_count + 1, &api->service_room,
                                sizeof(*api->services));
    api->services[api->service_count++] = memory_copy(slice_of(name));
}

void fake_api_plan(struct fake_api *api, uint64_t from_ns, enum api_mood mood)
{
    api->plans = memory_grow(api->plans, api->plan_count + 1, &api->plan_room,
                             sizeof(*api->plans));
    api->plans[api->plan_count++] = (struct plan){from_ns, mood};
}

static enum api_mood mood_at(const struct fake_api *api, uint64_t now_ns)
{
    enum api_mood mood = API_WELL;

    for (size_t i = 0; i < api->plan_count && api->plans[i].from_ns <= now_ns; i++)
        mood = api->plans[i].mood;
    return mood;
}

/* ---- values ------------------------------------------------------------------------------ */

struct posted {
    struct slice host_id, name;
    double time_s, value;
};

static bool read_posted(struct json_reader *reader, struct posted *posted)
{
    struct slice key;

    *posted = (struct posted){0};
    if (!json_reader_enter(reader))
        return false;
    while (json_reader_next(reader, &key)) {
        bool ok = false;

        if (slice_is(key, "hostId"))
            ok = json_reader_string(reader, &posted->host_id);
        else if (slice_is(key, "name"))
            ok = json_reader_string(reader, &posted->name);
        else if (slice_is(key, "time"))
            ok = json_reader_number(reader, &posted->time_s);
        else if (slice_is(key, "value"))
            ok = json_reader_number(reader, &posted->value);
        if (!ok)
            return false;
    }
    return posted->name.len && posted->time_s > 0;
}

static bool is_poison(struct slice name)
{
    static const char word[] = "poison";

    for (size_t i = 0; i + sizeof(word) - 1 <= name.len; i++)
        if (memcmp(name.ptr + i, word, sizeof(word) - 1) == 0)
            return true;
    return false;
}

enum body_state {
    BODY_GOOD,
    BODY_POISONED,
    BODY_MALFORMED
};

/* Looks at all values; with `at_ns` they are taken, up to the first poisoned one. */
static enum body_state walk(struct fake_api *api, const struct effect *effect, bool takes)
{
    struct json_reader reader;
    struct slice key;
    struct posted posted;
    char destination[VALUE_MAP_DESTINATION_MAX];

    json_reader_init(&reader, buffer_slice(&effect->body));
    if (!json_reader_enter(&reader))
        return BODY_MALFORMED;
    while (json_reader_next(&reader, &key)) {
        uint64_t minute_s;

        if (!read_posted(&reader, &posted))
            return BODY_MALFORMED;
        if (is_poison(posted.name))
            return BODY_POISONED;
        if (!takes)
            continue;
        minute_s = (uint64_t)posted.time_s;
        if (minute_s + MAX_AGE_S < effect->at_ns / S_NS) {
            api->stats.ignored++;
            continue;
        }
        if (effect->destination[0])
            snprintf(destination, sizeof(destination), "%s", effect->destination);
        else /* ids are "id-" and the name */
            snprintf(destination, sizeof(destination), "host %.*s",
                     (int)posted.host_id.len - 3, posted.host_id.ptr + 3);
        value_map_put(&api->values, destination, posted.name, minute_s, posted.value)
            ->written_ns = effect->at_ns;
        api->stats.values++;
    }
    return json_reader_end(&reader) ? BODY_GOOD : BODY_MALFORMED;
}

static size_t find_next(const struct fake_api *api)
{
    size_t next = 0;

    for (size_t i = 1; i < api->effect_count; i++)
        if (api->effects[i].at_ns < api->effects[next].at_ns)
            next = i;
    return next;
}

uint64_t fake_api_next_ns(const struct fake_api *api)
{
    return api->effect_count ? api->effects[find_next(api)].at_ns : UINT64_MAX;
}

void fake_api_settle(struct fake_api *api, uint64_t now_ns)
{
    while (fake_api_next_ns(api) <= now_ns) {
        size_t next = find_next(api);
        struct effect effect = api->effects[next];

        api->effects[next] = api->effects[--api->effect_count];
        walk(api, &effect, true);
        buffer_release(&effect.body);
    }
}

static void schedule(struct fake_api *api, const struct effect *effect)
{
    api->effects = memory_grow(api->effects, api->effect_count + 1, &api->effect_room,
                               sizeof(*api->effects));
    api->effects[api->effect_count++] = *effect;
}

/* ---- moods ------------------------------------------------------------------------------- */

static struct outcome succeed(struct fake_api *api)
{
    uint64_t answer_ms = chance_between(&api->chance, 5, 500);

    return (struct outcome){
        .status = 200,
        .answer_ms = answer_ms,
        .effect_ms = answer_ms / 2,
    };
}

static struct outcome fail_with(struct fake_api *api, int status)
{
    return (struct outcome){
        .status = status,
        .answer_ms = chance_between(&api->chance, 5, 2000),
        .effect_ms = UINT64_MAX,
    };
}

/* No answer: the request was lost, or its answer, or it is slow. */
static struct outcome time_out(struct fake_api *api)
{
    struct outcome outcome = {
        .curl = CURLE_OPERATION_TIMEDOUT,
        .answer_ms = CLIENT_GIVES_UP_MS,
        .effect_ms = UINT64_MAX,
    };

    if (chance_one_in(&api->chance, 3))
        outcome.effect_ms = chance_below(&api->chance, CLIENT_GIVES_UP_MS);
    else if (chance_one_in(&api->chance, 2))
        outcome.effect_ms = CLIENT_GIVES_UP_MS + chance_below(&api->chance, LATE_MS);
    return outcome;
}

static struct outcome reset(struct fake_api *api)
{
    struct outcome outcome = {
        .curl = chance_one_in(&api->chance, 2) ? CURLE_RECV_ERROR : CURLE_GOT_NOTHING,
        .answer_ms = chance_below(&api->chance, 3000),
        .effect_ms = UINT64_MAX,
        .was_reused = chance_one_in(&api->chance, 2),
    };

    if (chance_one_in(&api->chance, 2))
        outcome.effect_ms = chance_below(&api->chance, CLIENT_GIVES_UP_MS + LATE_MS);
    return outcome;
}

static struct outcome gateway_fails(struct fake_api *api)
{
    struct outcome outcome = fail_with(api, chance_one_in(&api->chance, 2) ? 502 : 504);

    if (chance_one_in(&api->chance, 2))
        outcome.effect_ms = chance_below(&api->chance, CLIENT_GIVES_UP_MS);
    return outcome;
}

/* 500, sometimes after everything was done. */
static struct outcome fail_after_all(struct fake_api *api)
{
    struct outcome outcome = fail_with(api, 500);

    if (chance_one_in(&api->chance, 2))
        outcome.effect_ms = outcome.answer_ms / 2;
    return outcome;
}

static struct outcome shake(struct fake_api *api)
{
    switch (chance_below(&api->chance, 10)) {
    case 0: return fail_after_all(api);
    case 1: return fail_with(api, 503);
    case 2: return gateway_fails(api);
    case 3: return time_out(api);
    case 4: return reset(api);
    case 5: return fail_with(api, 429);
    default: return succeed(api);
    }
}

static struct outcome refuse_connection(struct fake_api *api)
{
    return (struct outcome){
        .curl = CURLE_COULDNT_CONNECT,
        .answer_ms = chance_below(&api->chance, 100),
        .effect_ms = UINT64_MAX,
    };
}

static struct outcome be_busy(struct fake_api *api)
{
    struct outcome outcome = fail_with(api, 429);

    if (chance_one_in(&api->chance, 2))
        outcome.retry_after = "20";
    return outcome;
}

static struct outcome decide(struct fake_api *api, enum api_mood mood, size_t body_bytes)
{
    switch (mood) {
    case API_WELL: break;
    case API_SHAKY: return shake(api);
    case API_UNREACHABLE: return refuse_connection(api);
    case API_SILENT: return time_out(api);
    case API_DOWN: return fail_with(api, 503);
    case API_KEYLESS: return fail_with(api, 401);
    case API_BUSY: return be_busy(api);
    case API_LOST: return fail_with(api, 404);
    case API_NARROW:
        if (body_bytes > NARROW_BYTES)
            return fail_with(api, 413);
        break;
    }
    return succeed(api);
}

/* ---- answering --------------------------------------------------------------------------- */

static bool is_listed(char *const *names, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(name, names[i]))
            return true;
    return false;
}

static void list_services(const struct fake_api *api, struct buffer *body)
{
    buffer_append_text(body, "{\"services\":[");
    for (size_t i = 0; i < api->service_count; i++)
        buffer_printf(body, "%s{\"name\":\"%s\",\"memo\":\"\",\"roles\":[]}",
                      i ? "," : "", api->services[i]);
    buffer_append_text(body, "]}");
}

/* GET /api/v0/hosts?name=NAME&...: names of the simulation need no decoding. */
static void list_hosts(const struct fake_api *api, const struct api_request *request,
                       struct buffer *body)
{
    static const char prefix[] = "/api/v0/hosts?name=";
    struct slice name = buffer_slice(&request->path);
    const char *end;

    buffer_append_text(body, "{\"hosts\":[");
    if (slice_starts_with(name, prefix)) {
        name.ptr += sizeof(prefix) - 1;
        name.len -= sizeof(prefix) - 1;
        end = memchr(name.ptr, '&', name.len);
        if (end)
            name.len = (size_t)(end - name.ptr);
        if (is_listed(api->hosts, api->host_count, name))
            buffer_printf(body,
                          "{\"id\":\"id-%.*s\",\"name\":\"%.*s\",\"status\":\"working\"}",
                          SLICE_ARG(name), SLICE_ARG(name));
    }
    buffer_append_text(body, "]}");
}

/* The service in /api/v0/services/NAME/tsdb. */
static bool read_service(const struct api_request *request,
                         char text[static VALUE_MAP_DESTINATION_MAX])
{
    static const char prefix[] = "/api/v0/services/", suffix[] = "/tsdb";
    struct slice path = buffer_slice(&request->path);
    size_t around = sizeof(prefix) - 1 + sizeof(suffix) - 1;

    if (!slice_starts_with(path, prefix) || path.len <= around)
        return false;
    snprintf(text, VALUE_MAP_DESTINATION_MAX, "service %.*s", (int)(path.len - around),
             path.ptr + sizeof(prefix) - 1);
    return true;
}

/* Values: 400 for poison, 404 for a service that is not there; else they take effect in time. */
static int take_values(struct fake_api *api, const struct api_request *request,
                       uint64_t at_ns)
{
    struct effect effect = {.at_ns = at_ns};
    enum body_state state;

    api->stats.posts++;
    if (request->endpoint == API_SERVICE_TSDB &&
        (!read_service(request, effect.destination) ||
         !is_listed(api->services, api->service_count,
                    slice_of(effect.destination + sizeof("service")))))
        return 404;
    buffer_append(&effect.body, buffer_slice(&request->body));
    state = walk(api, &effect, false);
    api->stats.malformed += state == BODY_MALFORMED;
    api->stats.poisoned += state == BODY_POISONED;
    if (at_ns == NEVER_NS || (state != BODY_GOOD && !api->options.takes_in_part))
        buffer_release(&effect.body);
    else
        schedule(api, &effect);
    return state == BODY_GOOD ? 200 : 400;
}

static int answer(struct fake_api *api, const struct api_request *request,
                  uint64_t effect_ns, struct buffer *body)
{
    switch (request->endpoint) {
    case API_HOST_TSDB:
    case API_SERVICE_TSDB:
        buffer_append_text(body, "{\"success\":true}");
        return take_values(api, request, effect_ns);
    case API_HOSTS: list_hosts(api, request, body); return 200;
    case API_CREATE_GRAPHS: buffer_append_text(body, "{\"success\":true}"); return 200;
    case API_LATEST: buffer_append_text(body, "{\"tsdbLatest\":{}}"); return 200;
    case API_SERVICES: list_services(api, body); return 200;
    case API_HOST:
    case API_HOST_BY_IDENTIFIER:
    case API_CREATE_HOST:
    case API_CREATE_SERVICE: break;
    }
    return 404;
}

void fake_api_take(struct fake_api *api, const struct api_request *request,
                   uint64_t now_ns, struct fake_reply *reply)
{
    struct outcome outcome = decide(api, mood_at(api, now_ns), request->body.len);
    uint64_t effect_ns = NEVER_NS;
    int status = 200;

    *reply = (struct fake_reply){.at_ns = now_ns + outcome.answer_ms * MS_NS};
    api->stats.requests++;
    if (outcome.effect_ms != UINT64_MAX)
        effect_ns = now_ns + outcome.effect_ms * MS_NS;
    if (outcome.effect_ms != UINT64_MAX || outcome.status == 200)
        status = answer(api, request, effect_ns, &reply->body);
    if (outcome.status == 200)
        outcome.status = status;
    if (outcome.status != 200)
        buffer_reset(&reply->body);
    if (outcome.status >= 300)
        buffer_append_text(&reply->body, "{\"error\":{\"message\":\"simulated\"}}");
    api->stats.late += effect_ns != NEVER_NS && effect_ns > reply->at_ns;
    api->stats.silent += outcome.status == 0;
    api->stats.refused[outcome.status >= 300 ? outcome.status : 0]++;
    reply->answer = (struct api_answer){
        .curl = (int)outcome.curl,
        .status = outcome.status,
        .had_bytes = outcome.had_bytes,
        .was_reused = outcome.was_reused,
        .body = buffer_slice(&reply->body),
        .retry_after = outcome.retry_after,
        .error = outcome.curl ? "simulated" : NULL,
    };
}

void fake_api_cut(struct fake_api *api, uint64_t now_ns)
{
    for (size_t i = 0; i < api->effect_count; i++)
        if (api->effects[i].at_ns < now_ns + LATE_MS * MS_NS &&
            chance_one_in(&api->chance, 2))
            api->effects[i].at_ns = now_ns + chance_below(&api->chance, LATE_MS) * MS_NS;
}

void fake_reply_release(struct fake_reply *reply)
{
    buffer_release(&reply->body);
}

const struct value_map *fake_api_values(const struct fake_api *api)
{
    return &api->values;
}

const struct fake_api_stats *fake_api_stats(const struct fake_api *api)
{
    return &api->stats;
}
