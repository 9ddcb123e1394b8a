/*
 * Random requests, packed by protobuf-c and decoded by both: the same points with the same facts,
 * and equal stream hashes exactly where the streams are equal. The random numbers are always the
 * same. What protobuf-c refuses although it is legal (groups, wrong wire types) is not made here.
 */
#include "base/buffer.h"
#include "base/memory.h"
#include "proto/otlp.h"

#include <math.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define COMMON(name)  Opentelemetry__Proto__Common__V1__##name
#define METRICS(name) Opentelemetry__Proto__Metrics__V1__##name

typedef Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceRequest
    request_message;

enum {
    ROUNDS = 3000,
    POINTS_MAX = 8,
    PAIRS_MAX = 4,
    BUCKETS_MAX = 5,
    SEED = 5
};

static const uint64_t TIME_NS = UINT64_C(1795500000000000000);

static uint64_t random_state = 20261124;

/* xorshift64* */
static uint64_t draw(uint64_t below)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (random_state * UINT64_C(0x2545F4914F6CDD1D) >> 32) % below;
}

/* ---- one random metric in storage of its own ----------------------------------------------- */

struct scratch_pair {
    COMMON(KeyValue) pair;
    COMMON(AnyValue) value;
    char key[2], text[3];
};

struct scratch_point {
    METRICS(NumberDataPoint) number;
    METRICS(HistogramDataPoint) histogram;
    METRICS(ExponentialHistogramDataPoint) exponential;
    METRICS(ExponentialHistogramDataPoint__Buckets) sides[2];
    uint64_t side_counts[2][BUCKETS_MAX];
    struct scratch_pair pairs[PAIRS_MAX];
    COMMON(KeyValue) * pair_list[PAIRS_MAX];
    size_t pair_count;
    uint64_t counts[BUCKETS_MAX + 1];
    double bounds[BUCKETS_MAX];
};

static struct scratch_point points[POINTS_MAX];
static size_t point_count;

static void draw_pair(struct scratch_pair *pair, char key)
{
    opentelemetry__proto__common__v1__key_value__init(&pair->pair);
    opentelemetry__proto__common__v1__any_value__init(&pair->value);
    memcpy(pair->key, (char[]){key, '\0'}, sizeof pair->key);
    memcpy(pair->text, (char[]){'v', (char)('0' + draw(3)), '\0'}, sizeof pair->text);
    pair->pair.key = pair->key;
    pair->pair.value = &pair->value;
    switch (draw(4)) {
    case 0:
        pair->value.value_case =
            OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE;
        pair->value.int_value = (int64_t)draw(3) - 1;
        break;
    case 1:
        pair->value.value_case =
            OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE;
        pair->value.bool_value = draw(2) == 0;
        break;
    default:
        pair->value.value_case =
            OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
        pair->value.string_value = pair->text;
        break;
    }
}

/* Some of the keys a, b, c, d in a random rotation. */
static void draw_pairs(struct scratch_point *point)
{
    uint64_t first = draw(PAIRS_MAX);

    point->pair_count = 0;
    for (uint64_t i = 0; i < PAIRS_MAX; i++) {
        size_t at = point->pair_count;

        if (draw(3) == 0)
            continue;
        draw_pair(&point->pairs[at], (char)('a' + (first + i) % PAIRS_MAX));
        point->pair_list[at] = &point->pairs[at].pair;
        point->pair_count++;
    }
}

static void draw_number(struct scratch_point *point)
{
    METRICS(NumberDataPoint) *number = &point->number;

    opentelemetry__proto__metrics__v1__number_data_point__init(number);
    draw_pairs(point);
    number->attributes = point->pair_list;
    number->n_attributes = point->pair_count;
    number->time_unix_nano = draw(5) ? TIME_NS + draw(100) : 0;
    number->start_time_unix_nano = draw(2) ? TIME_NS + draw(3) : 0;
    number->flags = draw(8) == 0;
    if (draw(4) == 0)
        return;
    if (draw(2)) {
        number->value_case =
            OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__VALUE_AS_INT;
        number->as_int = (int64_t)draw(100) - 50;
    } else {
        number->value_case =
            OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__VALUE_AS_DOUBLE;
        number->as_double = (double)draw(1000) / 8 - 60;
    }
}

