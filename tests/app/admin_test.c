#include "app/admin.h"

#include "base/slice.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the request line -------------------------------------------------------------------- */

static int parse(const char *head, struct admin_request *request)
{
    return admin_request_parse(slice_of(head), request);
}

static void every_page_has_its_path(void **state)
{
    static const struct {
        const char *head;
        enum admin_page page;
    } cases[] = {
        {"GET /livez HTTP/1.1\r\n\r\n", ADMIN_LIVE},
        {"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", ADMIN_READY},
        {"GET / HTTP/1.0\r\n\r\n", ADMIN_READY},
        {"GET /metrics HTTP/1.1\r\n\r\n", ADMIN_METRICS},
        {"GET /status?verbose HTTP/1.1\r\n\r\n", ADMIN_STATUS},
    };
    struct admin_request request;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(parse(cases[i].head, &request), 200);
        assert_int_equal(request.page, cases[i].page);
        assert_false(request.is_head);
    }
    assert_int_equal(parse("HEAD /livez HTTP/1.1\r\n\r\n", &request), 200);
    assert_true(request.is_head);
}

static void a_head_is_read_when_it_is_complete(void **state)
{
    struct admin_request request;

    (void)state;
    assert_int_equal(parse("", &request), 0);
    assert_int_equal(parse("GET /livez HT", &request), 0);
    assert_int_equal(parse("GET /livez HTTP/1.1\r\nHost: x\r\n", &request), 0);
    assert_int_equal(parse("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", &request), 200);
}

static void what_is_not_offered_is_refused(void **state)
{
    struct admin_request request;

    (void)state;
    assert_int_equal(parse("GET /nothing HTTP/1.1\r\n\r\n", &request), 404);
    assert_int_equal(parse("GET /livez/ HTTP/1.1\r\n\r\n", &request), 404);
    assert_int_equal(parse("POST /status HTTP/1.1\r\n\r\n", &request), 405);
    assert_int_equal(parse("DELETE /metrics HTTP/1.1\r\n\r\n", &request), 405);
    assert_int_equal(parse("GET /livez HTTP/2.0\r\n\r\n", &request), 505);
    assert_int_equal(parse("GET /livez\r\n\r\n", &request), 400);
    assert_int_equal(parse("GET  /livez HTTP/1.1\r\n\r\n", &request), 400);
    assert_int_equal(parse("\r\n\r\n", &request), 400);
    assert_int_equal(parse("\x16\x03\x01\r\n\r\n", &request), 400);
}

static void a_head_without_end_is_refused(void **state)
{
    char head[ADMIN_HEAD_MAX];
    struct admin_request request;

    (void)state;
    memset(head, 'a', sizeof(head));
    assert_int_equal(
        admin_request_parse((struct slice){head, sizeof(head) - 1}, &request), 0);
    assert_int_equal(admin_request_parse((struct slice){head, sizeof(head)}, &request),
                     431);
}

/* ---- the server -------------------------------------------------------------------------- */

/* Big enough that it does not fit into a socket's buffers at once. */
enum {
    METRICS_BYTES = 8 << 20
};

