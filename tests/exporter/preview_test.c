/* What a gateway without a key prints. */
#include "exporter/preview.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    /* 2026-11-24T11:00:00Z */
    MINUTE_S = 1795518000
};

static struct instant at(uint64_t seconds)
{
    return (struct instant){
        .mono_ms = 1 + seconds * 1000,
        .unix_ns = (MINUTE_S + seconds) * 1000000000u,
    };
}

static void put(struct outbox *outbox, uint64_t minute_s)
{
    const struct mackerel_line line = {.segment = SLICE("rate")};
    const struct mackerel_graph graph = {
        .name = SLICE("custom.io"),
        .display_name = SLICE("Bytes"),
        .unit = SLICE("bytes/sec"),
        .lines = &line,
        .count = 1,
    };
    const struct mackerel_value value = {.name = SLICE("custom.io.rate"), .value = 0.1};
    const struct mackerel_row row = {
        .destination = {.kind = MACKEREL_HOST, .name = SLICE("web-1")},
        .minute_s = minute_s,
        .values = &value,
        .count = 1,
        .graphs = &graph,
        .graph_count = 1,
    };

    outbox_put(outbox, &row, 1, minute_s / 60);
}

/* What is printed at that time. */
static char *print(struct outbox *outbox, struct instant now)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    graph_definitions_tend(outbox_graphs(outbox), now, false);
    preview_print_all(out, outbox, now);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_prints(struct outbox *outbox, struct instant now, const char *wanted)
{
    char *text = print(outbox, now);

    assert_string_equal(text, wanted);
    free(text);
}

static void values_are_printed_and_definitions_once_behind_them(void **state)
{
    struct outbox *outbox = outbox_new(&(struct outbox_options){0});

    (void)state;
    put(outbox, MINUTE_S);
    assert_prints(outbox, at(80),
                  "2026-11-24T11:00:00Z  host name=web-1           custom.io.rate 0.1\n");
    put(outbox, MINUTE_S + 60);
    assert_prints(outbox, at(140),
                  "2026-11-24T11:01:00Z  host name=web-1           custom.io.rate 0.1\n"
                  "graph definition  {\"name\":\"custom.io\",\"displayName\":\"Bytes\","
                  "\"unit\":\"bytes/sec\",\"metrics\":[{\"name\":\"custom.io.rate\","
                  "\"isStacked\":false}]}\n");
    put(outbox, MINUTE_S + 120);
    assert_prints(outbox, at(200),
                  "2026-11-24T11:02:00Z  host name=web-1           custom.io.rate 0.1\n");
    outbox_free(outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_printed_and_definitions_once_behind_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
