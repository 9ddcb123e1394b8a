#include "exporter/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void only_unreserved_characters_stay_as_they_are(void **state)
{
    const char *want = "AZaz09-._~%2F%20%3F%25%26%C3%A9%00";
    struct buffer path = {0};

    (void)state;
    api_append_encoded(&path, (struct slice)SLICE("AZaz09-._~/ ?%&\xC3\xA9\0"));
    assert_int_equal(path.len, strlen(want));
    assert_memory_equal(path.ptr, want, path.len);
    buffer_release(&path);
}

static void a_reset_request_is_empty(void **state)
{
    struct api_request request = {0};

    (void)state;
    api_request_reset(&request, API_CREATE_HOST, 7);
    buffer_append_text(&request.path, "/api/v0/hosts");
    buffer_append_text(&request.body, "{}");
    api_request_reset(&request, API_HOSTS, 8);
    assert_int_equal(request.endpoint, API_HOSTS);
    assert_int_equal(request.destination, 8);
    assert_int_equal(request.path.len + request.body.len, 0);
    api_request_release(&request);
}

static void every_call_has_a_name_and_a_method(void **state)
{
    (void)state;
    for (int i = 0; i <= API_LAST; i++)
        assert_true(strlen(api_name((enum api_endpoint)i)) > 0);
    assert_true(api_is_post(API_HOST_TSDB));
    assert_true(api_is_post(API_CREATE_SERVICE));
    assert_false(api_is_post(API_LATEST));
    assert_false(api_is_post(API_HOST_BY_IDENTIFIER));
}

static bool is_json(const char *body)
{
    return api_is_json(&(struct api_answer){.status = 200, .body = slice_of(body)});
}

static void an_answer_is_a_json_object_or_not_mackerels(void **state)
{
    (void)state;
    assert_true(is_json("{\"success\":true}"));
    assert_true(is_json("\r\n {} \n"));
    assert_false(is_json(""));
    assert_false(is_json("{"));
    assert_false(is_json("{\"success\":tr"));
    assert_false(is_json("<html>{}</html>"));
    assert_false(is_json("[]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_unreserved_characters_stay_as_they_are),
        cmocka_unit_test(a_reset_request_is_empty),
        cmocka_unit_test(every_call_has_a_name_and_a_method),
        cmocka_unit_test(an_answer_is_a_json_object_or_not_mackerels),
    };

    return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
