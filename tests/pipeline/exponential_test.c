/*
 * Exponential buckets: read, compared, added, and percentiles of them. Expected values are worked
 * out by hand from the data model's formulas; powers of two are written out.
 */
#include "pipeline/exponential.h"

#include "pipeline/percentile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A point; counts of one byte each are packed as they are. */
struct sent {
    int32_t scale;
    double threshold;
    uint64_t zero;
    int32_t offset; /* positive */
    const char *counts;
    size_t len;
    int32_t negative_offset;
    const char *negative;
    size_t negative_len;
};

static struct otlp_buckets buckets_of(int32_t offset, const char *counts, size_t len)
{
    return (struct otlp_buckets){offset, (uint32_t)len, {counts, len}};
}

static struct exponential read(struct sent sent)
{
    const struct otlp_exponential point = {
        .scale = sent.scale,
        .zero_threshold = sent.threshold,
        .zero_count = sent.zero,
        .positive = buckets_of(sent.offset, sent.counts, sent.len),
        .negative = buckets_of(sent.negative_offset, sent.negative, sent.negative_len),
    };
    struct exponential buckets = {0};

    exponential_read(&buckets, &point);
    return buckets;
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-12 * fmax(1, fabs(expected))))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void assert_side(const struct exponential_side *side, int64_t low,
                        const uint64_t *counts, uint32_t len)
{
    assert_int_equal(side->len, len);
    assert_true(len == 0 || side->low == low);
    for (uint32_t i = 0; i < len; i++)
        assert_int_equal(side->count[i].whole, counts[i]);
}

static void assert_parts(const struct exponential_side *side, int64_t low,
                         const double *counts, uint32_t len)
{
    assert_int_equal(side->len, len);
    assert_true(len == 0 || side->low == low);
    for (uint32_t i = 0; i < len; i++)
        assert_near(side->count[i].part, counts[i]);
}

/* ---- reading ------------------------------------------------------------------------------ */

static void buckets_are_read_from_the_first_to_the_last_that_counts(void **state)
{
    const char counts[] = {0, 0, 3, 0, 1, 0};
    const uint64_t wanted[] = {3, 0, 1};
    struct exponential buckets = read((struct sent){
        .scale = 4, .zero = 2, .offset = -1, .counts = counts, .len = sizeof(counts)});

    (void)state;
    assert_int_equal(buckets.scale, 4);
    assert_int_equal(buckets.zero.whole, 2);
    assert_side(&buckets.positive, 1, wanted, 3);
    assert_side(&buckets.negative, 0, NULL, 0);
    exponential_release(&buckets);
}

/* 321 buckets from -161 to 159: halved they are -81 to 79, which is one too many; again: -41 to 39. */
static void more_buckets_than_are_kept_cost_scale(void **state)
{
    char counts[321];
    struct exponential buckets;

    (void)state;
    memset(counts, 1, sizeof(counts));
    buckets = read((struct sent){
        .scale = 5, .offset = -161, .counts = counts, .len = sizeof(counts)});
    assert_int_equal(buckets.scale, 3);
    assert_int_equal(buckets.sent_scale, 5);
    assert_int_equal(buckets.positive.low, -41);
    assert_int_equal(buckets.positive.len, 81);
    /* -161 is alone in -41 (-164 to -161); -160 to -157 are -40. */
    assert_int_equal(buckets.positive.count[0].whole, 1);
    assert_int_equal(buckets.positive.count[1].whole, 4);
    assert_int_equal(buckets.positive.count[80].whole, 4);
    exponential_release(&buckets);
}

static void as_many_buckets_as_are_kept_cost_nothing(void **state)
{
    char counts[EXPONENTIAL_BUCKETS];
    struct exponential buckets;

    (void)state;
    memset(counts, 1, sizeof(counts));
    buckets = read(
        (struct sent){.scale = 5, .offset = -7, .counts = counts, .len = sizeof(counts)});
    assert_int_equal(buckets.scale, 5);
    assert_int_equal(buckets.positive.len, EXPONENTIAL_BUCKETS);
    exponential_release(&buckets);
}

static void a_scale_below_all_use_is_the_lowest(void **state)
{
    struct exponential buckets = read(
        (struct sent){.scale = INT32_MIN, .offset = -1, .counts = "\1\2", .len = 2});

    (void)state;
    assert_int_equal(buckets.scale, EXPONENTIAL_MIN_SCALE);
    assert_int_equal(buckets.positive.low, -1);
    exponential_release(&buckets);
}

