/*
 * sim: runs the simulated world for a range of seeds and prints the figures.
 *
 *   sim [--seeds A..B] [--seed N] [--profile NAME] [--seconds N] [--verbose]
 *
 * Every seed is run in a world of its own; a failing one is printed with the line that replays it.
 * With --seconds no further seed begins after so long. The first seeds are run twice: the traces of
 * both runs must be the same.
 */
#include "base/log.h"
#include "tests/sim/tally.h"
#include "tests/sim/world.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TWICE = 3,    /* seeds that are run twice */
    FAILURES = 10 /* then enough is known */
};

static bool is_verbose;

/* The gateway's log would be long; linked in place of base/log.c's own (--wrap). */
void __wrap_log_write(enum log_level level, const char *message,
                      const struct log_field *fields, size_t count);
void __real_log_write(enum log_level level, const char *message,
                      const struct log_field *fields, size_t count);

void __wrap_log_write(enum log_level level, const char *message,
                      const struct log_field *fields, size_t count)
{
    if (is_verbose)
        __real_log_write(level, message, fields, count);
}

struct profile {
    const char *name, *help;
    struct world_options
        options; /* `seed` and `store` are chosen by the seed where they are zero */
};

static const struct profile profiles[] = {
    {"quick",
     "an hour of everything; process and fsync durability in turn",
     {.duration_s = 3600, .senders = 4, .kills = 6, .disk_fails = true}},
    {"kills",
     "two hours with 40 kills, Mackerel and disk fail now and then",
     {.duration_s = 7200, .senders = 3, .kills = 40, .disk_fails = true}},
    {"fsync",
     "two hours, 30 kills, half of them with the machine",
     {.store = WORLD_FSYNC,
      .duration_s = 7200,
      .senders = 4,
      .kills = 30,
      .disk_fails = true}},
    {"flights",
     "every kill finds a post on its way; corrections and late effects",
     {.duration_s = 7200, .senders = 4, .kills = 40, .dies_posting = true}},
    {"power",
     "process durability and power losses: what survived counts, once",
     {.store = WORLD_PROCESS,
      .duration_s = 7200,
      .senders = 4,
      .kills = 30,
      .disk_fails = true,
      .loses_power = true}},
    {"memory",
     "no disk, no kills",
     {.store = WORLD_IN_MEMORY, .duration_s = 7200, .senders = 6, .is_diskless = true}},
    {"outage-6h",
     "Mackerel is away for 6 h; kills meanwhile",
     {.duration_s = 10 * 3600, .senders = 3, .kills = 10, .outage_s = 6 * 3600}},
    {"outage-23h",
     "for 23 h",
     {.duration_s = 27 * 3600, .senders = 3, .kills = 12, .outage_s = 23 * 3600}},
    {"outage-25h",
     "for 25 h: what is older than 24 h expires",
     {.duration_s = 29 * 3600, .senders = 3, .kills = 12, .outage_s = 25 * 3600}},
};

struct arguments {
    const struct profile *profile;
    uint64_t first, last, seconds;
    bool is_verbose;
};

static int complain(void)
{
    fprintf(stderr, "usage: sim [--seeds A..B] [--seed N] [--profile NAME] [--seconds N] "
                    "[--verbose]\n");
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
        fprintf(stderr, "  %-11s %s\n", profiles[i].name, profiles[i].help);
    return 2;
}

static const struct profile *find_profile(const char *name)
{
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return NULL;
}

static bool read_seeds(const char *text, struct arguments *arguments)
{
    char *end;

    arguments->first = arguments->last = strtoull(text, &end, 10);
    if (end == text)
        return false;
    if (strncmp(end, "..", 2) == 0)
        arguments->last = strtoull(end + 2, &end, 10);
    return *end == '\0' && arguments->first <= arguments->last;
}

static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"seeds", required_argument, NULL, 's'},
        {"seed", required_argument, NULL, 's'},
        {"profile", required_argument, NULL, 'p'},
        {"seconds", required_argument, NULL, 't'},
        {"verbose", no_argument, NULL, 'v'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        bool ok = true;

        if (option == 's')
            ok = read_seeds(optarg, arguments);
        else if (option == 'p')
            ok = (arguments->profile = find_profile(optarg)) != NULL;
        else if (option == 't')
            arguments->seconds = strtoull(optarg, NULL, 10);
        else
            ok = arguments->is_verbose = option == 'v';
        if (!ok)
            return false;
    }
    return optind == argc;
}

static struct world_options options_of(const struct arguments *arguments, uint64_t seed)
{
    struct world_options options = arguments->profile->options;

    options.seed = seed;
    options.is_verbose = arguments->is_verbose;
    if (options.store == WORLD_IN_MEMORY && !options.is_diskless)
        options.store = seed % 2 ? WORLD_PROCESS : WORLD_FSYNC;
    /* Some disks are good. */
    if (seed % 3 == 0)
        options.disk_fails = false;
    return options;
}

static bool run_seed(const struct arguments *arguments, uint64_t seed,
                     struct tally *tally)
{
    struct world_options options = options_of(arguments, seed);
    struct world_result result, again;

    world_run(&options, &result);
    if (!result.problem[0] && seed - arguments->first < TWICE) {
        world_run(&options, &again);
        if (again.trace != result.trace)
            snprintf(result.problem, sizeof(result.problem),
                     "two runs of the seed went different ways");
    }
    tally_add(tally, &result);
    if (!result.problem[0])
        return true;
    printf("seed %" PRIu64 " FAILED: %s\n  replay: sim --profile %s --seed %" PRIu64
           " --verbose\n",
           seed, result.problem, arguments->profile->name, seed);
    fflush(stdout);
    return false;
}

static uint64_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.profile = &profiles[0], .first = 1, .last = 100};
    struct tally tally = {0};
    uint64_t start_s = now_s();
    unsigned failures = 0;

    if (!read_arguments(argc, argv, &arguments))
        return complain();
    is_verbose = arguments.is_verbose;
    for (uint64_t seed = arguments.first; seed <= arguments.last; seed++) {
        if (arguments.seconds && now_s() - start_s >= arguments.seconds)
            break;
        failures += !run_seed(&arguments, seed, &tally);
        if (failures == FAILURES)
            break;
    }
    printf("profile %s\n", arguments.profile->name);
    tally_print(&tally);
    return failures > 0;
}
