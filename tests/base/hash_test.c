#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* XXH3_128bits of nothing with seed 0, as the xxHash project's own test vectors have it. */
static void nothing_has_the_published_hash(void **state)
{
    (void)state;
    struct hash128 hash = hash_bytes((struct slice){"", 0}, 0);

    assert_true(hash.low == UINT64_C(0x6001C324468D497F));
    assert_true(hash.high == UINT64_C(0x99AA06D3014798D8));
}

static void bytes_and_seed_make_the_hash(void **state)
{
    (void)state;
    struct hash128 a = hash_bytes(slice_of("abc"), 1);

    assert_true(hash_equal(a, hash_bytes(slice_of("abc"), 1)));
    assert_false(hash_equal(a, hash_bytes(slice_of("abd"), 1)));
    assert_false(hash_equal(a, hash_bytes(slice_of("abc"), 2)));
}

static void mixing_is_ordered_and_adding_is_not(void **state)
{
    (void)state;
    struct hash128 a = hash_bytes(slice_of("a"), 0), b = hash_bytes(slice_of("b"), 0);

    assert_false(hash_equal(hash_mix(a, b), hash_mix(b, a)));
    assert_true(hash_equal(hash_add(a, b), hash_add(b, a)));
    assert_false(hash_equal(hash_add(a, a), hash_add(a, b)));
}

static void mixing_spreads_small_differences(void **state)
{
    (void)state;
    struct hash128 a = hash_bytes(slice_of("a"), 0);
    int lows[64] = {0};

    /* Keys that differ in a counter only must not share the low bits that a table looks at. */
    for (uint64_t i = 0; i < 6400; i++)
        lows[hash_mix(a, (struct hash128){i, 0}).low % 64]++;
    for (int i = 0; i < 64; i++)
        assert_in_range(lows[i], 20, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_has_the_published_hash),
        cmocka_unit_test(bytes_and_seed_make_the_hash),
        cmocka_unit_test(mixing_is_ordered_and_adding_is_not),
        cmocka_unit_test(mixing_spreads_small_differences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
