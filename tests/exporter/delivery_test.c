/*
 * The delivery over real sockets: a tiny HTTP server on the loopback answers, and keeps what it was
 * sent. Every test ends with delivery_drain(), which waits for the posts; nothing sleeps.
 */
#include "exporter/delivery.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    DRAIN_MS = 20000
};

struct server {
    int listener;
    unsigned short port;
    pthread_t thread;
    bool hangs_up_first; /* the first post gets no answer at all */
    bool says_keep_alive;
    int post_status;
    struct buffer log; /* all requests, in the order of arrival */
    int posts;
};

static void read_request(int connection, struct buffer *request)
{
    const char *end = NULL, *length;
    size_t body = 0;

    for (;;) {
        ssize_t got = recv(connection, buffer_reserve(request, 65536), 65535, 0);

        if (got <= 0)
            return;
        request->len += (size_t)got;
        request->ptr[request->len] = '\0';
        end = strstr(request->ptr, "\r\n\r\n");
        length = strstr(request->ptr, "Content-Length: ");
        if (length)
            body = strtoul(length + 16, NULL, 10);
        if (end && request->len >= (size_t)(end + 4 - request->ptr) + body)
            return;
    }
}

static const char *answer_for(const char *request)
{
    if (strncmp(request, "GET /api/v0/services ", 21) == 0)
        return "{\"services\":[{\"name\":\"shop\",\"memo\":\"\",\"roles\":[]}]}";
    if (strncmp(request, "GET /api/v0/hosts?", 18) == 0)
        return "{\"hosts\":[{\"id\":\"2web\",\"name\":\"web-1\",\"status\":\"working\"}]}";
    if (strncmp(request, "GET /api/v0/tsdb/latest?", 24) == 0)
        return "{\"tsdbLatest\":{}}";
    return "{\"success\":true}";
}

static void serve(struct server *server, int connection)
{
    struct buffer request = {0}, answer = {0};
    const char *body;
    bool is_post;

    read_request(connection, &request);
    if (request.len == 0)
        goto out;
    is_post = strncmp(request.ptr, "POST", 4) == 0;
    buffer_append(&server->log, buffer_slice(&request));
    if (is_post && server->posts++ == 0 && server->hangs_up_first)
        goto out;
    body = answer_for(request.ptr);
    buffer_printf(&answer, "HTTP/1.1 %d Answer\r\nContent-Length: %zu\r\n%s\r\n%s",
                  is_post ? server->post_status : 200, strlen(body),
                  server->says_keep_alive ? "" : "Connection: close\r\n", body);
    assert_int_equal(send(connection, answer.ptr, answer.len, MSG_NOSIGNAL), answer.len);
out:
    buffer_release(&request);
    buffer_release(&answer);
    close(connection);
}

static void *run_server(void *self)
{
    struct server *server = self;
    int connection;

    while ((connection = accept(server->listener, NULL, NULL)) >= 0)
        serve(server, connection);
    return NULL;
}

static void start_server(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->post_status = server->post_status ? server->post_status : 200;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, run_server, server), 0);
}

static void stop_server(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    buffer_append_char(&server->log, '\0');
}

static void put(struct outbox *outbox, enum mackerel_kind kind, const char *to,
                const char *name)
{
    const struct mackerel_value value = {.name = slice_of(name), .value = 0.25};
    const struct mackerel_row row = {
        .destination = {.kind = kind, .name = slice_of(to)},
        .minute_s = clock_now_ns() / 60000000000u * 60 - 60,
        .lane = MACKEREL_LIVE,
        .values = &value,
        .count = 1,
    };

    outbox_put(outbox, &row, 1, 1);
}

static struct delivery *start(const struct server *server, struct outbox *outbox)
{
    char base[64];
    struct error err;
    struct delivery *delivery;

    snprintf(base, sizeof(base), "http://127.0.0.1:%d/", server->port);
    log_set_level(LOG_ERROR);
    delivery = delivery_start(
        &(struct delivery_options){
            .apikey = "secret-key",
            .apibase = base,
            .version = "1.2.3",
            .native_metrics = "on",
            .create_services = true,
        },
        outbox, &err);
    assert_non_null(delivery);
    return delivery;
}

