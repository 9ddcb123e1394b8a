#include "exporter/graph_book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    START_S = 1795518000
};

static void want(struct graph_book *book, const char *name, const char *segment,
                 const char *title, const char *unit)
{
    const struct mackerel_line line = {.segment = slice_of(segment), .is_stacked = true};
    const struct mackerel_graph graph = {
        .name = slice_of(name),
        .display_name = slice_of(title),
        .unit = slice_of(unit),
        .lines = &line,
        .count = 1,
    };

    graph_book_want(book, &graph);
}

static void assert_json(const struct graph *graph, const char *wanted)
{
    struct buffer text = {0};

    assert_non_null(graph);
    graph_write(graph, &text);
    buffer_append_char(&text, '\0');
    assert_string_equal(text.ptr, wanted);
    buffer_release(&text);
}

static void units_that_differ_are_a_float_and_titles_none(void **state)
{
    struct graph_book book = {0};

    (void)state;
    want(&book, "custom.a", "used", "Used", "bytes");
    want(&book, "custom.a", "utilization", "Utilization", "percentage");
    assert_json(graph_book_find(&book, slice_of("custom.a")),
                "{\"name\":\"custom.a\",\"unit\":\"float\",\"metrics\":["
                "{\"name\":\"custom.a.used\",\"isStacked\":true},"
                "{\"name\":\"custom.a.utilization\",\"isStacked\":true}]}");
    graph_book_release(&book);
}

static void names_that_mackerel_would_refuse_are_not_taken(void **state)
{
    struct graph_book book = {0};

    (void)state;
    want(&book, "custom", "a", "", "float");
    want(&book, "memory", "a", "", "float");
    want(&book, "custom.#.#", "a", "", "float");
    assert_int_equal(book.count, 0);
    want(&book, "custom.a", "*", "", "float");
    assert_int_equal(book.refused, 4);
    graph_book_release(&book);
}

static void graphs_and_lines_are_bounded(void **state)
{
    struct graph_book book = {0};
    char name[32];

    (void)state;
    for (int i = 0; i < GRAPHS_MAX + 5; i++) {
        snprintf(name, sizeof(name), "custom.g%d", i);
        want(&book, name, "a", "", "float");
    }
    assert_int_equal(book.count, GRAPHS_MAX);
    assert_int_equal(book.refused, 5);
    for (int i = 0; i < GRAPH_LINES_MAX + 5; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        want(&book, "custom.g0", name, "", "float");
    }
    assert_int_equal(graph_book_find(&book, slice_of("custom.g0"))->count,
                     GRAPH_LINES_MAX);
    assert_int_equal(book.refused, 5 + 6);
    graph_book_release(&book);
}

static void titles_are_cut_between_characters(void **state)
{
    struct graph_book book = {0};
    const size_t bytes = 3; /* of each character */
    char title[200], wanted[GRAPH_TITLE_MAX + 1];

    (void)state;
    for (size_t i = 0; i < 60; i++)
        snprintf(title + i * bytes, sizeof(title) - i * bytes, "\xE6\x97\xA5");
    snprintf(wanted, sizeof(wanted), "%.*s", GRAPH_TITLE_MAX / 3 * 3, title);
    want(&book, "custom.a", "b", title, "float");
    assert_string_equal(book.graphs[0].lines[0].look.title, wanted);
    graph_book_release(&book);
}

static void what_was_stored_comes_back(void **state)
{
    struct graph_book book = {0}, later = {0};
    struct buffer text = {0};
    struct graph *graph;

    (void)state;
    want(&book, "custom.a", "b", "A b", "bytes");
    want(&book, "custom.a", "c", "A b", "bytes");
    graph_store(&book.graphs[0], &text);
    graph = graph_book_restore(&later, slice_of("custom.a"), buffer_slice(&text));
    assert_json(graph,
                "{\"name\":\"custom.a\",\"displayName\":\"A b\",\"unit\":\"bytes\","
                "\"metrics\":[{\"name\":\"custom.a.b\",\"isStacked\":true},"
                "{\"name\":\"custom.a.c\",\"isStacked\":true}]}");
    assert_null(graph_book_due(&later, 0, START_S));
    buffer_release(&text);
    graph_book_release(&book);
    graph_book_release(&later);
}

static void wishes_move_with_their_second_opinions(void **state)
{
    struct graph_book book = {0}, inbox = {0};

    (void)state;
    want(&inbox, "custom.a", "b", "A", "bytes");
    want(&inbox, "custom.a", "b", "B", "bytes");
    graph_book_move(&book, &inbox);
    assert_int_equal(inbox.count, 0);
    graph_book_tend(&book, START_S, true);
    want(&book, "custom.a", "b", "B", "bytes");
    graph_book_tend(&book, START_S + GRAPH_CHANGE_S - 1, true);
    assert_string_equal(book.graphs[0].lines[0].look.title, "A");
    want(&book, "custom.a", "b", "B", "bytes");
    graph_book_tend(&book, START_S + GRAPH_CHANGE_S, true);
    assert_string_equal(book.graphs[0].lines[0].look.title, "B");
    graph_book_release(&book);
}

static void what_nobody_wants_leaves_the_book(void **state)
{
    struct graph_book book = {0};

    (void)state;
    want(&book, "custom.a", "b", "", "float");
    want(&book, "custom.c", "d", "", "float");
    graph_book_tend(&book, START_S, true);
    want(&book, "custom.c", "d", "", "float");
    graph_book_tend(&book, START_S + GRAPH_FORGET_S, true);
    assert_null(graph_book_find(&book, slice_of("custom.a")));
    assert_non_null(graph_book_find(&book, slice_of("custom.c")));
    assert_true(graph_book_is_dirty(&book));
    assert_int_equal(book.gone_count, 1);
    graph_book_stored(&book);
    assert_false(graph_book_is_dirty(&book));
    graph_book_release(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_that_differ_are_a_float_and_titles_none),
        cmocka_unit_test(names_that_mackerel_would_refuse_are_not_taken),
        cmocka_unit_test(graphs_and_lines_are_bounded),
        cmocka_unit_test(titles_are_cut_between_characters),
        cmocka_unit_test(what_was_stored_comes_back),
        cmocka_unit_test(wishes_move_with_their_second_opinions),
        cmocka_unit_test(what_nobody_wants_leaves_the_book),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
