/*
 * Time. The receive clock is the only one that the engine's data ever sees: it stamps requests and
 * ticks. It follows the machine's real-time clock, but a step must not close minutes early or make
 * good points look late, so it is compared with the monotonic clock:
 *
 *   - it never goes back: while the real-time clock is behind, it runs on at half the monotonic
 *     clock's pace until they meet (were it to stand still, every minute that waits for a time would
 *     wait for the length of the step: nine hours where a machine boots with local time);
 *   - a step forward of over 30 s is believed once it has lasted 10 s (a clock that is set wrong
 *     for a moment, a virtual machine that resumes and corrects itself); until then the receive
 *     clock runs on at the monotonic clock's pace. Smaller steps are followed at once.
 *
 * struct clock_filter is the pure part; struct clock reads the machine and may be shared by threads.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Unix time as the machine has it. */
uint64_t clock_now_ns(void);
/* For durations; not comparable between runs. */
uint64_t clock_monotonic_ns(void);

/* Zero-initialise it. */
struct clock_filter {
    uint64_t last_ns;           /* what was read last; 0: nothing yet */
    uint64_t last_monotonic_ns; /* and when */
    uint64_t step_since_ns;     /* monotonic time at which a large step was first seen */
    bool is_stepping;
};

/* The receive time, given what the two clocks say now. */
uint64_t clock_filter_read(struct clock_filter *filter, uint64_t realtime_ns,
                           uint64_t monotonic_ns);

struct clock;

struct clock *clock_new(void);
/* Begins where another one stopped: reads nothing below `floor_ns`, should the machine's clock be
 * behind it. */
struct clock *clock_new_after(uint64_t floor_ns);
void clock_free(struct clock *clock);

/* The receive time now. Any thread. */
uint64_t clock_read(struct clock *clock);

#endif
