#include "exporter/status.h"

#include <stdlib.h>

const char *delivery_state_name(enum delivery_state state)
{
    switch (state) {
    case DELIVERY_OK: return "ok";
    case DELIVERY_DEGRADED: return "degraded";
    case DELIVERY_PAUSED: return "paused";
    }
    return "";
}

void delivery_status_release(struct delivery_status *status)
{
    for (size_t i = 0; i < status->destination_count; i++) {
        free(status->destinations[i].name);
        free(status->destinations[i].host_id);
        free(status->destinations[i].custom_identifier);
    }
    free(status->destinations);
    free(status->unknown);
    free(status->api);
    *status = (struct delivery_status){0};
}
