#include "app/machine.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void memory_is_at_most_what_the_machine_has(void **state)
{
    uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES);

    (void)state;
    assert_true(machine_memory_bytes() > 0);
    assert_true(machine_memory_bytes() <= pages * (uint64_t)sysconf(_SC_PAGESIZE));
}

static void resident_memory_grows_by_what_is_touched(void **state)
{
    const size_t bytes = 64 << 20;
    uint64_t before = machine_resident_bytes();
    char *block = memory_new(1, bytes);

    (void)state;
    memset(block, 1, bytes);
    assert_true(machine_resident_bytes() >= before + bytes / 2);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_at_most_what_the_machine_has),
        cmocka_unit_test(resident_memory_grows_by_what_is_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
