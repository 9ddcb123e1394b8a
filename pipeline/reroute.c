#include "pipeline/reroute.h"

#include "base/memory.h"
#include "pipeline/family.h"
#include "pipeline/follow.h"
#include "pipeline/route.h"
#include "pipeline/stream.h"

#include <stdlib.h>

/* Records in use have users between two requests. */

static void reroute_resources(struct pipeline *p)
{
    for (uint32_t i = 0; i < p->resources.used; i++)
        if (state_resource(p, i)->sources)
            family_refer_resource(p, i);
}

/* Which families changed; the caller's. */
static bool *reroute_families(struct pipeline *p, uint64_t from_minute)
{
    bool *is_changed = memory_new(p->families.used, sizeof(*is_changed));

    for (uint32_t i = 0; i < p->families.used; i++)
        is_changed[i] = state_family(p, i)->streams &&
                        route_follow_default(p, i, from_minute);
    return is_changed;
}

void reroute_native(struct pipeline *p)
{
    for (uint32_t i = 0; i < p->streams.used; i++) {
        uint32_t family = state_stream(p, i)->family;

        if (family != POOL_NONE && state_family(p, family)->is_native)
            stream_drop(p, i);
    }
}

void reroute_all(struct pipeline *p, uint64_t from_minute)
{
    reroute_resources(p);

    bool *is_changed = reroute_families(p, from_minute);

    for (uint32_t i = 0; i < p->streams.used; i++) {
        uint32_t family = state_stream(p, i)->family;

        if (family != POOL_NONE && is_changed[family])
            follow_default(p, i);
    }
    free(is_changed);
}
