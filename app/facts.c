#include "app/facts.h"

#include "app/machine.h"
#include "app/page.h"
#include "base/clock.h"

/* All facts of one moment. */
struct gathered {
    struct engine_picture engine;
    struct outbox_counts outbox;
    struct value_ledger values;
    struct delivery_status delivery;
    struct graph_counts graphs;
    struct receiver_stats receiver;
    char grpc_address[RECEIVER_ADDRESS_MAX], http_address[RECEIVER_ADDRESS_MAX];
};

static void gather_receiver(const struct facts_sources *sources,
                            struct gathered *gathered)
{
    struct receiver *receiver = atomic_load(&sources->receiver);

    if (!receiver)
        return;
    receiver_read_stats(receiver, &gathered->receiver);
    receiver_address(receiver, RECEIVER_GRPC_PORT, gathered->grpc_address);
    receiver_address(receiver, RECEIVER_HTTP_PORT, gathered->http_address);
}

static void render_facts(const struct facts_sources *sources,
                         void (*write)(const struct page_facts *facts,
                                       struct buffer *out),
                         struct buffer *out)
{
    struct gathered gathered = {0};

    engine_read(sources->engine, &gathered.engine);
    outbox_read_counts(sources->outbox, &gathered.outbox);
    outbox_read_ledger(sources->outbox, &gathered.values);
    delivery_read_status(sources->delivery, &gathered.delivery);
    graph_definitions_read(outbox_graphs(sources->outbox), &gathered.graphs);
    gather_receiver(sources, &gathered);
    write(
        &(struct page_facts){
            .version = GATEWAY_VERSION,
            .started_ns = sources->started_ns,
            .now_ns = clock_now_ns(),
            .grpc_address = gathered.grpc_address,
            .http_address = gathered.http_address,
            .admin_address = admin_address(sources->admin),
            .is_ready = atomic_load(&sources->is_ready),
            .durability = sources->durability,
            .state_directory = sources->state ? state_directory(sources->state) : "",
            .is_state_gone = sources->state && !state_is_there(sources->state),
            .has_reserve = !sources->state || state_has_reserve(sources->state),
            .engine = &gathered.engine,
            .outbox = &gathered.outbox,
            .values = &gathered.values,
            .delivery = &gathered.delivery,
            .graphs = gathered.graphs,
            .receiver = &gathered.receiver,
            .resident_bytes = machine_resident_bytes(),
        },
        out);
    delivery_status_release(&gathered.delivery);
}

static void render_ready(const struct facts_sources *sources, struct admin_answer *answer)
{
    bool is_ready = atomic_load(&sources->is_ready);

    answer->status = is_ready ? 200 : 503;
    answer->media_type = "application/json";
    buffer_printf(&answer->body, "{\"status\":\"%s\"}\n",
                  is_ready ? "Server available" : "Server not available");
}

void facts_render(const struct facts_sources *sources, enum admin_page page,
                  struct admin_answer *answer)
{
    switch (page) {
    case ADMIN_LIVE: buffer_append_text(&answer->body, "ok\n"); break;
    case ADMIN_READY: render_ready(sources, answer); break;
    case ADMIN_METRICS:
        answer->media_type = "text/plain; version=0.0.4; charset=utf-8";
        render_facts(sources, page_metrics, &answer->body);
        break;
    case ADMIN_STATUS:
        answer->media_type = "application/json";
        render_facts(sources, page_status, &answer->body);
        break;
    }
}
