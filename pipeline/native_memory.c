#include "pipeline/native_page.h"

#include <math.h>

/* Memory is counted in pages; the ratio of a usage and its rounded share misses by less. */
static const double PAGE_BYTES = 4096;

/* The total from the largest state that has both a usage and a share of the total. */
static struct native_figure total_of_share(const struct native_page *page)
{
    static const struct {
        uint8_t usage, share;
    } pairs[] = {
        {NATIVE_MEMORY_USED, NATIVE_MEMORY_UTILIZATION_USED},
        {NATIVE_MEMORY_FREE, NATIVE_MEMORY_UTILIZATION_FREE},
        {NATIVE_MEMORY_BUFFERED, NATIVE_MEMORY_UTILIZATION_BUFFERED},
        {NATIVE_MEMORY_CACHED, NATIVE_MEMORY_UTILIZATION_CACHED},
    };
    struct native_figure total = {0};
    double largest = 0;

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct native_figure usage = native_page_read(page, pairs[i].usage);
        struct native_figure share = native_page_read(page, pairs[i].share);

        if (!usage.has || !share.has || !(share.value > largest))
            continue;
        largest = share.value;
        total.has = true;
        total.value = PAGE_BYTES * round(usage.value / share.value / PAGE_BYTES);
    }
    return total;
}

/*
 * On Linux used, free, buffered and cached overlap a little: the sum is 1.4 % high on a recorded
 * machine. Elsewhere used, free and inactive are the whole.
 */
static struct native_figure total_of_states(const struct native_page *page)
{
    const struct native_minute *minute = page->minute;
    bool has_inactive = minute->platform == NATIVE_DARWIN ||
                        minute->platform == NATIVE_BSD;
    struct native_figure total = {
        minute->has[NATIVE_MEMORY_USED] && minute->has[NATIVE_MEMORY_FREE], 0};

    for (size_t i = NATIVE_MEMORY_USED; i <= NATIVE_MEMORY_INACTIVE; i++)
        if (minute->has[i] && (i != NATIVE_MEMORY_INACTIVE || has_inactive))
            total.value += minute->value[i];
    return total;
}

static struct native_figure total_memory(const struct native_page *page)
{
    struct native_figure used = native_page_read(page, NATIVE_MEMORY_USED);
    struct native_figure available = native_page_read(page, NATIVE_MEMORY_AVAILABLE);
    struct native_figure sources[] = {
        native_page_read(page, NATIVE_MEMORY_LIMIT),
        {used.has && available.has, used.value + available.value},
        total_of_share(page),
        total_of_states(page),
    };
    size_t i = 0, last = sizeof(sources) / sizeof(sources[0]) - 1;

    while (i < last && !sources[i].has)
        i++;
    return sources[i];
}

/* On a kernel with MemAvailable total = used + available: two of them tell the third. */
static struct native_figure rest_of(struct native_figure known,
                                    struct native_figure total, struct native_figure part)
{
    if (known.has)
        return known;
    return (struct native_figure){total.has && part.has, total.value - part.value};
}

/* ---- what the agents post ----------------------------------------------------------------- */

/*
 * With an available amount Linux's agent posts total, used and mem_available, whose graph stacks to
 * the total; only without it free, buffers and cached.
 */
static void render_linux(const struct native_page *page)
{
    struct native_figure total = total_memory(page);
    struct native_figure used = native_page_read(page, NATIVE_MEMORY_USED);
    struct native_figure available = native_page_read(page, NATIVE_MEMORY_AVAILABLE);

    available = rest_of(available, total, used);
    used = rest_of(used, total, available);
    native_page_emit(page, "memory.total", total);
    native_page_emit(page, "memory.used", used);
    native_page_emit(page, "memory.mem_available", available);
    if (available.has)
        return;
    native_page_emit(page, "memory.free", native_page_read(page, NATIVE_MEMORY_FREE));
    native_page_emit(page, "memory.buffers",
                     native_page_read(page, NATIVE_MEMORY_BUFFERED));
    native_page_emit(page, "memory.cached", native_page_read(page, NATIVE_MEMORY_CACHED));
}

/* There what is not free is used. */
static void render_windows(const struct native_page *page)
{
    struct native_figure total = total_memory(page);
    struct native_figure free = native_page_read(page, NATIVE_MEMORY_FREE);
    struct native_figure used = native_page_read(page, NATIVE_MEMORY_USED);

    free = rest_of(free, total, used);
    native_page_emit(page, "memory.total", total);
    native_page_emit(page, "memory.free", free);
    native_page_emit(page, "memory.used",
                     rest_of((struct native_figure){0}, total, free));
}

/* What can be reclaimed: senders call it inactive where the agent says cached. */
static struct native_figure reclaimable(const struct native_page *page)
{
    struct native_figure cached = native_page_read(page, NATIVE_MEMORY_CACHED);

    return cached.has ? cached : native_page_read(page, NATIVE_MEMORY_INACTIVE);
}

static void render_darwin(const struct native_page *page)
{
    native_page_emit(page, "memory.total", total_memory(page));
    native_page_emit(page, "memory.used", native_page_read(page, NATIVE_MEMORY_USED));
    native_page_emit(page, "memory.cached", reclaimable(page));
    native_page_emit(page, "memory.free", native_page_read(page, NATIVE_MEMORY_FREE));
}

static void render_bsd(const struct native_page *page)
{
    native_page_emit(page, "memory.total", total_memory(page));
    native_page_emit(page, "memory.free", native_page_read(page, NATIVE_MEMORY_FREE));
    native_page_emit(page, "memory.buffers",
                     native_page_read(page, NATIVE_MEMORY_BUFFERED));
    native_page_emit(page, "memory.cached", native_page_read(page, NATIVE_MEMORY_CACHED));
}

void native_memory_render(struct native_page *page)
{
    switch (page->minute->platform) {
    case NATIVE_LINUX: render_linux(page); break;
    case NATIVE_WINDOWS: render_windows(page); break;
    case NATIVE_DARWIN: render_darwin(page); break;
    case NATIVE_BSD: render_bsd(page); break;
    }
}

/* A machine without swap sends no usage: mackerel-agent posts zeros there. */
void native_memory_render_swap(struct native_page *page)
{
    struct native_figure used = native_page_read(page, NATIVE_SWAP_USED);
    struct native_figure free = native_page_read(page, NATIVE_SWAP_FREE);
    bool is_absent = page->minute->has[NATIVE_SWAP_HINT] && !used.has && !free.has;
    bool is_pagefile = page->minute->platform == NATIVE_WINDOWS;

    if (!is_absent && !(used.has && free.has))
        return;
    native_page_emit(page, is_pagefile ? "memory.pagefile_total" : "memory.swap_total",
                     (struct native_figure){true, used.value + free.value});
    native_page_emit(page, is_pagefile ? "memory.pagefile_free" : "memory.swap_free",
                     (struct native_figure){true, free.value});
}
