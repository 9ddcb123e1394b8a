/*
 * A blocking OTLP client for the load generator: one connection, one request at a time, over
 * HTTP/1.1 or over gRPC with nghttp2. It does the least that is correct, so that it costs little.
 */
#ifndef TESTS_BENCH_LOAD_CLIENT_H
#define TESTS_BENCH_LOAD_CLIENT_H

#include "base/slice.h"

#include <stdbool.h>

struct load_client;

/* Connects to "a.b.c.d:port"; NULL, with a line on stderr, when that fails. */
struct load_client *load_client_new(const char *address, bool grpc);
void load_client_free(struct load_client *client);

/* Sends one ExportMetricsServiceRequest; true when it was answered with success. */
bool load_client_post(struct load_client *client, struct slice body);

#endif
