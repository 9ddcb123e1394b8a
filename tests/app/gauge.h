/*
 * The smallest request there is: one gauge point "queue" of service "shop", as OTLP protobuf.
 */
#ifndef TESTS_APP_GAUGE_H
#define TESTS_APP_GAUGE_H

#include <stdint.h>

enum {
    GAUGE_BYTES = 61
};

void gauge_write(char body[static GAUGE_BYTES], uint64_t time_ns, double value);

#endif
