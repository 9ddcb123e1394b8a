/*
 * A minute on its way into names: what the renderers of the groups share.
 */
#ifndef PIPELINE_NATIVE_PAGE_H
#define PIPELINE_NATIVE_PAGE_H

#include "pipeline/native.h"

struct native_page {
    const struct native_minute *minute;
    native_emit *emit;
    void *self;
    struct buffer name; /* scratch */
};

/* A component, or what was worked out from some. */
struct native_figure {
    bool has;
    double value;
};

static inline struct native_figure native_page_read(const struct native_page *page,
                                                    size_t component)
{
    return (struct native_figure){page->minute->has[component],
                                  page->minute->value[component]};
}

/* Emits what there is. */
static inline void native_page_emit(const struct native_page *page, const char *name,
                                    struct native_figure figure)
{
    if (figure.has)
        page->emit(page->self, slice_of(name), figure.value);
}

/* mackerel-agent's metrics/<platform>/cpuusage.go. */
void native_cpu_render(struct native_page *page);

/* mackerel-agent's metrics/<platform>/memory.go. */
void native_memory_render(struct native_page *page);
void native_memory_render_swap(struct native_page *page);

#endif
