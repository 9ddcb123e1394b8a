#include "app/healthcheck.h"

#include "app/admin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Alive and not ready, as a gateway that drains. */
static void render(void *self, enum admin_page page, struct admin_answer *answer)
{
    (void)self;
    if (page == ADMIN_READY)
        answer->status = 503;
    buffer_append_text(&answer->body, "page\n");
}

static struct admin *start(void)
{
    struct error err = {0};
    struct admin *admin = admin_open(
        &(struct admin_options){.endpoint = "127.0.0.1:0", .render = render}, &err);

    assert_non_null(admin);
    assert_true(admin_start(admin, &err));
    return admin;
}

static void liveness_and_readiness_are_two_questions(void **state)
{
    struct admin *admin = start();

    (void)state;
    assert_true(healthcheck_run(admin_address(admin), false));
    assert_false(healthcheck_run(admin_address(admin), true));
    admin_free(admin);
}

static void an_endpoint_on_all_addresses_is_asked_on_loopback(void **state)
{
    struct admin *admin = start();
    const char *port = strrchr(admin_address(admin), ':');
    char endpoint[64];

    (void)state;
    snprintf(endpoint, sizeof(endpoint), "0.0.0.0%s", port);
    assert_true(healthcheck_run(endpoint, false));
    assert_true(healthcheck_run(port, false));
    admin_free(admin);
}

static void nobody_there_is_unhealthy(void **state)
{
    struct admin *admin = start();
    char endpoint[64];

    (void)state;
    snprintf(endpoint, sizeof(endpoint), "%s", admin_address(admin));
    admin_free(admin);
    assert_false(healthcheck_run(endpoint, false));
}

static void what_is_no_endpoint_is_unhealthy(void **state)
{
    (void)state;
    assert_false(healthcheck_run("nonsense", false));
    assert_false(healthcheck_run("127.0.0.1:0", false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(liveness_and_readiness_are_two_questions),
        cmocka_unit_test(an_endpoint_on_all_addresses_is_asked_on_loopback),
        cmocka_unit_test(nobody_there_is_unhealthy),
        cmocka_unit_test(what_is_no_endpoint_is_unhealthy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
