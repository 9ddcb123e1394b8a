#include "base/log.h"
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    uint64_t first = 1, last = 20, failures = 0;
    struct world_options options = {
        .store = WORLD_IN_MEMORY, .duration_s = 3600, .senders = 4};

    log_set_level(LOG_ERROR);
    if (argc > 1)
        first = last = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        last = strtoull(argv[2], NULL, 10);
    options.is_verbose = argc > 3;
    for (uint64_t seed = first; seed <= last; seed++) {
        struct world_result result;

        options.seed = seed;
        options.store = (enum world_store)(1 + seed % 2);
        options.kills = 6;
        options.disk_fails = seed % 4 > 1;
        world_run(&options, &result);
        printf("seed %" PRIu64 ": %s | ack %" PRIu64 " posted %" PRIu64
               " checked %" PRIu64 " sums %" PRIu64 " dropped %" PRIu64
               " skipped %" PRIu64 " h %.1f trace %" PRIx64 "\n",
               seed, result.problem[0] ? result.problem : "ok",
               result.acknowledged_points, result.verdict.posted, result.verdict.checked,
               result.verdict.sums, result.dropped, result.skipped, result.simulated_h,
               result.trace);
        failures += result.problem[0] != '\0';
    }
    return failures > 0;
}
