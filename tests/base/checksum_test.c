#include "base/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The check value of the algorithm, and the 32 bytes of zeros of RFC 3720, B.4. */
static void sums_are_those_of_the_standard(void **state)
{
    static const char zeros[32];

    (void)state;
    assert_int_equal(checksum_crc32c(0, slice_of("123456789")), 0xE3069283);
    assert_int_equal(checksum_crc32c(0, (struct slice){zeros, sizeof(zeros)}),
                     0x8A9136AA);
    assert_int_equal(checksum_crc32c(0, slice_of("")), 0);
}

static void pieces_sum_up_to_the_whole(void **state)
{
    static const char text[] = "123456789";

    (void)state;
    for (size_t cut = 0; cut <= 9; cut++) {
        uint32_t first = checksum_crc32c(0, (struct slice){text, cut});

        assert_int_equal(checksum_crc32c(first, (struct slice){text + cut, 9 - cut}),
                         0xE3069283);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_the_standard),
        cmocka_unit_test(pieces_sum_up_to_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
