#include "pipeline/container_minute.h"

#include "base/memory.h"
#include "pipeline/cell.h"
#include "pipeline/container_table.h"
#include "pipeline/members.h"
#include "pipeline/node.h"
#include "pipeline/reach.h"
#include "pipeline/value.h"

#include <math.h>
#include <stdlib.h>

static const double SECONDS = 60, NANOSECONDS = 1e9, PERCENT = 100;

/* cAdvisor writes "no limit" as 0 or as the largest number of pages; no machine has 4 EiB. */
static const double NO_LIMIT_BYTES = 4.6e18;

/* ---- what the streams say ------------------------------------------------------------------ */

static bool read_total(const struct pipeline *p, const struct stream *stream,
                       uint64_t minute, struct container_reading *reading)
{
    uint64_t end_ns = minute_end_ns(minute);
    uint64_t last_ns = reach_reported_ns(p, stream);

    if (stream->first_ns >= end_ns)
        return false;
    reading->time_ns = last_ns < end_ns ? last_ns : end_ns;
    reading->is_alive = reach_is_alive(stream, reading->time_ns, end_ns);
    reading->is_total = true;
    return reading->is_alive || last_ns >= minute_start_ns(minute);
}

static bool read_value(const struct pipeline *p, const struct stream *stream,
                       uint64_t minute, struct container_reading *reading)
{
    struct value_reading value;

    if (!value_read(p, stream, minute, &value))
        return false;
    reading->value = value.value;
    reading->time_ns = value.time_ns;
    reading->is_alive = value.is_alive;
    return true;
}

/* Containers together, of each the components in their order, of each component the newest first. */
static int compare(const void *left, const void *right)
{
    const struct container_reading *a = left, *b = right;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->component != b->component)
        return a->component < b->component ? -1 : 1;
    if (a->time_ns != b->time_ns)
        return a->time_ns > b->time_ns ? -1 : 1;
    return (a->stream > b->stream) - (a->stream < b->stream);
}

static size_t collect(struct pipeline *p, const struct cell *cell, uint64_t minute)
{
    struct members walk = members_of(cell, minute);
    const struct stream *stream;
    size_t count = 0;

    while ((stream = members_next(p, &walk)) != NULL) {
        struct container_reading reading = {
            .rank = stream->rank,
            .component = stream->component,
            .stream = walk.index,
        };

        if (stream->shape == SHAPE_VALUE ? !read_value(p, stream, minute, &reading)
                                         : !read_total(p, stream, minute, &reading))
            continue;
        p->readings = memory_grow(p->readings, count + 1, &p->reading_room,
                                  sizeof(*p->readings));
        p->readings[count++] = reading;
    }
    if (count)
        qsort(p->readings, count, sizeof(*p->readings), compare);
    return count;
}

bool container_minute_has_values_only(const struct pipeline *p, const struct cell *cell,
                                      uint64_t minute)
{
    struct members walk = members_of(cell, minute);
    const struct stream *stream;

    if (cell->group != NATIVE_CONTAINER_CPU)
        return false;
    while ((stream = members_next(p, &walk)) != NULL)
        if (stream->shape != SHAPE_VALUE)
            return false;
    return true;
}

/* ---- one container ------------------------------------------------------------------------- */

/* Its newest reading of each component. */
struct container {
    const struct container_reading *reading[NATIVE_COMPONENTS];
};

struct amount {
    bool has;
    double value;
};

static struct amount above_zero(const struct container *container, uint8_t component)
{
    const struct container_reading *reading = container->reading[component];

    if (!reading || !(reading->value > 0))
        return (struct amount){0};
    return (struct amount){true, reading->value};
}

/* Two that were read together: those of two scrapes do not fit each other. */
static bool has_pair(const struct container *container, uint8_t a, uint8_t b)
{
    return container->reading[a] && container->reading[b] &&
           container->reading[a]->time_ns == container->reading[b]->time_ns;
}

/* What is used / its share of the limit, on whole units. */
static struct amount divide(const struct container *container, uint8_t used,
                            uint8_t share, double unit)
{
    struct amount of = above_zero(container, used), by = above_zero(container, share);

    if (!of.has || !by.has || !has_pair(container, used, share))
        return (struct amount){0};
    return (struct amount){true, round(of.value / by.value / unit) * unit};
}

