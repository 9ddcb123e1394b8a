/*
 * What the receiver asks of the rest of the program. app/engine implements it; tests may too.
 *
 * Life of a request: reserve() before a body is read; decode on the worker; submit() gives the
 * request, its body and its batch away; exactly one answer comes back through request->answer, on
 * any thread, after which the receiver must not touch the request. The engine frees requests with
 * intake_request_free() after applying and returns the reserved bytes itself.
 */
#ifndef RECEIVER_INTAKE_H
#define RECEIVER_INTAKE_H

#include "base/error.h"
#include "proto/otlp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intake_request {
    struct intake_request *next; /* for the owner's queues */
    uint64_t receive_ns;         /* set by submit */
    enum otlp_media media;
    enum otlp_coding coding;
    char *body; /* as received (compressed stays compressed); heap */
    size_t body_len;
    char *inflated; /* what the batch points into; equals body when not compressed */
    size_t inflated_len;
    struct otlp_batch *batch;
    size_t reserved; /* bytes of the budget that the request holds */
    /* Tells the sender's worker; must not block; may run inside submit(). kind ERROR_NONE is OK. */
    void (*answer)(void *self, enum error_kind kind);
    void *answer_self;
};

void intake_request_free(struct intake_request *request);

struct intake {
    void *self;
    /* Takes `bytes` of the budget for bytes in flight; false: refuse the request with RetryInfo. */
    bool (*reserve)(void *self, size_t bytes);
    void (*unreserve)(void *self, size_t bytes);
    /* Takes the request over; receive time and journal are the implementation's affair. */
    void (*submit)(void *self, struct intake_request *request);
    /* False once the program drains: the receiver answers ERROR_BUSY. */
    bool (*accepting)(void *self);
    uint64_t seed; /* hash seed for otlp_decode */
};

#endif
