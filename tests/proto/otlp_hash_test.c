/* One meaning, one hash: however an attribute was encoded; and no two meanings share one. */
#include "proto/otlp_hash.h"

#include "tests/proto/message.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    SEED = 1234,
    DEPTH = 200
};

static struct otlp_hasher hasher(void)
{
    struct otlp_hasher made;

    otlp_hasher_init(&made, SEED, DEPTH);
    return made;
}

/* The hash of a KeyValue, which it takes; through the inline path, as the decoder does. */
static struct hash128 hash_of(struct buffer key_value)
{
    struct otlp_hasher with = hasher();
    struct hash128 set = {0};

    assert_int_equal(otlp_hash_add(&with, buffer_slice(&key_value), 7, &set),
                     OTLP_HASH_OK);
    buffer_release(&key_value);
    return set;
}

static struct buffer pair(struct slice key, struct buffer any)
{
    struct buffer key_value = {0};

    put_bytes(&key_value, FIELD_KEY_VALUE_KEY, key);
    put_message(&key_value, FIELD_KEY_VALUE_VALUE, any);
    return key_value;
}

static struct buffer text_any(struct slice text)
{
    struct buffer any = {0};

    put_bytes(&any, FIELD_ANY_STRING_VALUE, text);
    return any;
}

/* The same attribute in an odd but equal encoding: value before key, an unknown field between. */
static struct buffer odd_pair(struct slice key, struct buffer any)
{
    struct buffer key_value = {0};

    put_message(&key_value, FIELD_KEY_VALUE_VALUE, any);
    put_number(&key_value, 99, 1);
    put_bytes(&key_value, FIELD_KEY_VALUE_KEY, key);
    return key_value;
}

static void strings_of_every_length_hash_alike_in_every_encoding(void **state)
{
    (void)state;
    static char bytes[400];
    const size_t key_lengths[] = {0, 1, 2, 5, 12, 100, 126, 127, 128, 200};

    memset(bytes, 'x', sizeof bytes);
    for (size_t k = 0; k < sizeof key_lengths / sizeof *key_lengths; k++) {
        struct slice key = {bytes, key_lengths[k]};

        for (size_t len = 0; len < 300; len++) {
            struct slice text = {bytes, len};

            assert_true(hash_equal(hash_of(pair(key, text_any(text))),
                                   hash_of(odd_pair(key, text_any(text)))));
        }
    }
}

static void long_lengths_may_be_spelled_with_more_bytes(void **state)
{
    (void)state;
    struct buffer plain = {0}, spelled = {0};

    buffer_append(&plain, (struct slice)SLICE("\x0a\x01k\x12\x03\x0a\x01v"));
    buffer_append(&spelled, (struct slice)SLICE("\x0a\x81\x00k\x12\x04\x0a\x81\x00v"));
    assert_true(hash_equal(hash_of(plain), hash_of(spelled)));
}

static void absent_and_empty_values_are_the_same(void **state)
{
    (void)state;
    struct buffer only_key = {0};

    put_text(&only_key, FIELD_KEY_VALUE_KEY, "k");
    assert_true(
        hash_equal(hash_of(only_key), hash_of(pair(slice_of("k"), (struct buffer){0}))));
}

static struct buffer scalar(unsigned field, uint64_t value)
{
    struct buffer any = {0};

    put_number(&any, field, value);
    return any;
}

static struct buffer wrap(unsigned member, struct buffer content)
{
    struct buffer any = {0};

    put_message(&any, member, content);
    return any;
}

static struct buffer array_of(struct slice first, struct slice second)
{
    struct buffer array = {0};

    put_message(&array, FIELD_ARRAY_VALUES, text_any(first));
    put_message(&array, FIELD_ARRAY_VALUES, text_any(second));
    return wrap(FIELD_ANY_ARRAY_VALUE, array);
}

static struct buffer map_of(const char *first, const char *second)
{
    struct buffer list = {0};

    put_attribute(&list, FIELD_KVLIST_VALUES, first, "v");
    put_attribute(&list, FIELD_KVLIST_VALUES, second, "v");
    return wrap(FIELD_ANY_KVLIST_VALUE, list);
}

static void arrays_are_ordered_and_maps_are_sets(void **state)
{
    (void)state;
    struct slice key = SLICE("k"), a = SLICE("a"), b = SLICE("b");

    assert_false(hash_equal(hash_of(pair(key, array_of(a, b))),
                            hash_of(pair(key, array_of(b, a)))));
    assert_true(hash_equal(hash_of(pair(key, map_of("a", "b"))),
                           hash_of(pair(key, map_of("b", "a")))));
    assert_false(hash_equal(hash_of(pair(key, map_of("a", "b"))),
                            hash_of(pair(key, map_of("a", "c")))));
}

