/*
 * The calls of the Mackerel API that the gateway makes, one row each, and a request on its way.
 * Sources: Mackerel API documentation, "Host metrics", "Service metrics", "Hosts", "Services".
 */
#ifndef EXPORTER_API_H
#define EXPORTER_API_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum api_endpoint {
    API_HOST_TSDB,
    API_SERVICE_TSDB,
    API_HOST,
    API_HOST_BY_IDENTIFIER,
    API_HOSTS,
    API_CREATE_HOST,
    API_LATEST,
    API_SERVICES,
    API_CREATE_SERVICE,
    API_CREATE_GRAPHS,
    API_LAST = API_CREATE_GRAPHS,
};

/* A request, ready to be sent. Zero-initialise it; release it. */
struct api_request {
    enum api_endpoint endpoint;
    uint64_t destination; /* id in the outbox of what it is about; 0: none */
    struct buffer path;   /* from "/api/v0/" on, with the query */
    struct buffer body;   /* empty for GET */
};

/* What came back. Texts are borrowed for the call that passes an answer. */
struct api_answer {
    int curl;   /* CURLcode; 0 when an HTTP answer came */
    int status; /* HTTP status; 0 without an answer */
    bool had_bytes, was_reused;
    struct slice body;
    const char *retry_after; /* NULL: no such header */
    const char *error;       /* transport failure in words; NULL: none */
};

/* Does the body look like the JSON object that every call is answered with? A page of a proxy or of
 * a network that wants a log-in does not. */
bool api_is_json(const struct api_answer *answer);

/* Short name for logs and metrics. */
const char *api_name(enum api_endpoint endpoint);
bool api_is_post(enum api_endpoint endpoint);

/* Empties the request and keeps its memory. */
void api_request_reset(struct api_request *request, enum api_endpoint endpoint,
                       uint64_t destination);
void api_request_release(struct api_request *request);

/* Percent-encodes all but the unreserved characters (RFC 3986, 2.3). */
void api_append_encoded(struct buffer *path, struct slice text);

#endif
