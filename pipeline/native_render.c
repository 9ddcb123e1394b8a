#include "pipeline/native.h"

#include <math.h>

/* Totals are increases of one minute; `.delta` names are per second. */
static const double SECONDS = 60;

struct rendering {
    const struct native_minute *minute;
    native_emit *emit;
    void *self;
    struct buffer name;
};

/* Emits <before><device><after>. */
static void emit_device(struct rendering *r, const char *before, const char *after,
                        double value)
{
    buffer_reset(&r->name);
    buffer_append_text(&r->name, before);
    buffer_append(&r->name, r->minute->device);
    buffer_append_text(&r->name, after);
    r->emit(r->self, buffer_slice(&r->name), value);
}

static void emit(const struct rendering *r, const char *name, double value)
{
    r->emit(r->self, slice_of(name), value);
}

/* ---- one component, one name -------------------------------------------------------------- */

static const struct {
    enum native_group group;
    uint8_t component;
    const char *before, *after;
    double divisor;
} plain[] = {
    {NATIVE_LOAD, NATIVE_LOAD_1M, "loadavg1", "", 1},
    {NATIVE_LOAD, NATIVE_LOAD_5M, "loadavg5", "", 1},
    {NATIVE_LOAD, NATIVE_LOAD_15M, "loadavg15", "", 1},
    {NATIVE_DISK, NATIVE_DISK_READS, "disk.", ".reads.delta", SECONDS},
    {NATIVE_DISK, NATIVE_DISK_WRITES, "disk.", ".writes.delta", SECONDS},
    {NATIVE_NETWORK, NATIVE_NETWORK_RX, "interface.", ".rxBytes.delta", SECONDS},
    {NATIVE_NETWORK, NATIVE_NETWORK_TX, "interface.", ".txBytes.delta", SECONDS},
    {NATIVE_FILESYSTEM, NATIVE_FILESYSTEM_USED, "filesystem.", ".used", 1},
};

static void render_plain(struct rendering *r)
{
    const struct native_minute *minute = r->minute;

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (plain[i].group == minute->group && minute->has[plain[i].component])
            emit_device(r, plain[i].before, plain[i].after,
                        minute->value[plain[i].component] / plain[i].divisor);
}

/* df's used + available: what root keeps for itself is not part of the size. */
static void render_filesystem(struct rendering *r)
{
    const struct native_minute *minute = r->minute;

    render_plain(r);
    if (minute->has[NATIVE_FILESYSTEM_USED] && minute->has[NATIVE_FILESYSTEM_FREE])
        emit_device(r, "filesystem.", ".size",
                    minute->value[NATIVE_FILESYSTEM_USED] +
                        minute->value[NATIVE_FILESYSTEM_FREE]);
}

/* ---- cpu ---------------------------------------------------------------------------------- */

static const char *const cpu_names[NATIVE_CPU_OTHER] = {
    [NATIVE_CPU_USER] = "cpu.user.percentage",
    [NATIVE_CPU_NICE] = "cpu.nice.percentage",
    [NATIVE_CPU_SYSTEM] = "cpu.system.percentage",
    [NATIVE_CPU_IDLE] = "cpu.idle.percentage",
    [NATIVE_CPU_IOWAIT] = "cpu.iowait.percentage",
    [NATIVE_CPU_IRQ] = "cpu.irq.percentage",
    [NATIVE_CPU_SOFTIRQ] = "cpu.softirq.percentage",
    [NATIVE_CPU_STEAL] = "cpu.steal.percentage",
};

/* What one cpu counts in a minute is 60 s: where nobody says how many there are, that tells. */
static double count_cpus(const struct native_minute *minute, double seconds)
{
    if (minute->has[NATIVE_CPU_COUNT] && minute->value[NATIVE_CPU_COUNT] > 0)
        return minute->value[NATIVE_CPU_COUNT];
    return minute->cpu_count > 0 ? minute->cpu_count : fmax(1, round(seconds / SECONDS));
}

/* Stacks to 100 for each cpu, as mackerel-agent's percentages on Linux do. */
static void render_cpu(struct rendering *r)
{
    const struct native_minute *minute = r->minute;
    double seconds = 0;

    for (size_t i = 0; i <= NATIVE_CPU_OTHER; i++)
        seconds += minute->has[i] ? minute->value[i] : 0;
    if (!(seconds > 0))
        return;

    double cpus = count_cpus(minute, seconds);

    for (size_t i = 0; i < NATIVE_CPU_OTHER; i++)
        if (minute->has[i])
            emit(r, cpu_names[i], 100 * cpus * minute->value[i] / seconds);
}

/* ---- memory ------------------------------------------------------------------------------- */

/* Memory is counted in pages; the ratio of a usage and its rounded share misses by less. */
static const double PAGE_BYTES = 4096;

struct reading {
    bool has;
    double bytes;
};

static struct reading read_component(const struct native_minute *minute, size_t component)
{
    return (struct reading){minute->has[component], minute->value[component]};
}