static void render(void *self, enum admin_page page, struct admin_answer *answer)
{
    (void)self;
    if (page == ADMIN_READY)
        answer->status = 503;
    if (page == ADMIN_METRICS)
        memset(buffer_reserve(&answer->body, METRICS_BYTES), 'm', METRICS_BYTES);
    if (page == ADMIN_METRICS)
        answer->body.len += METRICS_BYTES;
    else
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

static int connect_to(const struct admin *admin)
{
    const char *port = strrchr(admin_address(admin), ':');
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_non_null(port);
    address.sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Everything that comes until the server closes. */
static struct buffer ask(const struct admin *admin, const char *request)
{
    struct buffer answer = {0};
    int fd = connect_to(admin);
    ssize_t got;

    assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
    while ((got = recv(fd, buffer_reserve(&answer, 65536), 65536, 0)) > 0)
        answer.len += (size_t)got;
    assert_int_equal(got, 0);
    close(fd);
    buffer_append_char(&answer, '\0');
    return answer;
}

static void pages_are_served_and_the_connection_is_closed(void **state)
{
    struct admin *admin = start();
    struct buffer answer = ask(admin, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");

    (void)state;
    assert_true(strncmp(answer.ptr, "HTTP/1.1 200 OK\r\n", 17) == 0);
    assert_non_null(strstr(answer.ptr, "Content-Length: 5\r\n"));
    assert_non_null(strstr(answer.ptr, "\r\n\r\npage\n"));
    buffer_release(&answer);
    admin_free(admin);
}

static void a_page_may_answer_that_it_is_not_ready(void **state)
{
    struct admin *admin = start();
    struct buffer answer = ask(admin, "GET /readyz HTTP/1.1\r\n\r\n");

    (void)state;
    assert_true(strncmp(answer.ptr, "HTTP/1.1 503 ", 13) == 0);
    buffer_release(&answer);
    admin_free(admin);
}

static void head_has_the_length_and_no_body(void **state)
{
    struct admin *admin = start();
    struct buffer answer = ask(admin, "HEAD /livez HTTP/1.1\r\n\r\n");

    (void)state;
    assert_non_null(strstr(answer.ptr, "Content-Length: 5\r\n"));
    assert_string_equal(strstr(answer.ptr, "\r\n\r\n"), "\r\n\r\n");
    buffer_release(&answer);
    admin_free(admin);
}

static void other_methods_are_told_which_are_allowed(void **state)
{
    struct admin *admin = start();
    struct buffer answer = ask(admin, "PUT /livez HTTP/1.1\r\n\r\n");

    (void)state;
    assert_true(strncmp(answer.ptr, "HTTP/1.1 405 ", 13) == 0);
    assert_non_null(strstr(answer.ptr, "Allow: GET, HEAD\r\n"));
    buffer_release(&answer);
    admin_free(admin);
}

static void a_long_page_arrives_whole(void **state)
{
    struct admin *admin = start();
    struct buffer answer = ask(admin, "GET /metrics HTTP/1.1\r\n\r\n");
    const char *body = strstr(answer.ptr, "\r\n\r\n");

    (void)state;
    assert_non_null(body);
    assert_int_equal(strspn(body + 4, "m"), METRICS_BYTES);
    buffer_release(&answer);
    admin_free(admin);
}

static void silent_clients_hold_nobody_up(void **state)
{
    struct admin *admin = start();
    int silent[ADMIN_CONNECTIONS - 1];
    struct buffer answer;

    (void)state;
    for (size_t i = 0; i < ADMIN_CONNECTIONS - 1; i++)
        silent[i] = connect_to(admin);
    answer = ask(admin, "GET /livez HTTP/1.1\r\n\r\n");
    assert_true(strncmp(answer.ptr, "HTTP/1.1 200 ", 13) == 0);
    buffer_release(&answer);
    for (size_t i = 0; i < ADMIN_CONNECTIONS - 1; i++)
        close(silent[i]);
    admin_free(admin);
}

static void an_endpoint_that_is_taken_is_an_error(void **state)
{
    struct admin *admin = start();
    struct error err = {0};

    (void)state;
    assert_null(admin_open(
        &(struct admin_options){.endpoint = admin_address(admin), .render = render},
        &err));
    assert_int_equal(err.kind, ERROR_INTERNAL);
    assert_null(admin_open(
        &(struct admin_options){.endpoint = "nonsense", .render = render}, &err));
    assert_int_equal(err.kind, ERROR_INVALID);
    admin_free(admin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_has_its_path),
        cmocka_unit_test(a_head_is_read_when_it_is_complete),
        cmocka_unit_test(what_is_not_offered_is_refused),
        cmocka_unit_test(a_head_without_end_is_refused),
        cmocka_unit_test(pages_are_served_and_the_connection_is_closed),
        cmocka_unit_test(a_page_may_answer_that_it_is_not_ready),
        cmocka_unit_test(head_has_the_length_and_no_body),
        cmocka_unit_test(other_methods_are_told_which_are_allowed),
        cmocka_unit_test(a_long_page_arrives_whole),
        cmocka_unit_test(silent_clients_hold_nobody_up),
        cmocka_unit_test(an_endpoint_that_is_taken_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