static void different_types_never_hash_alike(void **state)
{
    (void)state;
    struct slice key = SLICE("k"), one = SLICE("1"), none = SLICE("");
    struct buffer bytes = {0}, real = {0};

    put_text(&bytes, FIELD_ANY_BYTES_VALUE, "1");
    put_double(&real, FIELD_ANY_DOUBLE_VALUE, 1);

    const struct hash128 hashes[] = {
        hash_of(pair(key, (struct buffer){0})),
        hash_of(pair(key, text_any(none))),
        hash_of(pair(key, text_any(one))),
        hash_of(pair(key, bytes)),
        hash_of(pair(key, scalar(FIELD_ANY_BOOL_VALUE, 1))),
        hash_of(pair(key, scalar(FIELD_ANY_BOOL_VALUE, 0))),
        hash_of(pair(key, scalar(FIELD_ANY_INT_VALUE, 1))),
        hash_of(pair(key, real)),
        hash_of(pair(key, wrap(FIELD_ANY_ARRAY_VALUE, (struct buffer){0}))),
        hash_of(pair(key, wrap(FIELD_ANY_KVLIST_VALUE, (struct buffer){0}))),
        hash_of(pair(key, array_of(one, none))),
        hash_of(pair(one, text_any((struct slice)SLICE("k")))),
    };

    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
        for (size_t j = 0; j < i; j++)
            assert_false(hash_equal(hashes[i], hashes[j]));
}

static void another_seed_gives_another_hash(void **state)
{
    (void)state;
    struct otlp_hasher one, other;
    struct slice text = SLICE("an attribute");

    otlp_hasher_init(&one, 1, DEPTH);
    otlp_hasher_init(&other, 2, DEPTH);

    struct hash128 a = otlp_hash_short(&one, text), b = otlp_hash_short(&other, text);

    assert_true(a.low != b.low && a.high != b.high);
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static void assert_all_different(uint64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    for (size_t i = 1; i < count; i++)
        assert_true(values[i] != values[i - 1]);
}

/* Half a million near-equal texts of each length: by chance two 64-bit halves meet once in 10^8. */
static void each_half_tells_near_equal_texts_apart(void **state)
{
    (void)state;

    enum {
        COUNT = 500000
    };
    struct otlp_hasher with = hasher();
    uint64_t *low = calloc(COUNT, sizeof *low), *high = calloc(COUNT, sizeof *high);

    assert_non_null(low);
    assert_non_null(high);
    for (size_t len = 8; len <= 72; len += 13) {
        for (size_t i = 0; i < COUNT; i++) {
            char text[80] = {0};

            memcpy(text + (i % 2) * (len - 8), &i, sizeof i);

            struct hash128 hash = otlp_hash_short(&with, (struct slice){text, len});

            low[i] = hash.low;
            high[i] = hash.high;
        }
        if (len == 8) /* both places are the same place */
            continue;
        assert_all_different(low, COUNT);
        assert_all_different(high, COUNT);
    }
    free(low);
    free(high);
}

enum {
    AVALANCHE_LEN = 37,
    AVALANCHE_TRIALS = 2000
};

/* xorshift64 */
static void fill_random(char *text, size_t len)
{
    static uint64_t random = 88172645463325252u;

    for (size_t i = 0; i < len; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        text[i] = (char)(random >> 32);
    }
}

static void count_flips(size_t bit, unsigned flips[static 128])
{
    struct otlp_hasher with = hasher();
    char bytes[AVALANCHE_LEN];
    struct slice text = {bytes, sizeof bytes};

    fill_random(bytes, sizeof bytes);

    struct hash128 before = otlp_hash_short(&with, text);

    bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);

    struct hash128 after = otlp_hash_short(&with, text);

    for (unsigned out = 0; out < 64; out++) {
        flips[out] += (unsigned)((before.low ^ after.low) >> out & 1);
        flips[64 + out] += (unsigned)((before.high ^ after.high) >> out & 1);
    }
}

/* Each bit of the input flips each bit of the output about every second time. */
static void every_input_bit_reaches_every_output_bit(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < AVALANCHE_LEN * 8; bit++) {
        unsigned flips[128] = {0};

        for (unsigned trial = 0; trial < AVALANCHE_TRIALS; trial++)
            count_flips(bit, flips);
        /* 1000 expected, standard deviation 22: six deviations over 38,000 counts. */
        for (unsigned out = 0; out < 128; out++)
            assert_in_range(flips[out], 866, 1134);
    }
}

static void nesting_is_counted_in_message_levels(void **state)
{
    (void)state;
    struct otlp_hasher with = hasher();
    struct buffer any = {0};
    unsigned arrays = 0;
    struct hash128 set;

    /* KeyValue at level 7, AnyValue 8, each array two more: 96 of them end at level 200. */
    for (; arrays < 96; arrays++) {
        struct buffer array = {0};

        put_message(&array, FIELD_ARRAY_VALUES, any);
        any = wrap(FIELD_ANY_ARRAY_VALUE, array);
    }

    struct buffer fits = pair(slice_of("k"), any);

    assert_int_equal(otlp_hash_member(&with, buffer_slice(&fits), 7, &set), OTLP_HASH_OK);
    assert_int_equal(otlp_hash_member(&with, buffer_slice(&fits), 8, &set),
                     OTLP_HASH_TOO_DEEP);
    buffer_release(&fits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_of_every_length_hash_alike_in_every_encoding),
        cmocka_unit_test(long_lengths_may_be_spelled_with_more_bytes),
        cmocka_unit_test(absent_and_empty_values_are_the_same),
        cmocka_unit_test(arrays_are_ordered_and_maps_are_sets),
        cmocka_unit_test(different_types_never_hash_alike),
        cmocka_unit_test(another_seed_gives_another_hash),
        cmocka_unit_test(each_half_tells_near_equal_texts_apart),
        cmocka_unit_test(every_input_bit_reaches_every_output_bit),
        cmocka_unit_test(nesting_is_counted_in_message_levels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