/* The total from the largest state that has both a usage and a share of the total. */
static struct reading total_of_share(const struct native_minute *minute)
{
    static const struct {
        uint8_t usage, share;
    } pairs[] = {
        {NATIVE_MEMORY_USED, NATIVE_MEMORY_UTILIZATION_USED},
        {NATIVE_MEMORY_FREE, NATIVE_MEMORY_UTILIZATION_FREE},
        {NATIVE_MEMORY_BUFFERED, NATIVE_MEMORY_UTILIZATION_BUFFERED},
        {NATIVE_MEMORY_CACHED, NATIVE_MEMORY_UTILIZATION_CACHED},
    };
    struct reading total = {0};
    double largest = 0;

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct reading usage = read_component(minute, pairs[i].usage);
        struct reading share = read_component(minute, pairs[i].share);

        if (!usage.has || !share.has || !(share.bytes > largest))
            continue;
        largest = share.bytes;
        total.has = true;
        total.bytes = PAGE_BYTES * round(usage.bytes / share.bytes / PAGE_BYTES);
    }
    return total;
}

/* Used, free, buffered and cached overlap a little: the sum is 1.4 % high on a recorded machine. */
static struct reading total_of_states(const struct native_minute *minute)
{
    struct reading total = {
        minute->has[NATIVE_MEMORY_USED] && minute->has[NATIVE_MEMORY_FREE], 0};

    for (size_t i = NATIVE_MEMORY_USED; i <= NATIVE_MEMORY_CACHED; i++)
        total.bytes += minute->has[i] ? minute->value[i] : 0;
    return total;
}

static struct reading total_memory(const struct native_minute *minute)
{
    struct reading used = read_component(minute, NATIVE_MEMORY_USED);
    struct reading available = read_component(minute, NATIVE_MEMORY_AVAILABLE);
    struct reading sources[] = {
        read_component(minute, NATIVE_MEMORY_LIMIT),
        {used.has && available.has, used.bytes + available.bytes},
        total_of_share(minute),
        total_of_states(minute),
    };
    size_t i = 0, last = sizeof(sources) / sizeof(sources[0]) - 1;

    while (i < last && !sources[i].has)
        i++;
    return sources[i];
}

/* On a kernel with MemAvailable total = used + available: two of them tell the third. */
static struct reading rest_of(struct reading known, struct reading total,
                              struct reading part)
{
    if (known.has)
        return known;
    return (struct reading){total.has && part.has, total.bytes - part.bytes};
}

/*
 * With an available amount mackerel-agent posts total, used and mem_available, whose graph stacks
 * to the total; only without it free, buffers and cached.
 */
static void render_memory(struct rendering *r)
{
    const struct native_minute *minute = r->minute;
    struct reading total = total_memory(minute);
    struct reading used = read_component(minute, NATIVE_MEMORY_USED);
    struct reading available = read_component(minute, NATIVE_MEMORY_AVAILABLE);

    available = rest_of(available, total, used);
    used = rest_of(used, total, available);

    bool is_split = !available.has;

    const struct {
        const char *name;
        struct reading reading;
    } values[] = {
        {"memory.total", total},
        {"memory.used", used},
        {"memory.mem_available", available},
        {"memory.free",
         {is_split && minute->has[NATIVE_MEMORY_FREE],
          minute->value[NATIVE_MEMORY_FREE]}},
        {"memory.buffers",
         {is_split && minute->has[NATIVE_MEMORY_BUFFERED],
          minute->value[NATIVE_MEMORY_BUFFERED]}},
        {"memory.cached",
         {is_split && minute->has[NATIVE_MEMORY_CACHED],
          minute->value[NATIVE_MEMORY_CACHED]}},
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (values[i].reading.has)
            emit(r, values[i].name, values[i].reading.bytes);
}

/* A machine without swap sends no usage: mackerel-agent posts zeros there. */
static void render_swap(struct rendering *r)
{
    struct reading used = read_component(r->minute, NATIVE_SWAP_USED);
    struct reading free = read_component(r->minute, NATIVE_SWAP_FREE);
    bool is_absent = r->minute->has[NATIVE_SWAP_HINT] && !used.has && !free.has;

    if (!is_absent && !(used.has && free.has))
        return;
    emit(r, "memory.swap_total", used.bytes + free.bytes);
    emit(r, "memory.swap_free", free.bytes);
}

/* ---- groups ------------------------------------------------------------------------------- */

void native_render(const struct native_minute *minute, native_emit *emit_value,
                   void *self)
{
    static void (*const renderers[NATIVE_GROUP_LAST + 1])(struct rendering * r) = {
        [NATIVE_LOAD] = render_plain,
        [NATIVE_CPU] = render_cpu,
        [NATIVE_MEMORY] = render_memory,
        [NATIVE_SWAP] = render_swap,
        [NATIVE_DISK] = render_plain,
        [NATIVE_NETWORK] = render_plain,
        [NATIVE_FILESYSTEM] = render_filesystem,
    };
    struct rendering r = {.minute = minute, .emit = emit_value, .self = self};

    renderers[minute->group](&r);
    buffer_release(&r.name);
}