static void draw_histogram(struct scratch_point *point)
{
    METRICS(HistogramDataPoint) *histogram = &point->histogram;

    opentelemetry__proto__metrics__v1__histogram_data_point__init(histogram);
    draw_pairs(point);
    histogram->attributes = point->pair_list;
    histogram->n_attributes = point->pair_count;
    histogram->time_unix_nano = TIME_NS + draw(100);
    histogram->n_bucket_counts = draw(BUCKETS_MAX + 2);
    histogram->n_explicit_bounds = histogram->n_bucket_counts
                                       ? histogram->n_bucket_counts - 1
                                       : 0;
    histogram->bucket_counts = point->counts;
    histogram->explicit_bounds = point->bounds;
    for (size_t i = 0; i < histogram->n_bucket_counts; i++)
        histogram->count += point->counts[i] = draw(10);
    for (size_t i = 0; i < histogram->n_explicit_bounds; i++)
        point->bounds[i] = (double)i + (draw(12) == 0 ? -2 : 0.5);
    histogram->count += draw(6) == 0;
    if (draw(2)) {
        histogram->_sum_case =
            OPENTELEMETRY__PROTO__METRICS__V1__HISTOGRAM_DATA_POINT___SUM_SUM;
        histogram->sum = (double)draw(50);
    }
}

/* The counts that were drawn, in all. */
static uint64_t draw_side(struct scratch_point *point, int which)
{
    METRICS(ExponentialHistogramDataPoint__Buckets) *side = &point->sides[which];
    uint64_t sum = 0;

    opentelemetry__proto__metrics__v1__exponential_histogram_data_point__buckets__init(
        side);
    side->offset = (int32_t)draw(2100) - 1050;
    side->n_bucket_counts = draw(BUCKETS_MAX + 1);
    side->bucket_counts = point->side_counts[which];
    for (size_t i = 0; i < side->n_bucket_counts; i++)
        sum += point->side_counts[which][i] = draw(3) ? draw(1000) : 0;
    return sum;
}

static void draw_exponential(struct scratch_point *point)
{
    METRICS(ExponentialHistogramDataPoint) *exponential = &point->exponential;

    opentelemetry__proto__metrics__v1__exponential_histogram_data_point__init(
        exponential);
    draw_pairs(point);
    exponential->attributes = point->pair_list;
    exponential->n_attributes = point->pair_count;
    exponential->time_unix_nano = TIME_NS + draw(100);
    exponential->scale = (int32_t)draw(33) - 11;
    exponential->zero_count = draw(4);
    exponential->positive = &point->sides[0];
    exponential->negative = draw(2) ? &point->sides[1] : NULL;
    exponential->count = exponential->zero_count + draw_side(point, 0);
    if (exponential->negative)
        exponential->count += draw_side(point, 1);
    exponential->count += draw(8) == 0;
}

static void pack_metric(METRICS(Metric) * metric, struct buffer *body)
{
    METRICS(ScopeMetrics) scope_metrics, *scope_list[] = {&scope_metrics};
    METRICS(ResourceMetrics) resource_metrics, *resource_list[] = {&resource_metrics};
    METRICS(Metric) * metric_list[] = {metric};
    request_message request;

    opentelemetry__proto__metrics__v1__scope_metrics__init(&scope_metrics);
    opentelemetry__proto__metrics__v1__resource_metrics__init(&resource_metrics);
    opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__init(
        &request);
    scope_metrics.metrics = metric_list;
    scope_metrics.n_metrics = 1;
    resource_metrics.scope_metrics = scope_list;
    resource_metrics.n_scope_metrics = 1;
    request.resource_metrics = resource_list;
    request.n_resource_metrics = 1;
    buffer_reset(body);
    body->len = protobuf_c_message_pack(
        &request.base, (uint8_t *)buffer_reserve(
                           body, protobuf_c_message_get_packed_size(&request.base)));
}

static void draw_sum(struct buffer *body, bool *delta_counter)
{
    METRICS(NumberDataPoint) * list[POINTS_MAX];
    METRICS(Metric) metric;
    METRICS(Sum) sum;
    char name[] = "sum";

    opentelemetry__proto__metrics__v1__metric__init(&metric);
    opentelemetry__proto__metrics__v1__sum__init(&sum);
    point_count = draw(POINTS_MAX + 1);
    for (size_t i = 0; i < point_count; i++) {
        draw_number(&points[i]);
        list[i] = &points[i].number;
    }
    sum.data_points = list;
    sum.n_data_points = point_count;
    *delta_counter = draw(2);
    sum.is_monotonic = *delta_counter;
    sum.aggregation_temporality =
        *delta_counter
            ? OPENTELEMETRY__PROTO__METRICS__V1__AGGREGATION_TEMPORALITY__AGGREGATION_TEMPORALITY_DELTA
            : OPENTELEMETRY__PROTO__METRICS__V1__AGGREGATION_TEMPORALITY__AGGREGATION_TEMPORALITY_CUMULATIVE;
    metric.name = name;
    metric.data_case = OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_SUM;
    metric.sum = &sum;
    pack_metric(&metric, body);
}