/* While nothing is used there is no telling: the limit is what it was. Kubernetes counts cpu in
 * thousandths of a core. */
static struct amount cpu_limit_of_share(struct pipeline *p,
                                        const struct container *container)
{
    const struct container_reading *share = container->reading[CONTAINER_CPU_LIMIT_SHARE];
    struct amount limit = divide(container, CONTAINER_CPU_CORES,
                                 CONTAINER_CPU_LIMIT_SHARE, 0.001);

    if (!share)
        return limit;

    union number *kept = &state_stream(p, share->stream)->last;

    if (limit.has && limit.value > 0)
        kept->as_double = limit.value;
    return (struct amount){kept->as_double > 0, kept->as_double};
}

static struct amount cpu_limit_of_quota(const struct container *container)
{
    struct amount quota = above_zero(container, CONTAINER_CPU_QUOTA);
    struct amount period = above_zero(container, CONTAINER_CPU_PERIOD);

    if (!quota.has || !period.has)
        return (struct amount){0};
    return (struct amount){true, quota.value / period.value};
}

static struct amount first_of(const struct amount *amounts, size_t count)
{
    size_t i = 0;

    while (i + 1 < count && !amounts[i].has)
        i++;
    return amounts[i];
}

static struct amount cpu_limit(struct pipeline *p, const struct container *container)
{
    struct amount sources[] = {
        above_zero(container, CONTAINER_CPU_LIMIT),
        cpu_limit_of_quota(container),
        cpu_limit_of_share(p, container),
        above_zero(container, CONTAINER_CPU_MACHINE),
    };

    return first_of(sources, sizeof(sources) / sizeof(sources[0]));
}

static struct amount memory_limit_of_rest(const struct container *container)
{
    const struct container_reading *const *reading = container->reading;
    const struct container_reading *rest = reading[CONTAINER_MEMORY_AVAILABLE];
    const struct container_reading *used = reading[CONTAINER_MEMORY_WORKING_SET];

    if (!rest || !used || rest->time_ns != used->time_ns)
        return (struct amount){0};
    return (struct amount){true, rest->value + used->value};
}

static struct amount below_no_limit(struct amount limit)
{
    limit.has &= limit.value < NO_LIMIT_BYTES;
    return limit;
}

static struct amount memory_limit(const struct container *container)
{
    struct amount sources[] = {
        above_zero(container, CONTAINER_MEMORY_LIMIT),
        memory_limit_of_rest(container),
        divide(container, CONTAINER_MEMORY_USAGE, CONTAINER_MEMORY_LIMIT_SHARE, 1),
        below_no_limit(above_zero(container, CONTAINER_MEMORY_CADVISOR_LIMIT)),
        below_no_limit(above_zero(container, CONTAINER_MEMORY_DOCKER_LIMIT)),
    };

    return first_of(sources, sizeof(sources) / sizeof(sources[0]));
}

/* What tells how much it uses: the first component of its group that there is; NULL: none does. */
static const struct container_reading *usage_of(const struct container *container,
                                                enum native_group group)
{
    size_t last = group == NATIVE_CONTAINER_MEMORY ? CONTAINER_MEMORY_USAGES
                                                   : CONTAINER_CPU_CORES + 1;

    for (size_t i = 0; i < last; i++)
        if (container->reading[i])
            return container->reading[i];
    return NULL;
}

/* What the machine has, as mackerel-container-agent posts it for containers without a limit. */
static struct amount machine_of(const struct pipeline *p, const struct cell *cell,
                                uint32_t stream)
{
    uint32_t node = state_family(p, state_stream(p, stream)->family)->node;
    double amount = cell->group == NATIVE_CONTAINER_CPU ? node_cores(p, node)
                                                        : node_memory(p, node);

    return (struct amount){amount > 0, amount};
}

/* ---- all containers of the cell ------------------------------------------------------------- */

struct sum {
    double usage, limit;
    unsigned containers, limits;
};

static void add(struct pipeline *p, const struct cell *cell, struct sum sums[2],
                const struct container *container)
{
    const struct container_reading *usage = usage_of(container,
                                                     (enum native_group)cell->group);
    struct amount limit;

    if (!usage)
        return;
    limit = cell->group == NATIVE_CONTAINER_CPU ? cpu_limit(p, container)
                                                : memory_limit(container);
    if (!limit.has)
        limit = machine_of(p, cell, usage->stream);

    struct sum *sum = &sums[usage->is_alive ? 0 : 1];

    sum->usage += usage->value;
    sum->containers++;
    sum->limits += limit.has ? 1 : 0;
    sum->limit += limit.has ? limit.value : 0;
}

