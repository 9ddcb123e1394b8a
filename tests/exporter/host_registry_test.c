#include "exporter/host_registry.h"

#include "exporter/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    MINUTE_MS = 60000,
    START_S = 1795518000, /* when the monotonic clock begins */
};

#define HOST_WEB \
    "{\"id\":\"2abc\",\"name\":\"web-1\",\"status\":\"working\",\"isRetired\":false}"
#define HOST_TWIN \
    "{\"id\":\"2xyz\",\"name\":\"web-1\",\"status\":\"poweroff\",\"isRetired\":false}"
#define HOST_GONE \
    "{\"id\":\"2old\",\"name\":\"web-1\",\"status\":\"working\",\"isRetired\":true}"

static const struct mackerel_destination by_both = {
    .kind = MACKEREL_HOST,
    .name = SLICE("web-1"),
    .custom_identifier = SLICE("i-1/eu"),
};
static const struct mackerel_destination by_name = {
    .kind = MACKEREL_HOST,
    .name = SLICE("web-1"),
};
static const struct mackerel_destination by_id = {
    .kind = MACKEREL_HOST,
    .name = SLICE("web-1"),
    .host_id = SLICE("2abc"),
};

static struct host_registry *new_registry(enum host_create create,
                                          enum native_mode native)
{
    return host_registry_new(
        &(struct host_registry_options){.create = create, .native = native});
}

static struct instant at(uint64_t now_ms)
{
    return (struct instant){
        .mono_ms = now_ms,
        .unix_ns = START_S * UINT64_C(1000000000) + now_ms * 1000000,
    };
}

/* The next question must be for this path and body; it is answered at once. */
static enum host_event expect(struct host_registry *registry, uint64_t now_ms,
                              const char *path, int status, const char *answer)
{
    struct api_request request = {0};
    enum host_event event;

    assert_true(host_registry_next(registry, now_ms, &request));
    assert_int_equal(request.path.len, strlen(path));
    assert_memory_equal(request.path.ptr, path, request.path.len);
    event = host_registry_answer(
        registry, &request,
        &(struct api_answer){.status = status, .body = slice_of(answer)}, at(now_ms));
    api_request_release(&request);
    return event;
}

static void expect_silence(struct host_registry *registry, uint64_t now_ms)
{
    struct api_request request = {0};

    assert_false(host_registry_next(registry, now_ms, &request));
    api_request_release(&request);
}

#define NAME_PATH \
    "/api/v0/hosts?name=web-1&status=working&status=standby&status=maintenance&status=poweroff"
#define IDENTIFIER_PATH "/api/v0/hosts-by-custom-identifier/i-1%2Feu"

static void a_host_id_is_asked_for_directly(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_NEVER, NATIVE_MODE_ON);

    (void)state;
    host_registry_seek(registry, 1, &by_id, 0);
    assert_null(host_registry_id(registry, 1));
    assert_int_equal(
        expect(registry, 0, "/api/v0/hosts/2abc", 200, "{\"host\":" HOST_WEB "}"),
        HOST_EVENT_FOUND);
    assert_string_equal(host_registry_id(registry, 1), "2abc");
    host_registry_free(registry);
}

static void a_retired_host_id_is_unknown_and_never_created(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_ANY, NATIVE_MODE_ON);

    (void)state;
    host_registry_seek(registry, 1, &by_id, 0);
    assert_int_equal(
        expect(registry, 0, "/api/v0/hosts/2abc", 200, "{\"host\":" HOST_GONE "}"),
        HOST_EVENT_UNKNOWN);
    assert_null(host_registry_id(registry, 1));
    host_registry_free(registry);
}

static void an_identifier_that_is_not_found_falls_back_to_the_name(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_NEVER, NATIVE_MODE_ON);

    (void)state;
    host_registry_seek(registry, 1, &by_both, 0);
    assert_int_equal(expect(registry, 0, IDENTIFIER_PATH, 404, "{}"), HOST_EVENT_NONE);
    assert_int_equal(
        expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_GONE "," HOST_WEB "]}"),
        HOST_EVENT_FOUND);
    assert_string_equal(host_registry_id(registry, 1), "2abc");
    host_registry_free(registry);
}

static void several_hosts_of_a_name_are_as_good_as_none(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_ANY, NATIVE_MODE_ON);
    struct host_unknown unknown;

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    assert_int_equal(
        expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "," HOST_TWIN "]}"),
        HOST_EVENT_UNKNOWN);
    assert_true(host_registry_explain(registry, 1, &unknown));
    assert_string_equal(unknown.sought, "name \"web-1\"");
    assert_string_equal(unknown.problem, "2 hosts have this name");
    expect_silence(registry, MINUTE_MS - 1);
    host_registry_free(registry);
}