static void draw_histograms(struct buffer *body)
{
    METRICS(HistogramDataPoint) * list[POINTS_MAX];
    METRICS(Metric) metric;
    METRICS(Histogram) histogram;
    char name[] = "histogram";

    opentelemetry__proto__metrics__v1__metric__init(&metric);
    opentelemetry__proto__metrics__v1__histogram__init(&histogram);
    point_count = draw(POINTS_MAX + 1);
    for (size_t i = 0; i < point_count; i++) {
        draw_histogram(&points[i]);
        list[i] = &points[i].histogram;
    }
    histogram.data_points = list;
    histogram.n_data_points = point_count;
    histogram.aggregation_temporality =
        OPENTELEMETRY__PROTO__METRICS__V1__AGGREGATION_TEMPORALITY__AGGREGATION_TEMPORALITY_DELTA;
    metric.name = name;
    metric.data_case = OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_HISTOGRAM;
    metric.histogram = &histogram;
    pack_metric(&metric, body);
}

static void draw_exponentials(struct buffer *body)
{
    METRICS(ExponentialHistogramDataPoint) * list[POINTS_MAX];
    METRICS(Metric) metric;
    METRICS(ExponentialHistogram) exponential;
    char name[] = "exponential";

    opentelemetry__proto__metrics__v1__metric__init(&metric);
    opentelemetry__proto__metrics__v1__exponential_histogram__init(&exponential);
    point_count = draw(POINTS_MAX + 1);
    for (size_t i = 0; i < point_count; i++) {
        draw_exponential(&points[i]);
        list[i] = &points[i].exponential;
    }
    exponential.data_points = list;
    exponential.n_data_points = point_count;
    exponential.aggregation_temporality =
        OPENTELEMETRY__PROTO__METRICS__V1__AGGREGATION_TEMPORALITY__AGGREGATION_TEMPORALITY_DELTA;
    metric.name = name;
    metric.data_case =
        OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_EXPONENTIAL_HISTOGRAM;
    metric.exponential_histogram = &exponential;
    pack_metric(&metric, body);
}

/* ---- the rules, over protobuf-c's tree ----------------------------------------------------- */

static bool is_number_good(const METRICS(NumberDataPoint) * point, bool delta_counter)
{
    if (point->time_unix_nano == 0 || point->start_time_unix_nano > point->time_unix_nano)
        return false;
    if (point->flags & OTLP_NO_RECORDED_VALUE)
        return true;
    switch (point->value_case) {
    case OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__VALUE_AS_INT:
        return !delta_counter || point->as_int >= 0;
    case OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__VALUE_AS_DOUBLE:
        return !delta_counter || point->as_double >= 0;
    case OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__VALUE__NOT_SET:
    case _OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__VALUE__CASE_IS_INT_SIZE:
        break;
    }
    return false;
}

static bool is_histogram_good(const METRICS(HistogramDataPoint) * point)
{
    uint64_t inside = 0;

    for (size_t i = 0; i < point->n_bucket_counts; i++)
        inside += point->bucket_counts[i];
    for (size_t i = 1; i < point->n_explicit_bounds; i++) {
        if (!(point->explicit_bounds[i] > point->explicit_bounds[i - 1]))
            return false;
    }
    if (point->n_bucket_counts && inside != point->count)
        return false;
    return point->count > 0 || !(point->sum > 0);
}

/* Every bucket that counts reaches into [2^-1074, 2^1024). */
static bool is_side_good(const METRICS(ExponentialHistogramDataPoint__Buckets) * side,
                         int32_t scale, uint64_t *count)
{
    for (size_t i = 0; side && i < side->n_bucket_counts; i++) {
        double index = (double)side->offset + (double)i;

        if (side->bucket_counts[i] == 0)
            continue;
        if (!(index * exp2(-scale) < 1024) || !((index + 1) * exp2(-scale) >= -1074))
            return false;
        *count += side->bucket_counts[i];
    }
    return true;
}

static bool is_exponential_good(const METRICS(ExponentialHistogramDataPoint) * point)
{
    uint64_t count = point->zero_count;

    return is_side_good(point->positive, point->scale, &count) &&
           is_side_good(point->negative, point->scale, &count) && count == point->count;
}

/* ---- streams: equal attribute sets, equal hashes ------------------------------------------- */

