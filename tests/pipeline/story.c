#include "tests/pipeline/story.h"

static const struct scene_resource SDK = {
    .service = "shop", .instance = "a", .is_sdk = true};
static const struct scene_resource BARE = {.instance = "bare"};
static const struct scene_resource HOST = {.host = "web-1", .scope = "hostmetrics"};
static const struct scene_resource RIVAL = {.host = "web-1", .scope = "another"};
static const struct scene_resource SPACED = {.service = "pay", .namespace_ = "shop"};

/* A rule of its own kind before what the packs say. */
#define STORY_RULES                                                          \
    "{match: {metric: errors}, supersedes: faults}, "                        \
    "{match: {metric: [system.*, k8s.node.*, hw.*]}, destination: host, "    \
    "otherwise: service, native: true}, "                                    \
    "{match: {metric: [container.*, k8s.container.*, k8s.pod.network.io]}, " \
    "container: configured}, {destination: service}]"

enum {
    ROUNDS = 24,
    INTERVAL_S = 35
};

static void send(struct scene *scene, const struct scene_metric *metric, double receive_s,
                 struct scene_point point)
{
    scene_send(scene, receive_s, metric, &point, 1);
}

/* Each is called once a round; `at` is when, `n` the round. */

static void counter(struct scene *scene, double at, int n)
{
    /* A restart in the middle, and a replica that nothing else tells apart. */
    double start_s = n < 7 ? 3 : 3 + 7 * INTERVAL_S;

    send(scene, &(struct scene_metric){&SDK, SCENE_COUNTER, "requests"}, at,
         (struct scene_point){.start_s = start_s,
                              .time_s = at - 0.1,
                              .value = 7 * (at - start_s),
                              .is_int = true});
    send(scene, &(struct scene_metric){&SDK, SCENE_COUNTER, "requests"}, at,
         (struct scene_point){.start_s = 4, .time_s = at - 0.2, .value = 2 * at});
}

static void errors(struct scene *scene, double at, int n)
{
    static const char *const kinds[] = {"timeout", "refused", "broken"};

    for (int i = 0; i < 3 && i <= n / 3; i++)
        send(scene, &(struct scene_metric){&SDK, SCENE_COUNTER, "errors"}, at,
             (struct scene_point){.start_s = 3,
                                  .time_s = at - 0.1,
                                  .value = n + i,
                                  .is_int = true,
                                  .key = "kind",
                                  .attribute = kinds[i]});
}

static void deltas(struct scene *scene, double at, int n)
{
    if (n % 5 != 4) /* silent now and then */
        send(scene, &(struct scene_metric){&SPACED, SCENE_DELTA, "jobs"}, at,
             (struct scene_point){.start_s = at - INTERVAL_S, .time_s = at, .value = n});
    send(scene, &(struct scene_metric){&SPACED, SCENE_DELTA, "beats"}, at,
         (struct scene_point){.start_s = at - INTERVAL_S, .time_s = at, .value = 1});
}

static void histogram(struct scene *scene, double at, int n)
{
    const double bounds[] = {10, 20, 40};
    const uint64_t low = (uint64_t)(3 * n), high = (uint64_t)(n * n);
    const uint64_t three[] = {low, high, 1}, four[] = {low, high, 0, 1};
    struct scene_point point = {.start_s = 3,
                                .time_s = at - 0.1,
                                .value = 15 * n,
                                .count = low + high + 1,
                                .bounds = bounds,
                                .buckets = n < 9 ? three : four,
                                .bound_count = n < 9 ? 2 : 3};

    send(scene, &(struct scene_metric){&SDK, SCENE_HISTOGRAM, "latency"}, at, point);
}

