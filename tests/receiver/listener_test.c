#include "receiver/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void port_zero_is_a_port_of_the_systems_choice(void **state)
{
    struct error err;
    char address[LISTENER_ADDRESS_MAX];
    int fd;

    (void)state;
    assert_true(listener_open("127.0.0.1:0", &fd, &err));
    listener_address(fd, address);
    assert_memory_equal(address, "127.0.0.1:", 10);
    assert_true(strtol(address + 10, NULL, 10) > 0);
    close(fd);
}

static void empty_host_is_every_address(void **state)
{
    static const char *const texts[] = {":0", "*:0"};
    struct error err;
    int fd;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_true(listener_open(texts[i], &fd, &err));
        close(fd);
    }
}

static void what_is_no_endpoint_is_invalid(void **state)
{
    static const char *const texts[] = {
        "",         "127.0.0.1",    "127.0.0.1:", "a:b",        ":70000",
        "::1:4317", "127.0.0.1:-1", "[::1]",      "1.1.1.1:1x", "127.0.0.1:000000"};
    struct error err;
    int fd = -7;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(listener_open(texts[i], &fd, &err));
        assert_int_equal(err.kind, ERROR_INVALID);
        assert_int_equal(fd, -7);
    }
}

static void taken_port_is_an_error_that_names_the_endpoint(void **state)
{
    struct error err;
    char address[LISTENER_ADDRESS_MAX];
    int first, second;

    (void)state;
    assert_true(listener_open("127.0.0.1:0", &first, &err));
    listener_address(first, address);
    assert_false(listener_open(address, &second, &err));
    assert_int_equal(err.kind, ERROR_INTERNAL);
    assert_non_null(strstr(err.text, address));
    close(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_zero_is_a_port_of_the_systems_choice),
        cmocka_unit_test(empty_host_is_every_address),
        cmocka_unit_test(what_is_no_endpoint_is_invalid),
        cmocka_unit_test(taken_port_is_an_error_that_names_the_endpoint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
