#include "base/utf8.h"
#include "proto/json_reader.h"
#include "proto/mackerel.h"

static bool refuse(struct error *err, const char *what)
{
    return FAIL(err, ERROR_INVALID, "the answer of Mackerel is not %s", what);
}

/*
 * Decodes the string that comes next into `to`. What does not fit, or holds a zero byte, becomes
 * empty: a name that was cut would be another name. null is empty too.
 */
static bool read_text(struct json_reader *reader, char *to, size_t size)
{
    struct buffer text = {0};
    struct slice raw;

    to[0] = '\0';
    if (json_reader_peek(reader) == JSON_NULL)
        return json_reader_skip(reader);
    if (!json_reader_string(reader, &raw))
        return false;
    json_unescape(raw, &text);
    if (text.len && text.len < size && !memchr(text.ptr, '\0', text.len)) {
        memcpy(to, text.ptr, text.len);
        to[text.len] = '\0';
    }
    buffer_release(&text);
    return true;
}

static bool read_host(struct json_reader *reader, struct mackerel_host *host)
{
    struct slice key;
    bool ok = json_reader_enter(reader);

    *host = (struct mackerel_host){0};
    while (ok && json_reader_next(reader, &key)) {
        if (slice_is(key, "id"))
            ok = read_text(reader, host->id, sizeof host->id);
        else if (slice_is(key, "name"))
            ok = read_text(reader, host->name, sizeof host->name);
        else if (slice_is(key, "status"))
            ok = read_text(reader, host->status, sizeof host->status);
        else if (slice_is(key, "isRetired"))
            ok = json_reader_bool(reader, &host->is_retired);
        else
            ok = json_reader_skip(reader);
    }
    return ok && !reader->broken && host->id[0];
}

struct host_list {
    struct mackerel_host *hosts;
    size_t max, count;
};

static bool add_host(struct json_reader *reader, struct host_list *list)
{
    struct mackerel_host host;

    if (!read_host(reader, &host))
        return false;
    if (list->count < list->max)
        list->hosts[list->count] = host;
    list->count++;
    return true;
}

static bool add_hosts(struct json_reader *reader, struct host_list *list)
{
    struct slice no_key;
    bool ok = json_reader_peek(reader) == JSON_ARRAY && json_reader_enter(reader);

    while (ok && json_reader_next(reader, &no_key))
        ok = add_host(reader, list);
    return ok;
}

bool mackerel_read_hosts(struct slice json, struct mackerel_host *hosts, size_t max,
                         size_t *count, struct error *err)
{
    struct json_reader reader;
    struct host_list list = {hosts, max, 0};
    struct slice key;
    bool found = false;

    json_reader_init(&reader, json);

    bool ok = json_reader_enter(&reader);

    while (ok && json_reader_next(&reader, &key)) {
        bool many = slice_is(key, "hosts"), one = slice_is(key, "host");

        found = found || many || one;
        ok = many  ? add_hosts(&reader, &list)
             : one ? add_host(&reader, &list)
                   : json_reader_skip(&reader);
    }
    if (!ok || !found || !json_reader_end(&reader))
        return refuse(err, "a list of hosts");
    *count = list.count;
    return true;
}

struct service_sink {
    void (*found)(void *self, struct slice name);
    void *self;
    struct buffer name;
};

static bool read_service(struct json_reader *reader, struct service_sink *sink)
{
    struct slice key, raw = {0};
    bool ok = json_reader_enter(reader);

    buffer_reset(&sink->name);
    while (ok && json_reader_next(reader, &key)) {
        bool is_name = slice_is(key, "name");

        ok = is_name ? json_reader_string(reader, &raw) : json_reader_skip(reader);
        if (ok && is_name) {
            buffer_reset(&sink->name);
            json_unescape(raw, &sink->name);
        }
    }
    if (ok && !reader->broken && sink->name.len)
        sink->found(sink->self, buffer_slice(&sink->name));
    return ok && !reader->broken;
}

static bool read_service_list(struct json_reader *reader, struct service_sink *sink)
{
    struct slice key, no_key;
    bool found = false, ok = json_reader_enter(reader);

    while (ok && json_reader_next(reader, &key)) {
        if (!slice_is(key, "services")) {
            ok = json_reader_skip(reader);
            continue;
        }
        found = true;
        ok = json_reader_peek(reader) == JSON_ARRAY && json_reader_enter(reader);
        while (ok && json_reader_next(reader, &no_key))
            ok = read_service(reader, sink);
    }
    return ok && found && json_reader_end(reader);
}