/* ---- rising ------------------------------------------------------------------------------- */

struct rising {
    struct exponential last, now, rise, scratch;
};

static bool rise(struct rising *r, struct sent last, struct sent now)
{
    *r = (struct rising){.last = read(last), .now = read(now)};
    return exponential_rise(&r->rise, &r->last, &r->now, &r->scratch);
}

static void release(struct rising *r)
{
    exponential_release(&r->last);
    exponential_release(&r->now);
    exponential_release(&r->rise);
    exponential_release(&r->scratch);
}

static void assert_fell(struct sent last, struct sent now)
{
    struct rising r;

    assert_false(rise(&r, last, now));
    release(&r);
}

static void what_rose_is_the_difference(void **state)
{
    const uint64_t positive[] = {1, 0, 4}, negative[] = {2};
    struct rising r;

    (void)state;
    assert_true(rise(&r,
                     (struct sent){.zero = 1, .offset = 3, .counts = "\5\2", .len = 2},
                     (struct sent){.zero = 4,
                                   .offset = 2,
                                   .counts = "\0\6\2\4",
                                   .len = 4,
                                   .negative_offset = -9,
                                   .negative = "\2",
                                   .negative_len = 1}));
    assert_int_equal(r.rise.zero.whole, 3);
    assert_side(&r.rise.positive, 3, positive, 3);
    assert_side(&r.rise.negative, -9, negative, 1);
    release(&r);
}

/* Scale 1 to 0: -3, -2 become -2, -1; 0 and 1 become 0. An arithmetic shift rounds down. */
static void the_finer_one_is_brought_to_the_lower_scale(void **state)
{
    const uint64_t wanted[] = {1, 4, 0, 9};
    struct rising r;

    (void)state;
    assert_true(rise(
        &r, (struct sent){.scale = 1, .offset = -3, .counts = "\1\2\0\3\4", .len = 5},
        (struct sent){.scale = 0, .offset = -2, .counts = "\2\6\7\11", .len = 4}));
    assert_int_equal(r.rise.scale, 0);
    /* last: -3 -> -2: 1; -2, -1 -> -1: 2; 0, 1 -> 0: 7 */
    assert_side(&r.rise.positive, -2, wanted, 4);
    release(&r);
}

static void what_did_not_rise_takes_no_buckets(void **state)
{
    const uint64_t wanted[] = {1};
    struct rising r;

    (void)state;
    assert_true(rise(&r, (struct sent){.offset = 0, .counts = "\1\2\3", .len = 3},
                     (struct sent){.offset = 0, .counts = "\1\3\3", .len = 3}));
    assert_side(&r.rise.positive, 1, wanted, 1);
    release(&r);
}

static void a_bucket_below_the_last_one_is_a_fall(void **state)
{
    (void)state;
    assert_fell((struct sent){.offset = 0, .counts = "\1\2", .len = 2},
                (struct sent){.offset = 0, .counts = "\4\1", .len = 2});
    assert_fell((struct sent){.offset = 0, .counts = "\1\2", .len = 2},
                (struct sent){.offset = 1, .counts = "\7", .len = 1});
    assert_fell((struct sent){.zero = 2}, (struct sent){.zero = 1});
    /* Only after bringing them to one scale: bucket 0 has 3 of last, 2 of now. */
    assert_fell((struct sent){.scale = 1, .offset = 0, .counts = "\1\2", .len = 2},
                (struct sent){.scale = 0, .offset = 0, .counts = "\2\7", .len = 2});
}

static void no_merging_raises_the_scale_or_lowers_the_threshold(void **state)
{
    struct rising r;

    (void)state;
    assert_fell((struct sent){.scale = 0, .offset = 0, .counts = "\1", .len = 1},
                (struct sent){.scale = 1, .offset = 0, .counts = "\1\1", .len = 2});
    assert_fell((struct sent){.threshold = 0.5, .zero = 1},
                (struct sent){.threshold = 0.25, .zero = 2});
    /* Nothing was seen at that scale yet. */
    assert_true(rise(&r, (struct sent){.scale = 0, .zero = 1},
                     (struct sent){.scale = 20, .zero = 1, .counts = "\1", .len = 1}));
    assert_int_equal(r.rise.scale, 20);
    release(&r);
}

