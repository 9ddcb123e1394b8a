#include "dispatch_rig.h"

#include "base/log.h"

#include <curl/curl.h>

const struct mackerel_destination rig_shop = {.kind = MACKEREL_SERVICE,
                                              .name = SLICE("shop")};
const struct mackerel_destination rig_web = {.kind = MACKEREL_HOST,
                                             .name = SLICE("web-1")};
const struct mackerel_destination rig_web_by_id = {
    .kind = MACKEREL_HOST,
    .host_id = SLICE("2web"),
};

/* The longest pause at the end of the doubling, a long one before. */
static uint64_t draw(void)
{
    return 60000;
}

struct rig *rig_new_with(struct dispatch_options options)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    log_set_level(LOG_ERROR);
    assert_non_null(rig);
    rig->outbox = outbox_new(&(struct outbox_options){.max_bytes = 1 << 20});
    options.outbox = rig->outbox;
    options.outbox_max_bytes = 1 << 20;
    options.random = draw;
    rig->dispatch = dispatch_new(&options);
    rig->now_s = START_S;
    rig->status = 200;
    rig->hosts = RIG_WEB_FOUND;
    rig->services = RIG_SHOP_LISTED;
    rig->latest = "{\"tsdbLatest\":{}}";
    return rig;
}

struct rig *rig_new(bool create_services, enum native_mode native)
{
    return rig_new_with((struct dispatch_options){
        .hosts = {.native = native},
        .create_services = create_services,
    });
}

void rig_free(struct rig *rig)
{
    struct value_ledger ledger;

    outbox_read_ledger(rig->outbox, &ledger);
    assert_true(value_ledger_balances(&ledger));
    dispatch_free(rig->dispatch);
    outbox_free(rig->outbox);
    buffer_release(&rig->posted);
    buffer_release(&rig->graphs);
    free(rig);
}

struct instant rig_now(const struct rig *rig)
{
    return (struct instant){
        .mono_ms = (rig->now_s - START_S) * 1000 + 1,
        .unix_ns = rig->now_s * 1000000000u,
    };
}

void rig_put_in(struct rig *rig, const struct mackerel_destination *to, uint64_t minute_s,
                enum mackerel_lane lane, const char *name)
{
    const struct mackerel_value value = {
        .name = slice_of(name),
        .value = 1,
        .native = to->kind == MACKEREL_HOST && strncmp(name, "custom.", 7) != 0,
    };
    const struct mackerel_row row = {
        .destination = *to,
        .minute_s = minute_s,
        .lane = lane,
        .values = &value,
        .count = 1,
    };

    outbox_put(rig->outbox, &row, 1, 1);
}

void rig_put(struct rig *rig, const struct mackerel_destination *to, uint64_t minute_s,
             const char *name)
{
    rig_put_in(rig, to, minute_s, MACKEREL_LIVE, name);
}

static unsigned count_in(struct slice text, const char *word)
{
    size_t len = strlen(word);
    unsigned found = 0;

    for (size_t i = 0; i + len <= text.len; i++)
        found += memcmp(text.ptr + i, word, len) == 0;
    return found;
}

static void answer_post(struct rig *rig, const struct api_request *request,
                        struct api_answer *answer)
{
    struct slice body = buffer_slice(&request->body);
    bool is_poisoned = rig->poison && count_in(body, rig->poison);

    rig->posts++;
    rig->service_posts += request->endpoint == API_SERVICE_TSDB;
    answer->curl = rig->curl;
    answer->status = rig->curl ? 0 : rig->status;
    answer->was_reused = rig->was_reused;
    answer->had_bytes = !rig->curl;
    if (rig->dies_once) {
        *answer = (struct api_answer){.curl = CURLE_GOT_NOTHING, .was_reused = true};
        rig->dies_once = false;
        return;
    }
    answer->retry_after = rig->retry_after;
    answer->body = slice_of(rig->body ? rig->body : "{\"success\":true}");
    if (is_poisoned) {
        answer->status = 400;
        answer->body = slice_of("{\"error\":{\"message\":\"bad name\"}}");
    }
    if (answer->status == 200 || (is_poisoned && rig->takes_part))
        buffer_append(&rig->posted, body);
}

