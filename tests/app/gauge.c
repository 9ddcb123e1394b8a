#include "gauge.h"

#include "base/memory.h"

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

static void count_answer(void *self, enum error_kind kind)
{
    struct gauge_receipts *receipts = self;

    atomic_fetch_add(kind == ERROR_NONE ? &receipts->ok : &receipts->refused, 1);
}

struct intake_request *gauge_request(const struct intake *intake, uint64_t time_ns,
                                     double value, struct gauge_receipts *receipts)
{
    struct intake_request *request = memory_new(1, sizeof(*request));
    struct error err;
    bool is_decoded, has_room;

    request->body = memory_new(1, GAUGE_BYTES);
    request->body_len = GAUGE_BYTES;
    gauge_write(request->body, time_ns, value);
    request->inflated = request->body;
    request->inflated_len = request->body_len;
    request->batch = otlp_batch_new();
    request->answer = count_answer;
    request->answer_self = receipts;
    is_decoded = otlp_decode(request->batch,
                             (struct slice){request->body, request->body_len},
                             intake->seed, NULL, &err);
    assert(is_decoded && request->batch->point_count == 1);
    request->reserved = request->body_len;
    has_room = intake->reserve(intake->self, request->reserved);
    assert(has_room);
    return request;
}
