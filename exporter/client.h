/*
 * Requests to the Mackerel API over libcurl's multi interface: several at a time, one thread.
 *
 * HTTP/1.1 only, as both Mackerel agents do (HTTP/2 connections to the API proved unstable in some
 * networks). Connections are kept, but not longer than 50 s idle, so that one post a minute does
 * not meet a connection that the server has closed. No redirects, no Expect, no compression; TLS
 * 1.2 or newer; 10 s to connect, 30 s in all; at most 1 MiB of an answer is kept. Proxies come from
 * the environment as usual (http_proxy, https_proxy, no_proxy).
 *
 * The key is sent as X-Api-Key and appears nowhere else.
 * Thread: one, except client_wake().
 */
#ifndef EXPORTER_CLIENT_H
#define EXPORTER_CLIENT_H

#include "base/error.h"
#include "exporter/api.h"

enum {
    CLIENT_TOTAL_MS = 30 * 1000,
    CLIENT_CONNECT_MS = 10 * 1000,
    CLIENT_IDLE_S = 50,
    CLIENT_LIFETIME_S = 600,
    CLIENT_ANSWER_MAX = 1 << 20,
};

struct client_options {
    const char *apibase; /* http:// or https:// */
    const char *apikey;
    const char *ca_file; /* NULL or "": the system's */
    const char *version; /* of this program, for User-Agent */
};

struct client;

/* NULL with an error when the options cannot work. Copies the options. */
struct client *client_new(const struct client_options *options, struct error *err);
/* Requests on their way are given up without an answer. */
void client_free(struct client *client);

/* From now on another key; false when no HTTP header can hold it. */
bool client_set_key(struct client *client, const char *apikey,
                    struct error *err) MUST_CHECK;

/* Sends; the request stays the caller's and must live until its answer. */
void client_send(struct client *client, const struct api_request *request, void *tag);

typedef void client_done(void *self, void *tag, const struct api_answer *answer);

/* Waits up to `timeout_ms` for something to happen and calls `done` for each answer that came. */
void client_poll(struct client *client, int timeout_ms, client_done *done, void *self);

/* Ends a client_poll() at once; from any thread. */
void client_wake(struct client *client);

#endif