static void answer_graphs(struct rig *rig, const struct api_request *request,
                          struct api_answer *answer)
{
    struct slice body = buffer_slice(&request->body);

    rig->graph_requests++;
    answer->status = rig->graphs_status ? rig->graphs_status : 200;
    answer->body = slice_of("{\"success\":true}");
    if (rig->graphs_poison && count_in(body, rig->graphs_poison)) {
        answer->status = 400;
        answer->body = slice_of("{\"error\":{\"message\":\"bad graph\"}}");
    }
    if (answer->status == 200)
        buffer_append(&rig->graphs, body);
}

void rig_answer(struct rig *rig, struct errand *errand)
{
    struct api_answer answer = {.status = 200, .had_bytes = true};

    rig->requests++;
    switch (errand->request.endpoint) {
    case API_HOST_TSDB:
    case API_SERVICE_TSDB: answer_post(rig, &errand->request, &answer); break;
    case API_HOST:
        answer.body = slice_of("{\"host\":{\"id\":\"2web\",\"name\":\"web-1\"}}");
        break;
    case API_HOST_BY_IDENTIFIER: answer.status = 404; break;
    case API_HOSTS: answer.body = slice_of(rig->hosts); break;
    case API_CREATE_HOST: answer.body = slice_of("{\"id\":\"2new\"}"); break;
    case API_LATEST: answer.body = slice_of(rig->latest); break;
    case API_SERVICES: answer.body = slice_of(rig->services); break;
    case API_CREATE_SERVICE:
        rig->created++;
        answer.body = slice_of("{\"name\":\"shop\"}");
        break;
    case API_CREATE_GRAPHS: answer_graphs(rig, &errand->request, &answer); break;
    }
    dispatch_answer(rig->dispatch, errand, &answer, rig_now(rig));
}

void rig_settle(struct rig *rig)
{
    struct errand *errand;

    do {
        dispatch_tend(rig->dispatch, rig_now(rig));
        errand = dispatch_next(rig->dispatch, rig_now(rig));
        if (errand)
            rig_answer(rig, errand);
    } while (errand);
}

void rig_pass(struct rig *rig, uint64_t seconds)
{
    for (uint64_t i = 0; i < seconds; i++) {
        rig->now_s++;
        rig_settle(rig);
    }
}

size_t rig_queued(struct rig *rig)
{
    struct outbox_counts counts;

    outbox_read_counts(rig->outbox, &counts);
    return counts.values;
}

struct value_ledger rig_books(struct rig *rig)
{
    struct value_ledger ledger;

    outbox_read_ledger(rig->outbox, &ledger);
    return ledger;
}

void rig_put_graph(struct rig *rig, uint64_t minute_s, const char *graph,
                   const char *segment, const char *title)
{
    const struct mackerel_line line = {.segment = slice_of(segment)};
    const struct mackerel_graph definition = {
        .name = slice_of(graph),
        .display_name = slice_of(title),
        .unit = slice_of("seconds"),
        .lines = &line,
        .count = 1,
    };
    const struct mackerel_value value = {.name = SLICE("custom.a.b"), .value = 1};
    const struct mackerel_row row = {
        .destination = rig_web,
        .minute_s = minute_s,
        .values = &value,
        .count = 1,
        .graphs = &definition,
        .graph_count = 1,
    };

    outbox_put(rig->outbox, &row, 1, 1);
}

unsigned rig_count_graphs(const struct rig *rig, const char *text)
{
    return count_in(buffer_slice(&rig->graphs), text);
}

unsigned rig_count(const struct rig *rig, const char *text)
{
    return count_in(buffer_slice(&rig->posted), text);
}

bool rig_posted(const struct rig *rig, const char *text)
{
    return rig_count(rig, text) > 0;
}