/* An attribute set of the keys a to d as text with one place for each key. */
struct identity {
    char text[PAIRS_MAX][4];
    struct hash128 hash;
};

static struct identity identities[ROUNDS * POINTS_MAX];
static size_t identity_count;

static void describe_value(char text[4], const COMMON(AnyValue) * value)
{
    memset(text, 0, 4);
    if (value->value_case ==
        OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE) {
        text[0] = 'i';
        text[1] = (char)('1' + value->int_value);
    } else if (value->value_case ==
               OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE) {
        text[0] = value->bool_value ? 't' : 'f';
    } else {
        memcpy(text, value->string_value, 3);
    }
}

static void remember(COMMON(KeyValue) * *pairs, size_t count, struct hash128 hash)
{
    struct identity *identity = &identities[identity_count++];

    *identity = (struct identity){.hash = hash};
    for (size_t i = 0; i < count; i++)
        describe_value(identity->text[pairs[i]->key[0] - 'a'], pairs[i]->value);
}

static int by_text(const void *a, const void *b)
{
    return memcmp(((const struct identity *)a)->text, ((const struct identity *)b)->text,
                  sizeof((const struct identity *)a)->text);
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(&((const struct identity *)a)->hash,
                  &((const struct identity *)b)->hash, sizeof(struct hash128));
}

/* Once sorted by either, neighbours must agree in both or in none. */
static void assert_hashes_name_streams(void)
{
    int (*const orders[])(const void *a, const void *b) = {by_text, by_hash};

    for (size_t order = 0; order < 2; order++) {
        qsort(identities, identity_count, sizeof *identities, orders[order]);
        for (size_t i = 1; i < identity_count; i++)
            assert_int_equal(by_text(&identities[i - 1], &identities[i]) == 0,
                             hash_equal(identities[i - 1].hash, identities[i].hash));
    }
}

/* ---- the comparison ------------------------------------------------------------------------ */

static void assert_number(const struct otlp_point *point,
                          const METRICS(NumberDataPoint) * wanted)
{
    assert_true(point->time_ns == wanted->time_unix_nano);
    assert_true(point->start_ns == wanted->start_time_unix_nano);
    assert_int_equal(point->flags, wanted->flags);
    if (wanted->flags) {
        assert_int_equal(point->value_type, OTLP_NO_VALUE);
    } else if (wanted->value_case ==
               OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__VALUE_AS_INT) {
        assert_int_equal(point->value_type, OTLP_INT);
        assert_true(point->as_int == wanted->as_int);
    } else {
        assert_int_equal(point->value_type, OTLP_DOUBLE);
        assert_true(point->as_double == wanted->as_double);
    }
    remember(wanted->attributes, wanted->n_attributes, point->stream);
}

static void assert_histogram(const struct otlp_batch *batch,
                             const struct otlp_point *point,
                             const METRICS(HistogramDataPoint) * wanted)
{
    const struct otlp_histogram *histogram = &batch->histograms[point->detail];

    assert_true(point->count == wanted->count);
    assert_int_equal(histogram->bucket_count, wanted->n_bucket_counts);
    assert_int_equal(histogram->bound_count, wanted->n_explicit_bounds);
    for (uint32_t i = 0; i < histogram->bucket_count; i++)
        assert_true(otlp_bucket(histogram, i) == wanted->bucket_counts[i]);
    for (uint32_t i = 0; i < histogram->bound_count; i++)
        assert_true(otlp_bound(histogram, i) == wanted->explicit_bounds[i]);
    assert_int_equal(
        histogram->has_sum,
        wanted->_sum_case ==
            OPENTELEMETRY__PROTO__METRICS__V1__HISTOGRAM_DATA_POINT___SUM_SUM);
    assert_true(!histogram->has_sum || histogram->sum == wanted->sum);
    remember(wanted->attributes, wanted->n_attributes, point->stream);
}

static void assert_side(const struct otlp_buckets *buckets,
                        const METRICS(ExponentialHistogramDataPoint__Buckets) * wanted)
{
    struct otlp_buckets_walk walk = otlp_buckets_walk(buckets);
    struct otlp_bucket bucket;

    for (size_t i = 0; wanted && i < wanted->n_bucket_counts; i++) {
        if (wanted->bucket_counts[i] == 0)
            continue;
        assert_true(otlp_buckets_next(&walk, &bucket));
        assert_true(bucket.index == (int64_t)wanted->offset + (int64_t)i);
        assert_true(bucket.count == wanted->bucket_counts[i]);
    }
    assert_false(otlp_buckets_next(&walk, &bucket));
}

