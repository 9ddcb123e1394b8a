#include "gauge.h"

#include <assert.h>
#include <string.h>

/* resource {service.name=shop} scope {metric "queue" gauge {point {time, as_double}}} */
static const unsigned char
    TEMPLATE
        [] =
            {
                0x0A, 0x3B,             /* resource_metrics */
                0x0A, 0x18, 0x0A, 0x16, /* resource, attribute */
                0x0A, 0x0C, 's',  'e',  'r',  'v',  'i',  'c',  'e',
                '.',  'n',  'a',  'm',  'e',  0x12, 0x06, 0x0A, 0x04,
                's',  'h',  'o',  'p',  0x12, 0x1F, 0x12, 0x1D, /* scope_metrics, metric */
                0x0A, 0x05, 'q',  'u',  'e',  'u',  'e',        /* name */
                0x2A, 0x14, 0x0A, 0x12,                         /* gauge, point */
                0x19, 0,    0,    0,    0,    0,    0,    0,    0, /* time */
                0x21, 0,    0,    0,    0,    0,    0,    0,    0, /* as_double */
};

enum {
    TIME_AT = sizeof(TEMPLATE) - 17,
    VALUE_AT = sizeof(TEMPLATE) - 8
};

static_assert(sizeof(TEMPLATE) == GAUGE_BYTES, "the header says how long a body is");

void gauge_write(char body[static GAUGE_BYTES], uint64_t time_ns, double value)
{
    memcpy(body, TEMPLATE, sizeof(TEMPLATE));
    memcpy(body + TIME_AT, &time_ns, sizeof(time_ns));
    memcpy(body + VALUE_AT, &value, sizeof(value));
}