/* Bucket -2 is (1/4, 1/2], bucket -1 (1/2, 1]: a threshold of 0.3 lies in the former. */
static void buckets_below_the_higher_threshold_are_zero(void **state)
{
    const uint64_t wanted[] = {2};
    struct rising r;

    (void)state;
    assert_true(
        rise(&r, (struct sent){.zero = 1, .offset = -3, .counts = "\1\2\3", .len = 3},
             (struct sent){
                 .zero = 6, .threshold = 0.3, .offset = -1, .counts = "\5", .len = 1}));
    /* last has 1 + 1 + 2 there, and 0.3 is no edge of what it had: it rises to 1/2 */
    assert_int_equal(r.rise.zero.whole, 2);
    assert_near(r.rise.zero_threshold, 0.5);
    assert_side(&r.rise.positive, -1, wanted, 1);
    release(&r);
}

/* ---- adding ------------------------------------------------------------------------------- */

static void add(struct exponential *to, struct sent sent, double before, double until)
{
    struct exponential increase = read(sent), scratch = {0};

    exponential_add(to, &increase, before, until, &scratch);
    exponential_release(&increase);
    exponential_release(&scratch);
}

static void parts_of_an_increase_make_the_whole(void **state)
{
    const double third[] = {1, 0, 2}, two_thirds[] = {2, 0, 4};
    const struct sent sent = {.zero = 9, .offset = 5, .counts = "\3\0\6", .len = 3};
    struct exponential first = {0}, second = {0};

    (void)state;
    add(&first, sent, 0, 1.0 / 3);
    add(&second, sent, 1.0 / 3, 1);
    assert_near(first.zero.part, 3);
    assert_near(second.zero.part, 6);
    assert_parts(&first.positive, 5, third, 3);
    assert_parts(&second.positive, 5, two_thirds, 3);
    exponential_release(&first);
    exponential_release(&second);
}

static void streams_of_several_scales_meet_at_the_lowest(void **state)
{
    const double wanted[] = {1, 3, 0, 5}, with_front[] = {7, 0, 1, 3, 0, 5};
    struct exponential minute = {0};

    (void)state;
    add(&minute, (struct sent){.scale = 2, .offset = -1, .counts = "\1\1\1\1", .len = 4},
        0, 1);
    add(&minute, (struct sent){.scale = 0, .offset = 2, .counts = "\5", .len = 1}, 0, 1);
    assert_int_equal(minute.scale, 0);
    assert_parts(&minute.positive, -1, wanted, 4);
    add(&minute, (struct sent){.scale = 1, .offset = -5, .counts = "\7", .len = 1}, 0, 1);
    assert_parts(&minute.positive, -3, with_front, 6);
    exponential_release(&minute);
}

/* One value near 1 and one near 1000 at scale 20: 10 x 2^20 buckets lie between them. */
static void values_far_apart_cost_scale(void **state)
{
    struct exponential minute = {0};

    (void)state;
    add(&minute, (struct sent){.scale = 20, .offset = 0, .counts = "\1", .len = 1}, 0, 1);
    add(&minute, (struct sent){.scale = 20, .offset = 10 << 20, .counts = "\2", .len = 1},
        0, 1);
    /* 10 x 2^s + 1 buckets, at most 160: s is 3, and the value 2^10 is at index 80. */
    assert_int_equal(minute.scale, 3);
    assert_int_equal(minute.positive.low, 0);
    assert_int_equal(minute.positive.len, 81);
    assert_near(minute.positive.count[0].part, 1);
    assert_near(minute.positive.count[80].part, 2);
    exponential_release(&minute);
}

static void thresholds_of_several_streams_are_the_highest(void **state)
{
    const double wanted[] = {4};
    struct exponential minute = {0};

    (void)state;
    add(&minute, (struct sent){.offset = -2, .counts = "\3\4", .len = 2}, 0, 1);
    add(&minute, (struct sent){.threshold = 0.5, .zero = 2}, 0, 1);
    assert_near(minute.zero.part, 5);
    assert_near(minute.zero_threshold, 0.5);
    assert_parts(&minute.positive, -1, wanted, 1);
    exponential_release(&minute);
}

/* ---- percentiles -------------------------------------------------------------------------- */

static void assert_percentile(struct sent sent, double q, double expected)
{
    struct exponential minute = {0};
    double value = 0;

    add(&minute, sent, 0, 1);
    assert_true(percentile_exponential(&minute, q, &value));
    assert_near(value, expected);
    exponential_release(&minute);
}