static void exponential(struct scene *scene, double at, int n)
{
    const uint64_t counts[] = {(uint64_t)n, 0, (uint64_t)(2 * n)};
    const struct scene_exponential buckets = {
        .scale = n < 9 ? 4 : 2, /* lower on the way */
        .zero_count = (uint64_t)n,
        .zero_threshold = 1e-6,
        .positive = {n < 9 ? 8 : 2, counts, 3},
        .negative = {-7, counts, 1},
    };
    struct scene_point point = {.start_s = 3,
                                .time_s = at - 0.1,
                                .value = 9 * n,
                                .count = (uint64_t)(5 * n),
                                .min = -1,
                                .max = 1 + n,
                                .exponential = &buckets};

    send(scene, &(struct scene_metric){&SDK, SCENE_EXPONENTIAL, "size"}, at, point);
    point.start_s = at - INTERVAL_S;
    send(scene, &(struct scene_metric){&SPACED, SCENE_DELTA_EXPONENTIAL, "batch"}, at,
         point);
}

static void summary(struct scene *scene, double at, int n)
{
    const struct scene_quantile quantiles[] = {{0, 1}, {0.5, n}, {0.99, n + 3}};
    struct scene_point point = {.start_s = 3,
                                .time_s = at - 0.1,
                                .value = 4 * n,
                                .count = (uint64_t)n,
                                .quantiles = quantiles,
                                .quantile_count = 3};

    send(scene, &(struct scene_metric){&SDK, SCENE_SUMMARY, "pause"}, at, point);
    if (n % 5 == 0) /* a second one, which makes a mixture */
        send(scene, &(struct scene_metric){&SPACED, SCENE_SUMMARY, "pause"}, at, point);
}

static void distributions(struct scene *scene, double at, int n)
{
    histogram(scene, at, n);
    exponential(scene, at, n);
    summary(scene, at, n);
}

static void values(struct scene *scene, double at, int n)
{
    send(scene, &(struct scene_metric){&SDK, SCENE_GAUGE, "queue"}, at,
         (struct scene_point){.time_s = at - 0.1, .value = n % 4});
    send(
        scene, &(struct scene_metric){&SDK, SCENE_UPDOWN, "open"}, at,
        (struct scene_point){.start_s = n < 8 ? 3 : 290, .time_s = at - 0.1, .value = n});
    /* A slow one, carried for minutes. */
    if (n % 6 == 0)
        send(scene, &(struct scene_metric){&SPACED, SCENE_GAUGE, "slow"}, at,
             (struct scene_point){.time_s = at - 0.1, .value = n + 0.5});
}

static void host(struct scene *scene, double at, int n)
{
    static const char *const states[] = {"user", "system", "idle", "wait", "nice", "irq"};

    for (int i = 0; i < 6; i++)
        send(scene, &(struct scene_metric){&HOST, SCENE_COUNTER, "system.cpu.time"}, at,
             (struct scene_point){.start_s = 1,
                                  .time_s = at - 0.1,
                                  .value = at * (i + 1),
                                  .key = "state",
                                  .attribute = states[i],
                                  .key2 = "cpu",
                                  .attribute2 = "cpu0"});
    send(scene, &(struct scene_metric){&HOST, SCENE_UPDOWN, "system.memory.usage"}, at,
         (struct scene_point){
             .time_s = at - 0.1, .value = 1e9 + n, .key = "state", .attribute = "used"});
    send(scene, &(struct scene_metric){&HOST, SCENE_COUNTER, "system.paging.faults"}, at,
         (struct scene_point){.time_s = at - 0.1, .value = n});
    send(scene, &(struct scene_metric){&HOST, SCENE_COUNTER, "system.network.io"}, at,
         (struct scene_point){.time_s = at - 0.1,
                              .value = 99 * at,
                              .key = "device",
                              .attribute = n % 2 ? "eth0" : "lo",
                              .key2 = "direction",
                              .attribute2 = "receive"});
    send(scene, &(struct scene_metric){&RIVAL, SCENE_UPDOWN, "system.memory.usage"}, at,
         (struct scene_point){
             .time_s = at - 0.1, .value = 5, .key = "state", .attribute = "used"});
}

