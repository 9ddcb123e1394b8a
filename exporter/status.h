/*
 * A picture of the delivery at one moment, for /status and /metrics: plain values and heap copies
 * that belong to the reader.
 */
#ifndef EXPORTER_STATUS_H
#define EXPORTER_STATUS_H

#include "exporter/api.h"
#include "exporter/host_registry.h"
#include "exporter/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum delivery_state {
    DELIVERY_OK,
    DELIVERY_DEGRADED, /* the API fails; values wait and are sent again */
    DELIVERY_PAUSED, /* the API refuses the key or the address; asked again every minute */
};

const char *delivery_state_name(enum delivery_state state);

struct destination_status {
    enum mackerel_kind kind;
    char *name, *host_id, *custom_identifier; /* as sought; never NULL */
    char mackerel_id[64];                     /* of a host that was found; else empty */
    const char *native;       /* hosts: "post", "wait", "agent_writes", "off" */
    size_t queued;            /* values */
    uint64_t oldest_minute_s; /* 0: nothing queued */
    uint64_t last_post_ns, last_error_ns; /* Unix time; 0: never */
    char last_error[TARGET_ERROR_MAX];
};

/* A host that was not found, or a service that is not there, and values that wait for it. */
struct unknown_status {
    enum mackerel_kind kind;
    char sought[HOST_TEXT_MAX];
    char problem[HOST_TEXT_MAX];
    char hint[HOST_TEXT_MAX];
    uint64_t since_ns; /* Unix time; 0 for services */
    size_t waiting;    /* values */
};

struct api_count {
    enum api_endpoint endpoint;
    int status; /* HTTP status; 0: no answer */
    uint64_t count;
};

struct delivery_status {
    enum delivery_state state;
    bool is_preview;
    char message[TARGET_ERROR_MAX]; /* what is wrong; empty when nothing is */
    uint64_t last_post_ns;          /* of any destination */
    char last_rejected
        [TARGET_ERROR_MAX]; /* newest value that Mackerel refused, and its words */
    struct destination_status *destinations;
    size_t destination_count;
    struct unknown_status *unknown;
    size_t unknown_count;
    struct api_count *api;
    size_t api_count;
};

void delivery_status_release(struct delivery_status *status);

#endif