static void assert_exponential(const struct otlp_batch *batch,
                               const struct otlp_point *point,
                               const METRICS(ExponentialHistogramDataPoint) * wanted)
{
    const struct otlp_exponential *exponential = &batch->exponentials[point->detail];

    assert_true(point->count == wanted->count);
    assert_int_equal(exponential->scale, wanted->scale);
    assert_true(exponential->zero_count == wanted->zero_count);
    assert_side(&exponential->positive, wanted->positive);
    assert_side(&exponential->negative, wanted->negative);
    remember(wanted->attributes, wanted->n_attributes, point->stream);
}

static request_message *unpack(const struct buffer *body)
{
    request_message *tree =
        opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__unpack(
            NULL, body->len, (const uint8_t *)body->ptr);

    assert_non_null(tree);
    return tree;
}

static void decode(struct otlp_batch *batch, const struct buffer *body)
{
    struct error err;

    assert_true(otlp_decode(batch, buffer_slice(body), SEED, NULL, &err));
    assert_int_equal(batch->total, point_count);
}

static void sums_decode_as_protobuf_c_unpacks_them(void **state)
{
    (void)state;
    struct otlp_batch *batch = otlp_batch_new();
    struct buffer body = {0};

    identity_count = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        bool delta_counter;
        size_t taken = 0;

        draw_sum(&body, &delta_counter);
        decode(batch, &body);

        request_message *tree = unpack(&body);
        const METRICS(
            Sum) *sum = tree->resource_metrics[0]->scope_metrics[0]->metrics[0]->sum;

        for (size_t i = 0; i < sum->n_data_points; i++) {
            /* Only points of one metric share the family's part of the hash. */
            if (is_number_good(sum->data_points[i], delta_counter))
                assert_number(&batch->points[taken++], sum->data_points[i]);
        }
        if (delta_counter)
            identity_count -= taken;
        assert_int_equal(batch->point_count, taken);
        protobuf_c_message_free_unpacked(&tree->base, NULL);
    }
    assert_true(identity_count > ROUNDS);
    assert_hashes_name_streams();
    buffer_release(&body);
    otlp_batch_free(batch);
}

static void histograms_decode_as_protobuf_c_unpacks_them(void **state)
{
    (void)state;
    struct otlp_batch *batch = otlp_batch_new();
    struct buffer body = {0};

    identity_count = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t taken = 0;

        draw_histograms(&body);
        decode(batch, &body);

        request_message *tree = unpack(&body);
        const METRICS(Histogram) *histogram =
            tree->resource_metrics[0]->scope_metrics[0]->metrics[0]->histogram;

        for (size_t i = 0; i < histogram->n_data_points; i++) {
            if (is_histogram_good(histogram->data_points[i]))
                assert_histogram(batch, &batch->points[taken++],
                                 histogram->data_points[i]);
        }
        assert_int_equal(batch->point_count, taken);
        assert_int_equal(batch->refused[REASON_BAD_HISTOGRAM], point_count - taken);
        protobuf_c_message_free_unpacked(&tree->base, NULL);
    }
    assert_true(identity_count > ROUNDS);
    assert_hashes_name_streams();
    buffer_release(&body);
    otlp_batch_free(batch);
}

static void exponential_histograms_decode_as_protobuf_c_unpacks_them(void **state)
{
    (void)state;
    struct otlp_batch *batch = otlp_batch_new();
    struct buffer body = {0};

    identity_count = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t taken = 0;

        draw_exponentials(&body);
        decode(batch, &body);

        request_message *tree = unpack(&body);
        const METRICS(ExponentialHistogram) *exponential = tree->resource_metrics[0]
                                                               ->scope_metrics[0]
                                                               ->metrics[0]
                                                               ->exponential_histogram;

        for (size_t i = 0; i < exponential->n_data_points; i++) {
            if (is_exponential_good(exponential->data_points[i]))
                assert_exponential(batch, &batch->points[taken++],
                                   exponential->data_points[i]);
        }
        assert_int_equal(batch->point_count, taken);
        assert_int_equal(batch->refused[REASON_BAD_HISTOGRAM], point_count - taken);
        protobuf_c_message_free_unpacked(&tree->base, NULL);
    }
    assert_true(identity_count > ROUNDS);
    assert_hashes_name_streams();
    buffer_release(&body);
    otlp_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_decode_as_protobuf_c_unpacks_them),
        cmocka_unit_test(histograms_decode_as_protobuf_c_unpacks_them),
        cmocka_unit_test(exponential_histograms_decode_as_protobuf_c_unpacks_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
