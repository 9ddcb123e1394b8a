#include "pipeline/native_page.h"

/* Totals are increases of one minute; `.delta` names are per second. */
static const double SECONDS = 60;

/* Emits <before><device><after>. */
static void emit_device(struct native_page *page, const char *before, const char *after,
                        double value)
{
    buffer_reset(&page->name);
    buffer_append_text(&page->name, before);
    buffer_append(&page->name, page->minute->device);
    buffer_append_text(&page->name, after);
    page->emit(page->self, buffer_slice(&page->name), value);
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

static void render_plain(struct native_page *page)
{
    const struct native_minute *minute = page->minute;

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (plain[i].group == minute->group && minute->has[plain[i].component])
            emit_device(page, plain[i].before, plain[i].after,
                        minute->value[plain[i].component] / plain[i].divisor);
}

/* df's used + available: what root keeps for itself is not part of the size. */
static void render_filesystem(struct native_page *page)
{
    const struct native_minute *minute = page->minute;

    render_plain(page);
    if (minute->has[NATIVE_FILESYSTEM_USED] && minute->has[NATIVE_FILESYSTEM_FREE])
        emit_device(page, "filesystem.", ".size",
                    minute->value[NATIVE_FILESYSTEM_USED] +
                        minute->value[NATIVE_FILESYSTEM_FREE]);
}

/* ---- groups ------------------------------------------------------------------------------- */

void native_render(const struct native_minute *minute, native_emit *emit_value,
                   void *self)
{
    static void (*const renderers[NATIVE_FILESYSTEM + 1])(struct native_page * page) = {
        [NATIVE_LOAD] = render_plain,
        [NATIVE_CPU] = native_cpu_render,
        [NATIVE_MEMORY] = native_memory_render,
        [NATIVE_SWAP] = native_memory_render_swap,
        [NATIVE_DISK] = render_plain,
        [NATIVE_NETWORK] = render_plain,
        [NATIVE_FILESYSTEM] = render_filesystem,
    };
    struct native_page page = {.minute = minute, .emit = emit_value, .self = self};

    renderers[minute->group](&page);
    buffer_release(&page.name);
}
