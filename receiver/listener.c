#include "receiver/listener.h"

#include "base/slice.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HOST_MAX = 256,
    PORT_MAX = 6,
    BACKLOG = 1024
};

struct endpoint {
    char host[HOST_MAX];
    char port[PORT_MAX];
};

static bool copy_text(char *out, size_t room, struct slice text)
{
    if (text.len >= room)
        return false;
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

static bool is_port(struct slice text)
{
    unsigned port = 0;

    if (text.len == 0 || text.len >= PORT_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text.ptr[i] - '0');
    }
    return port <= 65535;
}

static bool parse(const char *text, struct endpoint *endpoint)
{
    const char *colon = strrchr(text, ':');

    if (!colon)
        return false;

    struct slice host = {text, (size_t)(colon - text)};
    struct slice port = slice_of(colon + 1);
    bool bracketed = host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';

    if (bracketed)
        host = (struct slice){host.ptr + 1, host.len - 2};
    else if (memchr(host.ptr, ':', host.len))
        return false;
    if (slice_is(host, "*"))
        host.len = 0;
    return is_port(port) && copy_text(endpoint->host, HOST_MAX, host) &&
           copy_text(endpoint->port, PORT_MAX, port);
}

/* Tries one resolved address; -1 with errno. */
static int bind_one(const struct addrinfo *address)
{
    int on = 1, off = 0;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;

    int reason = errno;

    close(fd);
    errno = reason;
    return -1;
}

static int bind_any(const struct addrinfo *addresses)
{
    int fd = -1;

    /* All addresses: IPv6 first, which then takes IPv4 as well. */
    for (const struct addrinfo *a = addresses; a && fd < 0; a = a->ai_next)
        if (a->ai_family == AF_INET6 && a->ai_next)
            fd = bind_one(a);
    for (const struct addrinfo *a = addresses; a && fd < 0; a = a->ai_next)
        fd = bind_one(a);
    return fd;
}

bool listener_open(const char *text, int *fd_out, struct error *err)
{
    struct endpoint endpoint;
    struct addrinfo *addresses;
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
    };

    if (!parse(text, &endpoint))
        return FAIL(err, ERROR_INVALID, "'%s' is not host:port", text);

    const char *host = endpoint.host[0] ? endpoint.host : NULL;
    int result = getaddrinfo(host, endpoint.port, &hints, &addresses);

    if (result != 0)
        return FAIL(err, ERROR_INVALID, "cannot resolve '%s': %s", text,
                    gai_strerror(result));

    int fd = host ? bind_one(addresses) : bind_any(addresses);
    int reason = errno;

    freeaddrinfo(addresses);
    if (fd < 0) {
        char why[128];

        return FAIL(err, ERROR_INTERNAL, "cannot listen on %s: %s", text,
                    strerror_r(reason, why, sizeof(why)));
    }
    *fd_out = fd;
    return true;
}

void listener_address(int fd, char text[static LISTENER_ADDRESS_MAX])
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);
    char host[LISTENER_ADDRESS_MAX - PORT_MAX - 3], port[PORT_MAX];

    text[0] = '\0';
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
        getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    snprintf(text, LISTENER_ADDRESS_MAX,
             address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