/* Those that are alive, else the rest. */
static struct sum sum_containers(struct pipeline *p, const struct cell *cell,
                                 size_t count)
{
    struct sum sums[2] = {0};
    struct container container = {0};

    for (size_t i = 0; i < count; i++) {
        const struct container_reading *reading = &p->readings[i];
        const struct container_reading **at = &container.reading[reading->component];

        if (!*at)
            *at = reading;
        if (i + 1 < count && p->readings[i + 1].rank == reading->rank)
            continue;
        add(p, cell, sums, &container);
        container = (struct container){0};
    }
    return sums[0].containers ? sums[0] : sums[1];
}

static double increase(const struct minute *minute, uint8_t component)
{
    return component < minute->room ? minute->component[component] : 0;
}

/* The component that counts: the first with a stream that is alive, else the first with any. */
static bool find_total(const struct pipeline *p, size_t count, uint8_t *component)
{
    const struct container_reading *found = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct container_reading *reading = &p->readings[i];

        if (!reading->is_total || (found && found->is_alive && !reading->is_alive))
            continue;
        if (!found || (reading->is_alive && !found->is_alive) ||
            reading->component < found->component)
            found = reading;
    }
    if (found)
        *component = found->component;
    return found != NULL;
}

/* ---- values --------------------------------------------------------------------------------- */

struct rendering {
    struct pipeline *pipeline;
    const struct cell *cell;
    const struct minute *minute;
    native_emit *emit;
    void *self;
};

static void emit(const struct rendering *r, const char *after, double value)
{
    struct buffer *text = &r->pipeline->text;

    buffer_reset(text);
    buffer_append(text, cell_name(r->cell));
    buffer_append_text(text, after);
    r->emit(r->self, buffer_slice(text), value);
}

static void emit_limit(const struct rendering *r, const struct sum *sum, double scale)
{
    if (sum->containers && sum->limits == sum->containers)
        emit(r, ".limit", scale * sum->limit);
}

/* As mackerel-container-agent: a core that is busy all the time is 100. */
static void render_cpu(const struct rendering *r, size_t count)
{
    struct sum sum = sum_containers(r->pipeline, r->cell, count);
    uint8_t component = 0;
    double cores = sum.usage;

    if (sum.containers == 0)
        return;
    if (find_total(r->pipeline, count, &component))
        cores = increase(r->minute, component) / SECONDS;
    if (component == CONTAINER_CPU_NANOSECONDS)
        cores /= NANOSECONDS;
    emit(r, ".usage", PERCENT * cores);
    emit_limit(r, &sum, PERCENT);
}

static void render_memory(const struct rendering *r, size_t count)
{
    struct sum sum = sum_containers(r->pipeline, r->cell, count);

    if (sum.containers == 0)
        return;
    emit(r, ".usage", sum.usage);
    emit_limit(r, &sum, 1);
}

static void render_network(const struct rendering *r, size_t count)
{
    bool has[NATIVE_COMPONENTS] = {0};

    const struct {
        const char *after;
        uint8_t component, otherwise;
    } values[] = {
        {".rxBytes.delta", CONTAINER_NETWORK_RX, CONTAINER_NETWORK_CADVISOR_RX},
        {".txBytes.delta", CONTAINER_NETWORK_TX, CONTAINER_NETWORK_CADVISOR_TX},
    };

    for (size_t i = 0; i < count; i++)
        has[r->pipeline->readings[i].component] = true;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        uint8_t component = has[values[i].component] ? values[i].component
                                                     : values[i].otherwise;

        if (has[component])
            emit(r, values[i].after, increase(r->minute, component) / SECONDS);
    }
}

void container_minute_render(struct pipeline *p, const struct cell *cell,
                             const struct minute *minute, native_emit *emit_value,
                             void *self)
{
    const struct rendering r = {p, cell, minute, emit_value, self};
    size_t count = collect(p, cell, minute->number);

    if (cell->group == NATIVE_CONTAINER_CPU)
        render_cpu(&r, count);
    else if (cell->group == NATIVE_CONTAINER_MEMORY)
        render_memory(&r, count);
    else
        render_network(&r, count);
}