static void containers(struct scene *scene, double at, int n)
{
    static const struct scene_resource app = {
        .host = "web-1", .pod = "shop-0", .container = "app"};

    send(scene, &(struct scene_metric){&HOST, SCENE_GAUGE, "system.cpu.logical.count"},
         at, (struct scene_point){.time_s = at - 0.1, .value = 4});
    /* Started anew in the middle. */
    send(scene, &(struct scene_metric){&app, SCENE_COUNTER, "container.cpu.time"}, at,
         (struct scene_point){.start_s = n < 8 ? 3 : 290,
                              .time_s = at - 0.1,
                              .value = n < 8 ? at : at - 290});
    send(scene, &(struct scene_metric){&app, SCENE_GAUGE, "container.memory.working_set"},
         at, (struct scene_point){.time_s = at - 0.1, .value = 1e8 + n});
}

static void troubles(struct scene *scene, double at, int n)
{
    const struct scene_metric queue = {&SDK, SCENE_GAUGE, "queue"};

    if (n == 5) /* ends, and begins again */
        send(scene, &(struct scene_metric){&SDK, SCENE_COUNTER, "errors"}, at,
             (struct scene_point){.start_s = 3,
                                  .time_s = at,
                                  .flags = 1,
                                  .key = "kind",
                                  .attribute = "timeout"});
    if (n == 6) /* the same body twice */
        for (int i = 0; i < 2; i++)
            send(scene, &queue, at + i, (struct scene_point){.time_s = at, .value = 40});
    if (n == 8) /* late: corrects, opens, and is refused */
        for (int i = 1; i < 4; i++)
            send(scene, &queue, at,
                 (struct scene_point){.time_s = at - 60 * i, .value = 50 + i});
    if (n == 9)
        send(scene, &queue, at, (struct scene_point){.time_s = at + 100, .value = 1});
    /* No service of its own: goes with the configuration. */
    send(scene, &(struct scene_metric){&BARE, SCENE_COUNTER, "visits"}, at,
         (struct scene_point){.time_s = at - 0.3, .value = 3 * at});
    send(scene, &(struct scene_metric){&BARE, SCENE_GAUGE, "guests"}, at,
         (struct scene_point){.time_s = at - 0.3, .value = n});
}

static void configuration(struct scene *scene, double at, int n)
{
    static const char *const services[] = {"first", "second", "", "shop"};
    struct pipeline_options options = {
        .rules = "[{match: {metric: beats}, metric: pulses}, " STORY_RULES,
        .grace_ns = n < 10 ? 15000000000u : 5000000000u,
        .lateness_ns = 300000000000u,
        .default_service = services[n / 6 % 4],
        .native_metrics = "auto",
    };

    scene_configure(scene, at, &options);
}

static void (*const acts[])(struct scene *scene, double at, int n) = {
    configuration, counter, errors,     deltas,  distributions,
    values,        host,    containers, troubles};

enum {
    ACTS = sizeof(acts) / sizeof(acts[0])
};

int story_length(void)
{
    /* And a day later: everything again, to a state that has been forgotten for the most part. */
    return (ROUNDS + 1) * ACTS;
}

struct scene *story_begin(void)
{
    return scene_open(&(struct pipeline_options){.rules = "[" STORY_RULES});
}

static double time_of(int step)
{
    int round = step / ACTS;

    return 30 + round * INTERVAL_S + step % ACTS + (round == ROUNDS ? 90000 : 0);
}

void story_step(struct scene *scene, int step)
{
    acts[step % ACTS](scene, time_of(step), step / ACTS);
}

void story_end(struct scene *scene)
{
    scene_wait_until(scene, 30 + 90000 + ROUNDS * INTERVAL_S + 7200);
}

static void ignore(void *self, const struct mackerel_row *rows, size_t count)
{
    (void)self;
    (void)rows;
    (void)count;
}

void story_survive(struct pipeline *pipeline)
{
    struct scene *scene = story_begin();

    pipeline_free(scene->pipeline);
    scene->pipeline = pipeline;
    scene->reloads = false;
    scene->is_unbalanced = true;
    for (int step = 3 * ACTS; step < 4 * ACTS; step++) {
        /* Time comes from the clock: what is due in the far past is due now. */
        pipeline_tick(pipeline, scene_unix_ns(time_of(step)), ignore, NULL);
        story_step(scene, step);
    }
    scene_ticks(scene, 7200, 100);
    pipeline_finish(pipeline, scene_unix_ns(90000), ignore, NULL);
    scene_free(scene);
}
