#include "proto/mackerel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_text(struct buffer *out, const char *wanted)
{
    buffer_append_char(out, '\0');
    assert_string_equal(out->ptr, wanted);
    buffer_release(out);
}

/* ---- requests ------------------------------------------------------------------------------ */

static void host_values_name_their_host(void **state)
{
    (void)state;
    struct buffer out = {0};

    mackerel_write_value(&out, slice_of("2eQGDXqtoXs"), slice_of("custom.a.b"),
                         1795500000, 1.5);
    assert_text(&out,
                "{\"hostId\":\"2eQGDXqtoXs\",\"name\":\"custom.a.b\",\"time\":1795500000,"
                "\"value\":1.5}");
}

static void service_values_name_no_host(void **state)
{
    (void)state;
    struct buffer out = {0};

    mackerel_write_value(&out, (struct slice){0}, slice_of("a"), 60, -3);
    assert_text(&out, "{\"name\":\"a\",\"time\":60,\"value\":-3}");
}

static void names_are_escaped(void **state)
{
    (void)state;
    struct buffer out = {0};

    mackerel_write_string(&out,
                          (struct slice)SLICE("a\"\\\n\r\t\x01\x7f/\xE6\x97\xA5\xff"));
    assert_text(&out, "\"a\\\"\\\\\\n\\r\\t\\u0001\\u007f/\xE6\x97\xA5\xEF\xBF\xBD\"");
}

static void a_service_is_created_with_name_and_memo(void **state)
{
    (void)state;
    struct buffer out = {0};

    mackerel_write_service(&out, slice_of("shop"));
    assert_text(&out, "{\"name\":\"shop\",\"memo\":\"\"}");
}

static void a_host_is_created_with_what_is_known(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct mackerel_destination host = {.kind = MACKEREL_HOST, .name = SLICE("web-1")};

    mackerel_write_host(&out, &host);
    assert_text(&out, "{\"name\":\"web-1\",\"meta\":{}}");
    host.custom_identifier = slice_of("id");
    host.roles = slice_of("shop:web, shop:db");
    host.meta = slice_of("\"agent-name\":\"us\"");
    mackerel_write_host(&out, &host);
    assert_text(
        &out,
        "{\"name\":\"web-1\",\"meta\":{\"agent-name\":\"us\"},\"customIdentifier\":\"id\","
        "\"roleFullnames\":[\"shop:web\",\"shop:db\"]}");
}

static void a_graph_names_its_lines_in_full(void **state)
{
    (void)state;
    const struct mackerel_line lines[] = {
        {slice_of("avg"), {0}, false},
        {slice_of("*"), slice_of("%1 \"p\""), true},
    };
    const struct mackerel_graph graph = {
        .name = slice_of("custom.http.#"),
        .display_name = slice_of("HTTP \xE6\x97\xA5"),
        .unit = slice_of("bytes/sec"),
        .lines = lines,
        .count = 2,
    };
    struct buffer out = {0};

    mackerel_write_graph(&out, &graph);
    assert_text(&out, "{\"name\":\"custom.http.#\",\"displayName\":\"HTTP \xE6\x97\xA5\","
                      "\"unit\":\"bytes/sec\",\"metrics\":["
                      "{\"name\":\"custom.http.#.avg\",\"isStacked\":false},"
                      "{\"name\":\"custom.http.#.*\",\"displayName\":\"%1 \\\"p\\\"\","
                      "\"isStacked\":true}]}");
}

static void a_graph_without_a_title_leaves_it_to_mackerel(void **state)
{
    (void)state;
    const struct mackerel_line line = {slice_of("c"), slice_of("C"), false};
    const struct mackerel_graph graph = {
        .name = slice_of("custom.a.b"),
        .unit = slice_of("float"),
        .lines = &line,
        .count = 1,
    };
    struct buffer out = {0};

    mackerel_write_graph(&out, &graph);
    assert_text(&out, "{\"name\":\"custom.a.b\",\"unit\":\"float\",\"metrics\":["
                      "{\"name\":\"custom.a.b.c\",\"displayName\":\"C\","
                      "\"isStacked\":false}]}");
}