static void an_unknown_host_is_sought_again_ever_more_slowly(void **state)
{
    static const uint64_t pauses_min[] = {1, 2, 4, 8, 10, 10};
    struct host_registry *registry = new_registry(HOST_CREATE_NEVER, NATIVE_MODE_ON);
    uint64_t now_ms = 0;

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    for (size_t i = 0; i < sizeof(pauses_min) / sizeof(pauses_min[0]); i++) {
        assert_int_equal(expect(registry, now_ms, NAME_PATH, 200, "{\"hosts\":[]}"),
                         i ? HOST_EVENT_STILL_UNKNOWN : HOST_EVENT_UNKNOWN);
        now_ms += pauses_min[i] * MINUTE_MS;
        expect_silence(registry, now_ms - 1);
    }
    assert_int_equal(
        expect(registry, now_ms, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}"),
        HOST_EVENT_FOUND);
    host_registry_free(registry);
}

static void the_hint_names_what_to_register(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_NEVER, NATIVE_MODE_ON);
    struct host_unknown unknown;

    (void)state;
    host_registry_seek(registry, 1, &by_both, 0);
    assert_false(host_registry_explain(registry, 1, &unknown));
    expect(registry, 0, IDENTIFIER_PATH, 404, "");
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[]}");
    assert_true(host_registry_explain(registry, 1, &unknown));
    assert_string_equal(unknown.sought, "custom identifier \"i-1/eu\" or name \"web-1\"");
    assert_non_null(strstr(unknown.hint, "hosts.create"));
    assert_non_null(strstr(unknown.hint, "i-1/eu"));
    host_registry_free(registry);
}

static void a_host_is_created_only_after_every_look_up_failed(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_ANY, NATIVE_MODE_ON);

    (void)state;
    host_registry_seek(registry, 1, &by_both, 0);
    expect(registry, 0, IDENTIFIER_PATH, 404, "");
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[]}");
    assert_int_equal(expect(registry, 0, "/api/v0/hosts", 200, "{\"id\":\"2new\"}"),
                     HOST_EVENT_CREATED);
    assert_string_equal(host_registry_id(registry, 1), "2new");
    host_registry_free(registry);
}

static void only_listed_hosts_are_created(void **state)
{
    static const char *const listed[] = {"web-1"};
    static const struct mackerel_destination other = {
        .kind = MACKEREL_HOST,
        .name = SLICE("web-2"),
    };
    struct host_registry *registry = host_registry_new(&(struct host_registry_options){
        .create = HOST_CREATE_LISTED,
        .listed = listed,
        .listed_count = 1,
        .native = NATIVE_MODE_ON,
    });

    (void)state;
    host_registry_seek(registry, 1, &other, 0);
    assert_int_equal(expect(registry, 0,
                            "/api/v0/hosts?name=web-2&status=working&status=standby"
                            "&status=maintenance&status=poweroff",
                            200, "{\"hosts\":[]}"),
                     HOST_EVENT_UNKNOWN);
    host_registry_seek(registry, 2, &by_name, 0);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[]}");
    assert_int_equal(expect(registry, 0, "/api/v0/hosts", 200, "{\"id\":\"2new\"}"),
                     HOST_EVENT_CREATED);
    host_registry_free(registry);
}

static void a_refused_creation_looks_up_again_before_giving_up(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_ANY, NATIVE_MODE_ON);
    struct host_unknown unknown;

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[]}");
    assert_int_equal(expect(registry, 0, "/api/v0/hosts", 400,
                            "{\"error\":{\"message\":\"duplicate\"}}"),
                     HOST_EVENT_NONE);
    assert_int_equal(expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[]}"),
                     HOST_EVENT_UNKNOWN);
    assert_true(host_registry_explain(registry, 1, &unknown));
    assert_string_equal(unknown.problem, "Mackerel did not create it: duplicate");
    expect_silence(registry, MINUTE_MS - 1);
    host_registry_free(registry);
}

static void an_unanswered_creation_looks_up_before_it_is_tried_again(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_ANY, NATIVE_MODE_ON);
    struct api_request request = {0};

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[]}");
    assert_true(host_registry_next(registry, 0, &request));
    assert_int_equal(request.endpoint, API_CREATE_HOST);
    host_registry_failed(registry, &request);
    api_request_release(&request);
    assert_int_equal(expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}"),
                     HOST_EVENT_FOUND);
    host_registry_free(registry);
}

