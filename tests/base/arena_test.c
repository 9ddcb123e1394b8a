#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void pieces_are_aligned_zeroed_and_apart(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    char *pieces[500];

    for (size_t i = 0; i < 500; i++) {
        pieces[i] = arena_alloc(arena, i);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        for (size_t j = 0; j < i; j++)
            assert_int_equal(pieces[i][j], 0);
        memset(pieces[i], (int)(i % 251) + 1, i);
    }
    for (size_t i = 0; i < 500; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_equal((unsigned char)pieces[i][j], i % 251 + 1);
    arena_free(arena);
}

static void a_piece_larger_than_any_chunk_fits(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    size_t bytes = 5u << 20;
    char *piece = arena_alloc(arena, bytes);

    memset(piece, 1, bytes);
    assert_true(arena_bytes(arena) >= bytes);
    arena_free(arena);
}

static void reset_keeps_the_first_chunk_only(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    char *first = arena_alloc(arena, 100);
    size_t small = arena_bytes(arena);

    memset(first, 7, 100);
    for (int i = 0; i < 100; i++)
        arena_alloc(arena, 4000);
    assert_true(arena_bytes(arena) > 400000);
    arena_reset(arena);
    assert_int_equal(arena_bytes(arena), small);
    assert_ptr_equal(arena_alloc(arena, 100), first);
    assert_int_equal(first[50], 0);
    arena_free(arena);
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_zeroed_and_apart),
        cmocka_unit_test(a_piece_larger_than_any_chunk_fits),
        cmocka_unit_test(reset_keeps_the_first_chunk_only),
        cmocka_unit_test(freeing_nothing_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