/* "Posting graph definitions": ^custom(\.([-a-zA-Z0-9_]+|[*#]))+$, one # at most. */
static void a_graph_name_follows_the_grammar(void **state)
{
    (void)state;
    static const char *const good[] = {"custom.a", "custom.a-b_C.9", "custom.*",
                                       "custom.#.*.a.*"};
    static const char *const bad[] = {
        "",           "custom",    "custom.",    "custom..a",      "custom.a.",
        "Custom.a",   "customs.a", "custom.#.#", "custom.a*",      "custom.**",
        "custom.a b", "cpu.user",  "custom",     "custom.\xC3\xA9"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(mackerel_is_graph_name(slice_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(mackerel_is_graph_name(slice_of(bad[i])));
}

static void a_line_is_a_wildcard_only_where_the_graph_has_one(void **state)
{
    (void)state;
    struct slice plain = slice_of("custom.a"), any = slice_of("custom.a.*"),
                 group = slice_of("custom.#.a");

    assert_true(mackerel_is_graph_segment(plain, slice_of("p99")));
    assert_false(mackerel_is_graph_segment(plain, slice_of("*")));
    assert_true(mackerel_is_graph_segment(any, slice_of("*")));
    assert_true(mackerel_is_graph_segment(any, slice_of("#")));
    assert_true(mackerel_is_graph_segment(group, slice_of("*")));
    assert_false(mackerel_is_graph_segment(group, slice_of("#")));
    assert_false(mackerel_is_graph_segment(plain, slice_of("p99.9")));
    assert_false(mackerel_is_graph_segment(plain, slice_of("")));
}

static void destinations_are_equal_by_identity(void **state)
{
    (void)state;
    struct mackerel_destination a = {.kind = MACKEREL_HOST, .name = SLICE("a")}, b = a;

    b.roles = slice_of("x:y");
    assert_true(mackerel_destination_equal(&a, &b));
    b.custom_identifier = slice_of("c");
    assert_false(mackerel_destination_equal(&a, &b));
    b = a;
    b.kind = MACKEREL_SERVICE;
    assert_false(mackerel_destination_equal(&a, &b));
    a.kind = MACKEREL_SERVICE;
    assert_true(mackerel_destination_equal(&a, &b));
}

/* ---- answers ------------------------------------------------------------------------------- */

static void a_list_of_hosts_is_read(void **state)
{
    (void)state;
    struct mackerel_host hosts[1];
    size_t count;
    struct error err;
    const char *json =
        "{\"hosts\":[{\"id\":\"h1\",\"name\":\"web\",\"status\":\"working\","
        "\"memo\":null,\"meta\":{\"agent-name\":\"x\"},\"roles\":{\"s\":[\"r\"]},"
        "\"isRetired\":false,\"createdAt\":1},"
        "{\"id\":\"h2\",\"name\":\"db\",\"status\":\"poweroff\",\"isRetired\":true}]}";

    assert_true(mackerel_read_hosts(slice_of(json), hosts, 1, &count, &err));
    assert_int_equal(count, 2);
    assert_string_equal(hosts[0].id, "h1");
    assert_string_equal(hosts[0].name, "web");
    assert_string_equal(hosts[0].status, "working");
    assert_false(hosts[0].is_retired);
}

static void one_host_is_read(void **state)
{
    (void)state;
    struct mackerel_host host;
    size_t count;
    struct error err;

    assert_true(mackerel_read_hosts(
        slice_of("{\"host\":{\"isRetired\":true,\"name\":\"\\u65e5\",\"id\":\"h\"}}"),
        &host, 1, &count, &err));
    assert_int_equal(count, 1);
    assert_string_equal(host.name, "\xE6\x97\xA5");
    assert_true(host.is_retired);
}

static void names_that_do_not_fit_are_left_empty(void **state)
{
    (void)state;
    struct buffer json = {0};
    struct mackerel_host host;
    size_t count;
    struct error err;

    buffer_append_text(&json, "{\"host\":{\"id\":\"h\",\"name\":\"");
    for (unsigned i = 0; i < 300; i++)
        buffer_append_char(&json, 'n');
    buffer_append_text(&json, "\"}}");
    assert_true(mackerel_read_hosts(buffer_slice(&json), &host, 1, &count, &err));
    assert_string_equal(host.name, "");
    buffer_release(&json);
}

static void other_answers_are_no_hosts(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "{}",
                                        "[]",
                                        "<html>",
                                        "{\"hosts\":{}}",
                                        "{\"hosts\":[1]}",
                                        "{\"hosts\":[{\"name\":\"no id\"}]}",
                                        "{\"hosts\":[]} x"};
    struct mackerel_host host;
    size_t count = 7;
    struct error err;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_false(mackerel_read_hosts(slice_of(texts[i]), &host, 1, &count, &err));
        assert_int_equal(err.kind, ERROR_INVALID);
        assert_int_equal(count, 7);
    }
    assert_true(mackerel_read_hosts(slice_of("{\"hosts\":[]}"), &host, 1, &count, &err));
    assert_int_equal(count, 0);
}

static void join(void *self, struct slice name)
{
    buffer_append(self, name);
    buffer_append_char(self, ' ');
}

static void services_are_given_one_by_one(void **state)
{
    (void)state;
    struct buffer names = {0};
    struct error err;

    assert_true(mackerel_read_services(
        slice_of("{\"services\":[{\"name\":\"a\",\"memo\":\"\",\"roles\":[\"x\"]},"
                 "{\"memo\":null,\"name\":\"b\"}]}"),
        join, &names, &err));
    assert_text(&names, "a b ");
    assert_false(
        mackerel_read_services(slice_of("{\"service\":[]}"), join, &names, &err));
}

static void an_id_is_read(void **state)
{
    (void)state;
    char id[8];
    struct error err;

    assert_true(mackerel_read_id(slice_of("{\"id\":\"abc\"}"), id, sizeof id, &err));
    assert_string_equal(id, "abc");
    assert_false(
        mackerel_read_id(slice_of("{\"id\":\"too long\"}"), id, sizeof id, &err));
    assert_false(mackerel_read_id(slice_of("{\"id\":1}"), id, sizeof id, &err));
    assert_false(mackerel_read_id(slice_of("{}"), id, sizeof id, &err));
}

static void the_latest_time_is_read(void **state)
{
    (void)state;
    uint64_t time;
    struct error err;

    assert_true(mackerel_read_latest_time(
        slice_of(
            "{\"tsdbLatest\":{\"h\":{\"loadavg5\":{\"time\":1795500000,\"value\":0.5}}}}"),
        &time, &err));
    assert_true(time == 1795500000);
    assert_true(
        mackerel_read_latest_time(slice_of("{\"tsdbLatest\":{\"h\":{}}}"), &time, &err));
    assert_true(time == 0);
    assert_true(mackerel_read_latest_time(
        slice_of("{\"tsdbLatest\":{\"h\":{\"loadavg5\":null}}}"), &time, &err));
    assert_true(time == 0);
    assert_false(mackerel_read_latest_time(slice_of("{\"error\":\"x\"}"), &time, &err));
}

static void the_message_of_an_error_is_read_in_both_forms(void **state)
{
    (void)state;
    char text[32];

    assert_true(mackerel_read_error(
        slice_of("{\"error\":{\"message\":\"Host Not Found.\"}}"), text, sizeof text));
    assert_string_equal(text, "Host Not Found.");
    assert_true(
        mackerel_read_error(slice_of("{\"error\":\"a\\nb\"}"), text, sizeof text));
    assert_string_equal(text, "a?b");
    assert_false(mackerel_read_error(slice_of("<html>502</html>"), text, sizeof text));
    assert_false(mackerel_read_error(slice_of("{\"error\":{}}"), text, sizeof text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_values_name_their_host),
        cmocka_unit_test(service_values_name_no_host),
        cmocka_unit_test(names_are_escaped),
        cmocka_unit_test(a_service_is_created_with_name_and_memo),
        cmocka_unit_test(a_host_is_created_with_what_is_known),
        cmocka_unit_test(a_graph_names_its_lines_in_full),
        cmocka_unit_test(a_graph_without_a_title_leaves_it_to_mackerel),
        cmocka_unit_test(a_graph_name_follows_the_grammar),
        cmocka_unit_test(a_line_is_a_wildcard_only_where_the_graph_has_one),
        cmocka_unit_test(destinations_are_equal_by_identity),
        cmocka_unit_test(a_list_of_hosts_is_read),
        cmocka_unit_test(one_host_is_read),
        cmocka_unit_test(names_that_do_not_fit_are_left_empty),
        cmocka_unit_test(other_answers_are_no_hosts),
        cmocka_unit_test(services_are_given_one_by_one),
        cmocka_unit_test(an_id_is_read),
        cmocka_unit_test(the_latest_time_is_read),
        cmocka_unit_test(the_message_of_an_error_is_read_in_both_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
