#include "exporter/host_text.h"

#include <stdio.h>

/* Longest part of an identity that is quoted; what is sent is not cut. */
enum {
    QUOTE_MAX = 96
};

static int quote_len(struct slice text)
{
    return text.len > QUOTE_MAX ? QUOTE_MAX : (int)text.len;
}

void host_text_sought(const struct mackerel_destination *host, char *text, size_t size)
{
    const struct slice *id = &host->custom_identifier, *name = &host->name;

    if (host->host_id.len)
        snprintf(text, size, "host id \"%.*s\"", quote_len(host->host_id),
                 host->host_id.ptr);
    else if (id->len && name->len)
        snprintf(text, size, "custom identifier \"%.*s\" or name \"%.*s\"",
                 quote_len(*id), id->ptr, quote_len(*name), name->ptr);
    else if (id->len)
        snprintf(text, size, "custom identifier \"%.*s\"", quote_len(*id), id->ptr);
    else
        snprintf(text, size, "name \"%.*s\"", quote_len(*name), name->ptr);
}

void host_text_hint(const struct mackerel_destination *host, bool can_create, char *text,
                    size_t size)
{
    char sought[300];

    if (host->host_id.len) {
        snprintf(text, size,
                 "correct the resource attribute mackerel.host.id, or remove it");
        return;
    }
    host_text_sought(host, sought, sizeof(sought));
    snprintf(text, size,
             "register exactly one host with %s in Mackerel, or set hosts.create: %s",
             sought, can_create ? "any, or list it there" : "any");
}

void host_text_write_creation(struct buffer *body,
                              const struct mackerel_destination *host)
{
    struct mackerel_destination named = *host;

    if (named.name.len == 0)
        named.name = named.custom_identifier;
    mackerel_write_host(body, &named);
}
