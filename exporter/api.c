#include "exporter/api.h"

#include <assert.h>

static const struct {
    const char *name;
    bool is_post;
} calls[] = {
    [API_HOST_TSDB] = {"tsdb", true},
    [API_SERVICE_TSDB] = {"service_tsdb", true},
    [API_HOST] = {"host", false},
    [API_HOST_BY_IDENTIFIER] = {"host_by_custom_identifier", false},
    [API_HOSTS] = {"hosts", false},
    [API_CREATE_HOST] = {"create_host", true},
    [API_LATEST] = {"tsdb_latest", false},
    [API_SERVICES] = {"services", false},
    [API_CREATE_SERVICE] = {"create_service", true},
    [API_CREATE_GRAPHS] = {"create_graph_defs", true},
};

static_assert(sizeof(calls) / sizeof(calls[0]) == API_LAST + 1, "one row per call");

const char *api_name(enum api_endpoint endpoint)
{
    return calls[endpoint].name;
}

bool api_is_post(enum api_endpoint endpoint)
{
    return calls[endpoint].is_post;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool api_is_json(const struct api_answer *answer)
{
    struct slice body = answer->body;

    while (body.len && is_blank(body.ptr[body.len - 1]))
        body.len--;
    while (body.len && is_blank(*body.ptr)) {
        body.ptr++;
        body.len--;
    }
    return body.len >= 2 && body.ptr[0] == '{' && body.ptr[body.len - 1] == '}';
}

void api_request_reset(struct api_request *request, enum api_endpoint endpoint,
                       uint64_t destination)
{
    request->endpoint = endpoint;
    request->destination = destination;
    buffer_reset(&request->path);
    buffer_reset(&request->body);
}

void api_request_release(struct api_request *request)
{
    buffer_release(&request->path);
    buffer_release(&request->body);
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

void api_append_encoded(struct buffer *path, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_unreserved(text.ptr[i]))
            buffer_append_char(path, text.ptr[i]);
        else
            buffer_printf(path, "%%%02X", (unsigned)(unsigned char)text.ptr[i]);
}