bool mackerel_read_services(struct slice json,
                            void (*found)(void *self, struct slice name), void *self,
                            struct error *err)
{
    struct json_reader reader;
    struct service_sink sink = {.found = found, .self = self};

    json_reader_init(&reader, json);

    bool ok = read_service_list(&reader, &sink);

    buffer_release(&sink.name);
    return ok || refuse(err, "a list of services");
}

bool mackerel_read_id(struct slice json, char *id, size_t size, struct error *err)
{
    struct json_reader reader;
    struct slice key;

    json_reader_init(&reader, json);

    bool ok = size > 0 && json_reader_enter(&reader);

    if (size > 0)
        id[0] = '\0';
    while (ok && json_reader_next(&reader, &key))
        ok = slice_is(key, "id") ? read_text(&reader, id, size)
                                 : json_reader_skip(&reader);
    return (ok && json_reader_end(&reader) && id[0]) || refuse(err, "an id");
}

/* {"time": ..., "value": ...}; null and other shapes have no time. */
static bool read_point_time(struct json_reader *reader, uint64_t *time_s)
{
    struct slice key;
    double time = 0;

    if (json_reader_peek(reader) != JSON_OBJECT)
        return json_reader_skip(reader);

    bool ok = json_reader_enter(reader);

    while (ok && json_reader_next(reader, &key)) {
        bool is_time = slice_is(key, "time") && json_reader_peek(reader) == JSON_NUMBER;

        ok = is_time ? json_reader_number(reader, &time) : json_reader_skip(reader);
    }
    if (*time_s == 0 && time > 0 && time < 0x1p53)
        *time_s = (uint64_t)time;
    return ok && !reader->broken;
}

/* The members of an object whose every value is read by the same function. */
static bool read_members(struct json_reader *reader, uint64_t *time_s,
                         bool (*read)(struct json_reader *reader, uint64_t *time_s))
{
    struct slice key;

    if (json_reader_peek(reader) != JSON_OBJECT)
        return json_reader_skip(reader);

    bool ok = json_reader_enter(reader);

    while (ok && json_reader_next(reader, &key))
        ok = read(reader, time_s);
    return ok && !reader->broken;
}

static bool read_host_times(struct json_reader *reader, uint64_t *time_s)
{
    return read_members(reader, time_s, read_point_time);
}

bool mackerel_read_latest_time(struct slice json, uint64_t *time_s, struct error *err)
{
    struct json_reader reader;
    struct slice key;
    uint64_t time = 0;
    bool found = false;

    json_reader_init(&reader, json);

    bool ok = json_reader_enter(&reader);

    while (ok && json_reader_next(&reader, &key)) {
        bool is_latest = slice_is(key, "tsdbLatest");

        found = found || is_latest;
        ok = is_latest ? read_members(&reader, &time, read_host_times)
                       : json_reader_skip(&reader);
    }
    if (!ok || !found || !json_reader_end(&reader))
        return refuse(err, "a list of latest values");
    *time_s = time;
    return true;
}

static bool read_message(struct json_reader *reader, struct slice *raw)
{
    struct slice key;
    bool found = false;

    if (json_reader_peek(reader) == JSON_STRING)
        return json_reader_string(reader, raw);

    bool ok = json_reader_enter(reader);

    while (ok && json_reader_next(reader, &key)) {
        bool is_message = slice_is(key, "message") &&
                          json_reader_peek(reader) == JSON_STRING;

        found = found || is_message;
        ok = is_message ? json_reader_string(reader, raw) : json_reader_skip(reader);
    }
    return ok && found;
}

bool mackerel_read_error(struct slice json, char *text, size_t size)
{
    struct json_reader reader;
    struct slice key, raw = {0};
    struct buffer message = {0};
    bool found = false;

    json_reader_init(&reader, json);

    bool ok = json_reader_enter(&reader);

    while (ok && json_reader_next(&reader, &key)) {
        bool is_error = slice_is(key, "error");

        found = found || is_error;
        ok = is_error ? read_message(&reader, &raw) : json_reader_skip(&reader);
    }
    if (!ok || !found || !json_reader_end(&reader) || size == 0)
        return false;
    json_unescape(raw, &message);
    utf8_copy(text, size, buffer_slice(&message));
    buffer_release(&message);
    return true;
}