/* Of scale 0: (1, 2] has 2, (2, 4] 4, (4, 8] 4. */
static void ranks_are_interpolated_between_powers(void **state)
{
    const struct sent sent = {.offset = 0, .counts = "\2\4\4", .len = 3};

    (void)state;
    assert_percentile(sent, 0.9, 6.727171322029716); /* rank 9: 2^(2 + 3/4) */
    assert_percentile(sent, 0.1, 1.4142135623730951);
    assert_percentile(sent, 0.2, 2);
    assert_percentile(sent, 1, 8);
    assert_percentile(sent, 0, 1);
}

/* base 2^(1/4): bucket 7 is (2^(7/4), 2^2], bucket -6 (2^(-6/4), 2^(-5/4)]. */
static void the_scale_is_in_the_exponent(void **state)
{
    (void)state;
    assert_percentile((struct sent){.scale = 2, .offset = 7, .counts = "\2", .len = 1},
                      0.5, 3.668016172818685); /* 2^(7.5 / 4) */
    assert_percentile((struct sent){.scale = 2, .offset = -6, .counts = "\4", .len = 1},
                      0.25, 0.36920653648487484); /* 2^(-5.75 / 4) */
    assert_percentile((struct sent){.scale = -2, .offset = 1, .counts = "\4", .len = 1},
                      0.75, 128); /* 16^(1 + 3/4) */
}

/* From the lowest: -(2, 4] has 1, -(1, 2] 3, zero 4, (1, 2] 2. */
static void negative_values_come_first(void **state)
{
    const struct sent sent = {.zero = 4,
                              .threshold = 0.5,
                              .offset = 0,
                              .counts = "\2",
                              .len = 1,
                              .negative_offset = 0,
                              .negative = "\3\1",
                              .negative_len = 2};

    (void)state;
    assert_percentile(sent, 0.05, -2.8284271247461903); /* rank 1/2: -2^(2 - 1/2) */
    assert_percentile(sent, 0.25, -1.4142135623730951); /* rank 5/2: -2^(1 - 1/2) */
    assert_percentile(sent, 0.5, -0.25);                /* rank 5: 1/4 of (-1/2, 1/2] */
    assert_percentile(sent, 0.9, 1.4142135623730951);
}

static void the_zero_bucket_ends_at_zero_where_nothing_is_beyond(void **state)
{
    (void)state;
    assert_percentile(
        (struct sent){.zero = 4, .threshold = 0.5, .counts = "\4", .len = 1}, 0.125,
        0.125);
    assert_percentile(
        (struct sent){.zero = 4, .threshold = 0.5, .negative = "\4", .negative_len = 1},
        0.75, -0.25);
    assert_percentile((struct sent){.zero = 4, .threshold = 0.5}, 0.75, 0.25);
    assert_percentile((struct sent){.zero = 4}, 0.99, 0);
}

static void without_observations_there_is_no_percentile(void **state)
{
    const struct exponential minute = {0};
    double value;

    (void)state;
    assert_false(percentile_exponential(&minute, 0.5, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_read_from_the_first_to_the_last_that_counts),
        cmocka_unit_test(more_buckets_than_are_kept_cost_scale),
        cmocka_unit_test(as_many_buckets_as_are_kept_cost_nothing),
        cmocka_unit_test(a_scale_below_all_use_is_the_lowest),
        cmocka_unit_test(what_rose_is_the_difference),
        cmocka_unit_test(the_finer_one_is_brought_to_the_lower_scale),
        cmocka_unit_test(what_did_not_rise_takes_no_buckets),
        cmocka_unit_test(a_bucket_below_the_last_one_is_a_fall),
        cmocka_unit_test(no_merging_raises_the_scale_or_lowers_the_threshold),
        cmocka_unit_test(buckets_below_the_higher_threshold_are_zero),
        cmocka_unit_test(parts_of_an_increase_make_the_whole),
        cmocka_unit_test(streams_of_several_scales_meet_at_the_lowest),
        cmocka_unit_test(values_far_apart_cost_scale),
        cmocka_unit_test(thresholds_of_several_streams_are_the_highest),
        cmocka_unit_test(ranks_are_interpolated_between_powers),
        cmocka_unit_test(the_scale_is_in_the_exponent),
        cmocka_unit_test(negative_values_come_first),
        cmocka_unit_test(the_zero_bucket_ends_at_zero_where_nothing_is_beyond),
        cmocka_unit_test(without_observations_there_is_no_percentile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