static void creations_take_turns_and_look_again_first(void **state)
{
    static const struct mackerel_destination twin = {
        .kind = MACKEREL_HOST,
        .name = SLICE("web-1"),
        .custom_identifier = SLICE("i-1/eu"),
        .roles = SLICE("a:b"),
    };
    struct host_registry *registry = new_registry(HOST_CREATE_ANY, NATIVE_MODE_ON);
    struct api_request creation = {0};

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    host_registry_seek(registry, 2, &twin, 0);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[]}");
    assert_true(host_registry_next(registry, 0, &creation));
    assert_int_equal(creation.endpoint, API_CREATE_HOST);
    expect(registry, 0, IDENTIFIER_PATH, 404, "");
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[]}");
    expect_silence(registry, 0);
    host_registry_answer(
        registry, &creation,
        &(struct api_answer){.status = 200, .body = SLICE("{\"id\":\"2abc\"}")}, at(0));
    api_request_release(&creation);
    expect(registry, 0, IDENTIFIER_PATH, 404, "");
    assert_int_equal(expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}"),
                     HOST_EVENT_FOUND);
    assert_string_equal(host_registry_id(registry, 2), "2abc");
    host_registry_free(registry);
}

static void a_lost_host_is_sought_at_once_but_not_in_circles(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_NEVER, NATIVE_MODE_ON);

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}");
    host_registry_lost(registry, 1, 1000);
    assert_null(host_registry_id(registry, 1));
    expect(registry, 1000, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}");
    host_registry_lost(registry, 1, 2000);
    expect_silence(registry, 2000 + MINUTE_MS - 1);
    expect(registry, 2000 + MINUTE_MS, NAME_PATH, 200, "{\"hosts\":[" HOST_TWIN "]}");
    assert_string_equal(host_registry_id(registry, 1), "2xyz");
    host_registry_free(registry);
}

#define LATEST_PATH "/api/v0/tsdb/latest?hostId=2abc&name=loadavg5"

static void native_values_wait_until_two_readings_agree(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_NEVER, NATIVE_MODE_AUTO);

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    assert_int_equal(host_registry_native(registry, 1), NATIVE_WAIT);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}");
    expect(registry, 0, LATEST_PATH, 200,
           "{\"tsdbLatest\":{\"2abc\":{\"loadavg5\":{\"time\":600,\"value\":1}}}}");
    assert_int_equal(host_registry_native(registry, 1), NATIVE_WAIT);
    expect_silence(registry, 2 * MINUTE_MS - 1);
    assert_int_equal(
        expect(registry, 2 * MINUTE_MS, LATEST_PATH, 200,
               "{\"tsdbLatest\":{\"2abc\":{\"loadavg5\":{\"time\":720,\"value\":1}}}}"),
        HOST_EVENT_AGENT_WRITES);
    assert_int_equal(host_registry_native(registry, 1), NATIVE_AGENT_WRITES);
    host_registry_free(registry);
}

static void a_host_without_load_gets_native_values_at_once(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_NEVER, NATIVE_MODE_AUTO);

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}");
    assert_int_equal(expect(registry, 0, LATEST_PATH, 200, "{\"tsdbLatest\":{}}"),
                     HOST_EVENT_AGENT_SILENT);
    assert_int_equal(host_registry_native(registry, 1), NATIVE_POST);
    host_registry_free(registry);
}

static void a_second_identity_of_a_host_does_not_look_at_our_own_values(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_NEVER, NATIVE_MODE_AUTO);

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}");
    expect(registry, 0, LATEST_PATH, 200, "{\"tsdbLatest\":{}}");
    host_registry_posted_load(registry, 1, START_S - 60);
    host_registry_seek(registry, 2, &by_id, 2000);
    expect(registry, 2000, "/api/v0/hosts/2abc", 200, "{\"host\":" HOST_WEB "}");
    assert_int_equal(host_registry_native(registry, 2), NATIVE_POST);
    expect_silence(registry, 50 * MINUTE_MS);
    host_registry_free(registry);
}

/* When a host that was found at 0 is looked up again at the latest. */
#define VERIFIED_MS (HOST_VERIFY_MS + HOST_VERIFY_SPREAD_MS)

static void a_host_is_looked_up_again_within_the_hour_and_posted_to_meanwhile(
    void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_NEVER, NATIVE_MODE_ON);
    struct api_request request = {0};

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}");
    expect_silence(registry, HOST_VERIFY_MS - 1);
    assert_true(host_registry_next(registry, VERIFIED_MS, &request));
    assert_string_equal(host_registry_id(registry, 1), "2abc");
    host_registry_failed(registry, &request); /* no answer: asked again */
    assert_string_equal(host_registry_id(registry, 1), "2abc");
    api_request_release(&request);
    assert_int_equal(
        expect(registry, VERIFIED_MS, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}"),
        HOST_EVENT_NONE);
    assert_string_equal(host_registry_id(registry, 1), "2abc");
    expect_silence(registry, VERIFIED_MS + HOST_VERIFY_MS - 1);
    host_registry_free(registry);
}

