#include "pipeline/native_page.h"

#include <math.h>

/*
 * A sender whose states make up less of its cpus' time than this leaves some out (Python's SDK knows
 * no `nice`, Node's no `iowait`): then the time itself is the whole. What complete ones miss by
 * reading their counters a little before or after they say is far less.
 */
static const double COMPLETE = 0.95;

/* What mackerel-agent posts; a component may be counted into another's. */
static const struct {
    const char *name;
    uint8_t component;
    bool on[NATIVE_PLATFORM_LAST + 1];
} names[] = {
    {"cpu.user.percentage", NATIVE_CPU_USER, {true, true, true, true}},
    {"cpu.nice.percentage", NATIVE_CPU_NICE, {true, false, false, true}},
    {"cpu.system.percentage", NATIVE_CPU_SYSTEM, {true, true, true, true}},
    {"cpu.idle.percentage", NATIVE_CPU_IDLE, {true, true, true, true}},
    {"cpu.iowait.percentage", NATIVE_CPU_IOWAIT, {true}},
    {"cpu.irq.percentage", NATIVE_CPU_IRQ, {true}},
    {"cpu.softirq.percentage", NATIVE_CPU_SOFTIRQ, {true}},
    {"cpu.steal.percentage", NATIVE_CPU_STEAL, {true}},
};

/* On Windows the time of interrupts is a part of the system's. */
static bool is_part_of_another(enum native_platform platform, size_t component)
{
    return platform == NATIVE_WINDOWS && component == NATIVE_CPU_IRQ;
}

static double all_seconds(const struct native_minute *minute)
{
    double seconds = 0;

    for (size_t i = 0; i < NATIVE_CPU_TOTALS; i++)
        if (minute->has[i] && !is_part_of_another(minute->platform, i))
            seconds += minute->value[i];
    return seconds;
}

/* 0 where nobody says it. */
static double told_cpus(const struct native_minute *minute)
{
    if (minute->has[NATIVE_CPU_COUNT] && minute->value[NATIVE_CPU_COUNT] > 0)
        return minute->value[NATIVE_CPU_COUNT];
    return minute->cpu_count;
}

/* Of these seconds the percentages are shares. */
static double whole_of(const struct native_minute *minute, double seconds, double cpus)
{
    bool is_average = minute->is_share && !(minute->cpu_count > 0);
    double time = minute->seconds * (is_average ? 1 : cpus);

    return seconds < COMPLETE * time ? time : seconds;
}

/* macOS's iostat shows nice as user. */
static double seconds_of(const struct native_minute *minute, size_t component)
{
    bool with_nice = minute->platform == NATIVE_DARWIN && component == NATIVE_CPU_USER &&
                     minute->has[NATIVE_CPU_NICE];

    return minute->value[component] + (with_nice ? minute->value[NATIVE_CPU_NICE] : 0);
}

/* How high the percentages stack: on Linux to 100 for each cpu; 0 where that cannot be known. */
static double scale_of(const struct native_minute *minute, double seconds)
{
    double cpus = told_cpus(minute);

    if (minute->platform != NATIVE_LINUX)
        return 100;
    if (cpus > 0)
        return 100 * cpus;
    /* What one cpu counts in a second is a second; an average over the cpus does not tell. */
    return minute->is_share || !(minute->seconds > 0)
               ? 0
               : 100 * fmax(1, round(seconds / minute->seconds));
}

void native_cpu_render(struct native_page *page)
{
    const struct native_minute *minute = page->minute;
    double seconds = all_seconds(minute), scale = scale_of(minute, seconds);
    double whole = whole_of(minute, seconds, told_cpus(minute));

    if (!(seconds > 0) || !(scale > 0))
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].on[minute->platform] && minute->has[names[i].component])
            page->emit(page->self, slice_of(names[i].name),
                       scale * seconds_of(minute, names[i].component) / whole);
}
