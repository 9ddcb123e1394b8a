#include "receiver/service.h"

unsigned service_retry_s(struct service *service)
{
    /* xorshift64: spreading needs no better source. */
    service->random ^= service->random << 13;
    service->random ^= service->random >> 7;
    service->random ^= service->random << 17;
    return 1 + (unsigned)(service->random % 5);
}