static void a_host_that_was_retired_is_unknown_after_the_look_up(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_NEVER, NATIVE_MODE_ON);
    struct host_unknown unknown;

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}");
    assert_int_equal(
        expect(registry, VERIFIED_MS, NAME_PATH, 200, "{\"hosts\":[" HOST_GONE "]}"),
        HOST_EVENT_UNKNOWN);
    assert_null(host_registry_id(registry, 1));
    assert_true(host_registry_explain(registry, 1, &unknown));
    assert_int_equal(unknown.since_ms, VERIFIED_MS);
    host_registry_free(registry);
}

static void an_identity_that_moved_to_another_host_takes_its_values_there(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_NEVER, NATIVE_MODE_AUTO);

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}");
    expect(registry, 0, LATEST_PATH, 200, "{\"tsdbLatest\":{}}");
    assert_int_equal(
        expect(registry, VERIFIED_MS, NAME_PATH, 200, "{\"hosts\":[" HOST_TWIN "]}"),
        HOST_EVENT_FOUND);
    assert_string_equal(host_registry_id(registry, 1), "2xyz");
    assert_int_equal(host_registry_native(registry, 1), NATIVE_WAIT);
    host_registry_free(registry);
}

static void a_twin_that_appears_does_not_take_the_host_away(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_ANY, NATIVE_MODE_ON);

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}");
    assert_int_equal(expect(registry, VERIFIED_MS, NAME_PATH, 200,
                            "{\"hosts\":[" HOST_WEB "," HOST_TWIN "]}"),
                     HOST_EVENT_NONE);
    assert_string_equal(host_registry_id(registry, 1), "2abc");
    host_registry_free(registry);
}

static void a_reading_that_finds_no_host_looks_it_up_at_once(void **state)
{
    struct host_registry *registry = new_registry(HOST_CREATE_NEVER, NATIVE_MODE_AUTO);

    (void)state;
    host_registry_seek(registry, 1, &by_name, 0);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}");
    expect(registry, 0, LATEST_PATH, 404,
           "{\"error\":{\"message\":\"Host Not Found.\"}}");
    assert_int_equal(host_registry_native(registry, 1), NATIVE_WAIT);
    expect(registry, 0, NAME_PATH, 200, "{\"hosts\":[]}");
    assert_null(host_registry_id(registry, 1));
    host_registry_free(registry);
}

static void off_and_on_ask_nothing(void **state)
{
    struct host_registry *off = new_registry(HOST_CREATE_NEVER, NATIVE_MODE_OFF);

    (void)state;
    host_registry_seek(off, 1, &by_name, 0);
    expect(off, 0, NAME_PATH, 200, "{\"hosts\":[" HOST_WEB "]}");
    expect_silence(off, 59 * MINUTE_MS);
    assert_int_equal(host_registry_native(off, 1), NATIVE_OFF);
    host_registry_free(off);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_id_is_asked_for_directly),
        cmocka_unit_test(a_retired_host_id_is_unknown_and_never_created),
        cmocka_unit_test(an_identifier_that_is_not_found_falls_back_to_the_name),
        cmocka_unit_test(several_hosts_of_a_name_are_as_good_as_none),
        cmocka_unit_test(an_unknown_host_is_sought_again_ever_more_slowly),
        cmocka_unit_test(the_hint_names_what_to_register),
        cmocka_unit_test(a_host_is_created_only_after_every_look_up_failed),
        cmocka_unit_test(only_listed_hosts_are_created),
        cmocka_unit_test(a_refused_creation_looks_up_again_before_giving_up),
        cmocka_unit_test(an_unanswered_creation_looks_up_before_it_is_tried_again),
        cmocka_unit_test(creations_take_turns_and_look_again_first),
        cmocka_unit_test(a_lost_host_is_sought_at_once_but_not_in_circles),
        cmocka_unit_test(native_values_wait_until_two_readings_agree),
        cmocka_unit_test(a_host_without_load_gets_native_values_at_once),
        cmocka_unit_test(a_second_identity_of_a_host_does_not_look_at_our_own_values),
        cmocka_unit_test(
            a_host_is_looked_up_again_within_the_hour_and_posted_to_meanwhile),
        cmocka_unit_test(a_host_that_was_retired_is_unknown_after_the_look_up),
        cmocka_unit_test(an_identity_that_moved_to_another_host_takes_its_values_there),
        cmocka_unit_test(a_twin_that_appears_does_not_take_the_host_away),
        cmocka_unit_test(a_reading_that_finds_no_host_looks_it_up_at_once),
        cmocka_unit_test(off_and_on_ask_nothing),
    };

    return cmocka_run_group_tests_name("host_registry", tests, NULL, NULL);
}
