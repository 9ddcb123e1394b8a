/*
 * The smallest request there is: one gauge point "queue" of service "shop", as OTLP protobuf.
 */
#ifndef TESTS_APP_GAUGE_H
#define TESTS_APP_GAUGE_H

#include "receiver/intake.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
    GAUGE_BYTES = 61
};

void gauge_write(char body[static GAUGE_BYTES], uint64_t time_ns, double value);

/* How requests were answered. */
struct gauge_receipts {
    atomic_uint ok, refused;
};

/* One that is ready for intake->submit(), with room reserved for its body. */
struct intake_request *gauge_request(const struct intake *intake, uint64_t time_ns,
                                     double value, struct gauge_receipts *receipts);

#endif
