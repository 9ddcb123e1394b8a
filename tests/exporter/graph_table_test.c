/* What Mackerel took is remembered with the outbox, over kill -9, and where it is not it is posted again. */
#include <sqlite3.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "outbox_file_rig.h"

static struct instant at(uint64_t seconds)
{
    return (struct instant){
        .mono_ms = 1 + seconds * 1000,
        .unix_ns = (MINUTE_S + seconds) * 1000000000u,
    };
}

static void want(struct outbox *outbox, const char *name, const char *title,
                 struct instant now)
{
    const struct mackerel_line line = {.segment = SLICE("b")};
    const struct mackerel_graph graph = {
        .name = slice_of(name),
        .display_name = slice_of(title),
        .unit = SLICE("bytes"),
        .lines = &line,
        .count = 1,
    };
    const struct mackerel_row row = {
        .destination = web, .graphs = &graph, .graph_count = 1};

    graph_definitions_want(outbox_graphs(outbox), &row, 1);
    graph_definitions_tend(outbox_graphs(outbox), now, true);
}

/* Posts what is due; false when nothing is. */
static bool post(struct outbox *outbox, struct instant now)
{
    struct api_request request = {0};
    bool is_due = graph_definitions_next(outbox_graphs(outbox), now, &request);

    if (is_due)
        graph_definitions_answer(outbox_graphs(outbox), VERDICT_DELIVERED, "", now);
    api_request_release(&request);
    return is_due;
}

static struct outbox *kill_and_open(struct outbox *outbox, const char *path)
{
    struct outbox *next = rig_open(rig_copy(path));

    outbox_free(outbox);
    return next;
}

/* A wish of the next process, and time to gather. */
static bool is_due_later(struct outbox *outbox, const char *name, const char *title,
                         uint64_t seconds)
{
    want(outbox, name, title, at(seconds));
    return post(outbox, at(seconds + GRAPH_EXTEND_S));
}

static void a_known_definition_is_not_posted_again_after_a_kill(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);

    (void)state;
    want(outbox, "custom.a", "A", at(0));
    assert_true(post(outbox, at(60)));
    rig_commit(outbox);
    outbox = kill_and_open(outbox, path);
    assert_false(is_due_later(outbox, "custom.a", "A", 120));
    assert_true(is_due_later(outbox, "custom.c", "A", 130));
    outbox_free(outbox);
}

static void what_was_not_committed_is_posted_again(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);

    (void)state;
    want(outbox, "custom.a", "A", at(0));
    assert_true(post(outbox, at(60)));
    outbox = kill_and_open(outbox, path);
    assert_true(is_due_later(outbox, "custom.a", "A", 120));
    outbox_free(outbox);
}

static void a_wildcard_that_was_forgotten_meanwhile_is_posted_again(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);

    (void)state;
    want(outbox, "custom.*", "A", at(0));
    assert_true(post(outbox, at(60)));
    rig_commit(outbox);
    outbox = kill_and_open(outbox, path);
    assert_false(is_due_later(outbox, "custom.*", "A", 120));
    rig_commit(outbox);
    outbox = kill_and_open(outbox, path);
    assert_true(is_due_later(outbox, "custom.*", "A", 120 + 6 * 3600));
    outbox_free(outbox);
}

/* Changes the file as another program would. */
static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_file_without_the_table_gets_one(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    outbox_free(outbox);
    run_sql(path, "DROP TABLE graphs");
    outbox = rig_open(path);
    assert_int_equal(rig_counts(outbox).values, 1);
    assert_int_equal(rig_counts(outbox).bad_files, 0);
    want(outbox, "custom.a", "A", at(0));
    assert_true(post(outbox, at(60)));
    rig_commit(outbox);
    outbox = kill_and_open(outbox, path);
    assert_false(is_due_later(outbox, "custom.a", "A", 120));
    outbox_free(outbox);
}

static void a_definition_with_a_broken_seal_is_posted_again(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);

    (void)state;
    want(outbox, "custom.a", "A", at(0));
    assert_true(post(outbox, at(60)));
    rig_commit(outbox);
    outbox_free(outbox);
    run_sql(path, "UPDATE graphs SET lines = replace(lines, 'bytes', 'float')");
    outbox = rig_open(path);
    assert_int_equal(rig_counts(outbox).bad_files, 0);
    assert_true(is_due_later(outbox, "custom.a", "A", 120));
    outbox_free(outbox);
}

static void what_is_known_moves_into_a_file_that_is_made_anew(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);

    (void)state;
    want(outbox, "custom.a", "A", at(0));
    assert_true(post(outbox, at(60)));
    rig_commit(outbox);
    assert_int_equal(remove(path), 0);
    rig_queue(outbox, &shop, MINUTE_S, "a", 1);
    rig_commit(outbox);
    outbox_free(outbox);
    outbox = rig_open(path);
    assert_int_equal(rig_counts(outbox).values, 1);
    assert_false(is_due_later(outbox, "custom.a", "A", 120));
    outbox_free(outbox);
}

static void nothing_is_wanted_where_definitions_are_off(void **state)
{
    const struct mackerel_line line = {.segment = SLICE("b")};
    const struct mackerel_graph graph = {
        .name = SLICE("custom.a"), .unit = SLICE("float"), .lines = &line, .count = 1};
    const struct mackerel_value value = {.name = SLICE("custom.a.b"), .value = 1};
    const struct mackerel_row row = {.destination = web,
                                     .minute_s = MINUTE_S,
                                     .values = &value,
                                     .count = 1,
                                     .graphs = &graph,
                                     .graph_count = 1};

    (void)state;
    for (int is_off = 0; is_off < 2; is_off++) {
        struct outbox *outbox = outbox_new(
            &(struct outbox_options){.without_graphs = is_off});

        outbox_put(outbox, &row, 1, 1);
        graph_definitions_tend(outbox_graphs(outbox), at(80), true);
        assert_int_equal(post(outbox, at(140)), !is_off);
        outbox_free(outbox);
    }
}

static int clean_up(void **state)
{
    (void)state;
    rig_clean_up();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_definition_is_not_posted_again_after_a_kill),
        cmocka_unit_test(what_was_not_committed_is_posted_again),
        cmocka_unit_test(a_wildcard_that_was_forgotten_meanwhile_is_posted_again),
        cmocka_unit_test(a_file_without_the_table_gets_one),
        cmocka_unit_test(a_definition_with_a_broken_seal_is_posted_again),
        cmocka_unit_test(nothing_is_wanted_where_definitions_are_off),
        cmocka_unit_test(what_is_known_moves_into_a_file_that_is_made_anew),
    };

    return cmocka_run_group_tests(tests, NULL, clean_up);
}
