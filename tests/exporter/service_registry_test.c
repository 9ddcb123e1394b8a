#include "exporter/service_registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
    MINUTE_MS = 60000
};

#define LIST_SHOP "{\"services\":[{\"name\":\"shop\",\"memo\":\"\",\"roles\":[]}]}"
#define LIST_NONE "{\"services\":[]}"

static const struct slice shop = SLICE("shop"), cart = SLICE("cart");

static bool expect(struct service_registry *registry, uint64_t now_ms,
                   enum api_endpoint endpoint, int status, const char *answer)
{
    struct api_request request = {0};
    bool was_created;

    assert_true(service_registry_next(registry, now_ms, &request));
    assert_int_equal(request.endpoint, endpoint);
    was_created = service_registry_answer(
        registry, &request,
        &(struct api_answer){.status = status, .body = slice_of(answer)}, now_ms);
    api_request_release(&request);
    return was_created;
}

static void expect_silence(struct service_registry *registry, uint64_t now_ms)
{
    struct api_request request = {0};

    assert_false(service_registry_next(registry, now_ms, &request));
    api_request_release(&request);
}

static void one_list_answers_for_all_services(void **state)
{
    struct service_registry *registry = service_registry_new(false);

    (void)state;
    service_registry_seek(registry, 1, shop, 0);
    service_registry_seek(registry, 2, cart, 0);
    assert_false(expect(registry, 0, API_SERVICES, 200, LIST_SHOP));
    assert_true(service_registry_exists(registry, 1));
    assert_false(service_registry_exists(registry, 2));
    expect_silence(registry, MINUTE_MS - 1);
    service_registry_free(registry);
}

static void a_missing_service_is_created_with_its_name(void **state)
{
    struct service_registry *registry = service_registry_new(true);
    struct api_request request = {0};

    (void)state;
    service_registry_seek(registry, 1, shop, 0);
    expect(registry, 0, API_SERVICES, 200, LIST_NONE);
    assert_true(service_registry_next(registry, 0, &request));
    assert_int_equal(request.endpoint, API_CREATE_SERVICE);
    assert_true(slice_starts_with(buffer_slice(&request.body), "{\"name\":\"shop\""));
    assert_true(service_registry_answer(
        registry, &request, &(struct api_answer){.status = 200, .body = SLICE("{}")}, 0));
    api_request_release(&request);
    assert_true(service_registry_exists(registry, 1));
    service_registry_free(registry);
}

static void a_refused_creation_may_mean_that_somebody_was_faster(void **state)
{
    struct service_registry *registry = service_registry_new(true);

    (void)state;
    service_registry_seek(registry, 1, shop, 0);
    expect(registry, 0, API_SERVICES, 200, LIST_NONE);
    assert_false(expect(registry, 0, API_CREATE_SERVICE, 400, "{}"));
    expect(registry, 0, API_SERVICES, 200, LIST_SHOP);
    assert_true(service_registry_exists(registry, 1));
    service_registry_free(registry);
}

static void a_service_that_cannot_be_created_says_why(void **state)
{
    struct service_registry *registry = service_registry_new(true);
    char text[256];

    (void)state;
    service_registry_seek(registry, 1, shop, 0);
    expect(registry, 0, API_SERVICES, 200, LIST_NONE);
    expect(registry, 0, API_CREATE_SERVICE, 400,
           "{\"error\":{\"message\":\"bad name\"}}");
    expect(registry, 0, API_SERVICES, 200, LIST_NONE);
    assert_true(service_registry_explain(registry, 1, text, sizeof(text)));
    assert_string_equal(text, "Mackerel did not create it: bad name");
    expect_silence(registry, MINUTE_MS - 1);
    expect(registry, MINUTE_MS, API_SERVICES, 200, LIST_SHOP);
    assert_false(service_registry_explain(registry, 1, text, sizeof(text)));
    service_registry_free(registry);
}

static void an_unanswered_creation_looks_at_the_list_first(void **state)
{
    struct service_registry *registry = service_registry_new(true);
    struct api_request request = {0};

    (void)state;
    service_registry_seek(registry, 1, shop, 0);
    expect(registry, 0, API_SERVICES, 200, LIST_NONE);
    assert_true(service_registry_next(registry, 0, &request));
    service_registry_failed(registry, &request);
    api_request_release(&request);
    expect(registry, 0, API_SERVICES, 200, LIST_SHOP);
    assert_true(service_registry_exists(registry, 1));
    service_registry_free(registry);
}

static void a_lost_service_is_sought_at_once_but_not_in_circles(void **state)
{
    struct service_registry *registry = service_registry_new(true);

    (void)state;
    service_registry_seek(registry, 1, shop, 0);
    expect(registry, 0, API_SERVICES, 200, LIST_SHOP);
    service_registry_lost(registry, 1, 1000);
    expect(registry, 1000, API_SERVICES, 200, LIST_SHOP);
    service_registry_lost(registry, 1, 2000);
    expect_silence(registry, 2000 + MINUTE_MS - 1);
    service_registry_free(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_list_answers_for_all_services),
        cmocka_unit_test(a_missing_service_is_created_with_its_name),
        cmocka_unit_test(a_refused_creation_may_mean_that_somebody_was_faster),
        cmocka_unit_test(a_service_that_cannot_be_created_says_why),
        cmocka_unit_test(an_unanswered_creation_looks_at_the_list_first),
        cmocka_unit_test(a_lost_service_is_sought_at_once_but_not_in_circles),
    };

    return cmocka_run_group_tests_name("service_registry", tests, NULL, NULL);
}
