#include "base/clock.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static const uint64_t NS_PER_S = 1000000000;

/* values.md: smaller steps are what NTP does and harm no minute; a larger one must last. */
static const uint64_t STEP_NS = 30 * UINT64_C(1000000000),
                      LASTS_NS = 10 * UINT64_C(1000000000);

static uint64_t read_machine(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_now_ns(void)
{
    return read_machine(CLOCK_REALTIME);
}

uint64_t clock_monotonic_ns(void)
{
    return read_machine(CLOCK_MONOTONIC);
}

/* Is the real-time clock to be believed, `expected_ns` being where the receive clock would be? */
static bool believes(struct clock_filter *filter, uint64_t realtime_ns,
                     uint64_t expected_ns, uint64_t monotonic_ns)
{
    if (realtime_ns <= expected_ns + STEP_NS) {
        filter->is_stepping = false;
        return true;
    }
    if (!filter->is_stepping) {
        filter->is_stepping = true;
        filter->step_since_ns = monotonic_ns;
    }
    if (monotonic_ns - filter->step_since_ns < LASTS_NS)
        return false;
    filter->is_stepping = false;
    return true;
}

uint64_t clock_filter_read(struct clock_filter *filter, uint64_t realtime_ns,
                           uint64_t monotonic_ns)
{
    uint64_t next_ns = realtime_ns;

    if (filter->last_ns != 0) {
        uint64_t elapsed_ns = monotonic_ns - filter->last_monotonic_ns;
        uint64_t slow_ns = filter->last_ns + elapsed_ns / 2;

        if (!believes(filter, realtime_ns, filter->last_ns + elapsed_ns, monotonic_ns))
            next_ns = filter->last_ns + elapsed_ns;
        else if (realtime_ns < slow_ns)
            next_ns = slow_ns;
    }
    filter->last_ns = next_ns;
    filter->last_monotonic_ns = monotonic_ns;
    return next_ns;
}

struct clock {
    pthread_mutex_t lock;
    struct clock_filter filter;
};

struct clock *clock_new(void)
{
    return clock_new_after(0);
}

struct clock *clock_new_after(uint64_t floor_ns)
{
    struct clock *clock = memory_new(1, sizeof(*clock));

    pthread_mutex_init(&clock->lock, NULL);
    /* A clock that is ahead of the floor has not stepped: the program was not running. */
    if (floor_ns > clock_now_ns())
        clock->filter = (struct clock_filter){.last_ns = floor_ns,
                                              .last_monotonic_ns = clock_monotonic_ns()};
    return clock;
}

void clock_free(struct clock *clock)
{
    if (!clock)
        return;
    pthread_mutex_destroy(&clock->lock);
    free(clock);
}

uint64_t clock_read(struct clock *clock)
{
    pthread_mutex_lock(&clock->lock);

    uint64_t now_ns = clock_filter_read(&clock->filter, clock_now_ns(),
                                        clock_monotonic_ns());

    pthread_mutex_unlock(&clock->lock);
    return now_ns;
}
