/*
 * What the admin server serves: pictures of the program as JSON and as Prometheus text. Pure: all
 * facts come in, text goes out.
 */
#ifndef APP_PAGE_H
#define APP_PAGE_H

#include "app/engine.h"
#include "base/buffer.h"
#include "exporter/outbox.h"
#include "exporter/status.h"
#include "receiver/server.h"

#include <stdbool.h>
#include <stdint.h>

struct page_facts {
    const char *version;
    uint64_t started_ns, now_ns; /* Unix time */
    const char *grpc_address, *http_address, *admin_address;
    bool is_ready;
    const char *durability, *state_directory;
    bool has_reserve, is_state_gone;
    const struct engine_picture *engine;
    const struct outbox_counts *outbox;
    const struct value_ledger *values;
    const struct delivery_status *delivery;
    struct graph_counts graphs;
    const struct receiver_stats *receiver;
    uint64_t resident_bytes;
};

void page_status(const struct page_facts *facts, struct buffer *out);
void page_metrics(const struct page_facts *facts, struct buffer *out);

#endif
