/*
 * Words about hosts: which identity was sought, and the one line that fixes it. Pure.
 */
#ifndef EXPORTER_HOST_TEXT_H
#define EXPORTER_HOST_TEXT_H

#include "base/buffer.h"
#include "proto/mackerel.h"

#include <stdbool.h>
#include <stddef.h>

/* e.g. custom identifier "i-1.ec2.amazonaws.com" or name "web-1" */
void host_text_sought(const struct mackerel_destination *host, char *text, size_t size);

/* What the user can do. `can_create`: creation is configured, but not for this host. */
void host_text_hint(const struct mackerel_destination *host, bool can_create, char *text,
                    size_t size);

/* The body that creates the host; one without a name is called by its custom identifier. */
void host_text_write_creation(struct buffer *body,
                              const struct mackerel_destination *host);

#endif
