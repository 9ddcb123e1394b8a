#include "receiver/service.h"

enum {
    NOTE_EVERY_S = 60
};

void service_init(struct service *service)
{
    const struct log_limit once_a_minute = {
        .interval_ns = NOTE_EVERY_S * UINT64_C(1000000000), .burst = 1};

    service->tls_note = service->signal_note = once_a_minute;
}

void service_note(struct log_limit *limit, const struct service *service,
                  const char *message, const char *what)
{
    uint64_t suppressed;

    if (log_limit_allows(limit, service->now_ms * 1000000, &suppressed))
        log_event(LOG_WARN, message, LOG_TEXT("what", what),
                  LOG_UINT("suppressed", suppressed));
}

unsigned service_retry_s(struct service *service)
{
    /* xorshift64: spreading needs no better source. */
    service->random ^= service->random << 13;
    service->random ^= service->random >> 7;
    service->random ^= service->random << 17;
    return 1 + (unsigned)(service->random % 5);
}