static void values_arrive_with_the_headers_that_the_api_wants(void **state)
{
    struct server server = {0};
    struct outbox *outbox = outbox_new(&(struct outbox_options){0});
    struct delivery *delivery;
    struct delivery_status status;

    (void)state;
    start_server(&server);
    delivery = start(&server, outbox);
    put(outbox, MACKEREL_SERVICE, "shop", "a");
    put(outbox, MACKEREL_HOST, "web-1", "custom.a");
    delivery_wake(delivery);
    assert_int_equal(delivery_drain(delivery, DRAIN_MS), 0);
    delivery_read_status(delivery, &status);
    assert_int_equal(status.state, DELIVERY_OK);
    assert_int_equal(status.destination_count, 2);
    assert_true(status.destinations[0].last_post_ns > 0);
    assert_string_equal(status.destinations[1].mackerel_id, "2web");
    delivery_status_release(&status);
    delivery_free(delivery);
    stop_server(&server);
    assert_non_null(
        strstr(server.log.ptr, "POST /api/v0/services/shop/tsdb HTTP/1.1\r\n"));
    assert_non_null(strstr(server.log.ptr, "POST /api/v0/tsdb HTTP/1.1\r\n"));
    assert_non_null(strstr(server.log.ptr, "\r\nX-Api-Key: secret-key\r\n"));
    assert_non_null(
        strstr(server.log.ptr, "\r\nUser-Agent: mackerel-otel-gateway/1.2.3\r\n"));
    assert_non_null(strstr(server.log.ptr, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(
        strstr(server.log.ptr, "{\"hostId\":\"2web\",\"name\":\"custom.a\","));
    assert_null(strstr(server.log.ptr, "Expect:"));
    buffer_release(&server.log);
    outbox_free(outbox);
}

static void a_connection_that_closes_silently_loses_nothing(void **state)
{
    struct server server = {.hangs_up_first = true, .says_keep_alive = true};
    struct outbox *outbox = outbox_new(&(struct outbox_options){0});
    struct delivery *delivery;
    struct value_ledger ledger;

    (void)state;
    start_server(&server);
    delivery = start(&server, outbox);
    put(outbox, MACKEREL_HOST, "web-1", "custom.a");
    delivery_wake(delivery);
    /* Posted after the pause; then it waits for its confirmation, which the drain does not. */
    delivery_drain(delivery, DRAIN_MS);
    outbox_read_ledger(outbox, &ledger);
    assert_true(value_ledger_balances(&ledger));
    assert_int_equal(ledger.expired + ledger.rejected, 0);
    delivery_free(delivery);
    stop_server(&server);
    assert_true(server.posts >= 2);
    buffer_release(&server.log);
    outbox_free(outbox);
}

static void a_refused_key_ends_the_drain_and_keeps_the_values(void **state)
{
    struct server server = {.post_status = 401};
    struct outbox *outbox = outbox_new(&(struct outbox_options){0});
    struct delivery *delivery;
    struct delivery_status status;

    (void)state;
    start_server(&server);
    delivery = start(&server, outbox);
    put(outbox, MACKEREL_SERVICE, "shop", "a");
    delivery_wake(delivery);
    assert_int_equal(delivery_drain(delivery, DRAIN_MS), 1);
    delivery_read_status(delivery, &status);
    assert_int_equal(status.state, DELIVERY_PAUSED);
    assert_null(strstr(status.message, "secret-key"));
    delivery_status_release(&status);
    delivery_free(delivery);
    stop_server(&server);
    buffer_release(&server.log);
    outbox_free(outbox);
}

static void without_a_key_values_are_printed(void **state)
{
    struct outbox *outbox = outbox_new(&(struct outbox_options){0});
    struct error err;
    struct delivery *delivery;
    struct delivery_status status;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    put(outbox, MACKEREL_HOST, "web-1", "loadavg5");
    put(outbox, MACKEREL_HOST, "web-1", "cpu.user.percentage");
    put(outbox, MACKEREL_SERVICE, "shop", "a");
    delivery = delivery_start(&(struct delivery_options){.preview = out}, outbox, &err);
    assert_non_null(delivery);
    assert_int_equal(delivery_drain(delivery, DRAIN_MS), 0);
    delivery_read_status(delivery, &status);
    assert_true(status.is_preview);
    delivery_status_release(&status);
    delivery_free(delivery);
    fclose(out);
    assert_non_null(
        strstr(text, "Z  host name=web-1           cpu.user.percentage 0.25\n"));
    assert_non_null(
        strstr(text, "Z  host name=web-1           loadavg5            0.25\n"));
    assert_non_null(strstr(text, "Z  service shop              a 0.25\n"));
    free(text);
    outbox_free(outbox);
}

static void options_that_cannot_work_are_refused_without_naming_the_key(void **state)
{
    static const struct delivery_options bad[] = {
        {.apikey = "secret key"},
        {.apikey = "secret-key", .apibase = "ftp://127.0.0.1"},
        {.apikey_file = "/nonexistent/key"},
        {.hosts_create = "sometimes"},
        {.native_metrics = "maybe"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct outbox *outbox = outbox_new(&(struct outbox_options){0});
        struct error err = {0};

        assert_null(delivery_start(&bad[i], outbox, &err));
        assert_int_equal(err.kind, ERROR_INVALID);
        assert_null(strstr(err.text, "secret"));
        outbox_free(outbox);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_arrive_with_the_headers_that_the_api_wants),
        cmocka_unit_test(a_connection_that_closes_silently_loses_nothing),
        cmocka_unit_test(a_refused_key_ends_the_drain_and_keeps_the_values),
        cmocka_unit_test(without_a_key_values_are_printed),
        cmocka_unit_test(options_that_cannot_work_are_refused_without_naming_the_key),
    };

    return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
