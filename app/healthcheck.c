#include "app/healthcheck.h"

#include "base/error.h"
#include "base/slice.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    TIMEOUT_S = 3,
    HOST_MAX = 256
};

struct target {
    char host[HOST_MAX];
    const char *port; /* borrowed from the endpoint */
};

static bool is_any(const char *host)
{
    return strcmp(host, "") == 0 || strcmp(host, "*") == 0 ||
           strcmp(host, "0.0.0.0") == 0;
}

static bool parse(const char *endpoint, struct target *target, struct error *err)
{
    const char *colon = strrchr(endpoint, ':');
    struct slice host = {endpoint, colon ? (size_t)(colon - endpoint) : 0};

    if (!colon || host.len >= HOST_MAX)
        return FAIL(err, ERROR_INVALID, "'%s' is not host:port", endpoint);
    if (strcmp(colon + 1, "0") == 0)
        return FAIL(err, ERROR_INVALID,
                    "admin.endpoint has port 0: give the bound address with "
                    "--set admin.endpoint=HOST:PORT");
    if (host.len >= 2 && host.ptr[0] == '[')
        host = (struct slice){host.ptr + 1, host.len - 2};
    memcpy(target->host, host.ptr, host.len);
    target->host[host.len] = '\0';
    if (is_any(target->host))
        snprintf(target->host, HOST_MAX, "127.0.0.1");
    else if (strcmp(target->host, "::") == 0)
        snprintf(target->host, HOST_MAX, "::1");
    target->port = colon + 1;
    return true;
}

static int connect_to(const struct target *target)
{
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses;
    int fd = -1;

    if (getaddrinfo(target->host, target->port, &hints, &addresses) != 0)
        return -1;
    for (const struct addrinfo *a = addresses; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(addresses);
    return fd;
}

/* Sends the request and reads the answer's first line, as much as is needed of it. */
static bool exchange(int fd, const char *page, char *line, size_t size)
{
    char request[128];
    int len = snprintf(request, sizeof(request),
                       "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                       page);
    size_t have = 0;

    if (send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        return false;
    while (have < size - 1) {
        ssize_t got = recv(fd, line + have, size - 1 - have, 0);

        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    line[have] = '\0';
    return true;
}

static bool check(const char *endpoint, bool ready, struct error *err)
{
    const char *page = ready ? "/readyz" : "/livez";
    char line[sizeof("HTTP/1.1 200")];
    struct target target = {.port = ""};
    bool answered;
    int fd;

    if (!parse(endpoint, &target, err))
        return false;
    fd = connect_to(&target);
    if (fd < 0)
        return FAIL(err, ERROR_INTERNAL, "nobody listens on %s", endpoint);
    answered = exchange(fd, page, line, sizeof(line));
    close(fd);
    if (!answered)
        return FAIL(err, ERROR_TIMEOUT, "%s%s gave no answer", endpoint, page);
    if (strcmp(line, "HTTP/1.1 200") != 0)
        return FAIL(err, ERROR_BUSY, "%s%s answered %s", endpoint, page, line);
    return true;
}

bool healthcheck_run(const char *endpoint, bool ready)
{
    struct error err;

    if (check(endpoint, ready, &err))
        return true;
    fprintf(stderr, "healthcheck: %s\n", err.text);
    return false;
}
