/*
 * A pipeline that was saved and loaded behaves as one that ran on, whatever step it was saved after;
 * states of other programs are read by the names of their fields; and no bytes, however wrong, do harm.
 */
#include "pipeline/checkpoint.h"

#include "base/memory.h"
#include "tests/pipeline/saved.h"
#include "tests/pipeline/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- running on -------------------------------------------------------------------------- */

static void play(struct scene *scene, int from, int to)
{
    for (int step = from; step < to; step++)
        story_step(scene, step);
}

static void assert_same_values(const struct scene *a, const struct scene *b, int cut)
{
    if (a->count != b->count)
        fail_msg("cut at %d: %zu values, not %zu", cut, b->count, a->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct scene_value *one = &a->values[i], *other = &b->values[i];

        if (strcmp(one->destination, other->destination) != 0 ||
            strcmp(one->name, other->name) != 0 || one->minute != other->minute ||
            one->lane != other->lane ||
            memcmp(&one->value, &other->value, sizeof(one->value)) != 0)
            fail_msg("cut at %d: %s %s of minute %u: %.17g, not %.17g", cut,
                     other->destination, other->name, (unsigned)other->minute,
                     other->value, one->value);
    }
}

static void assert_same_ledger(const struct point_ledger *a, const struct point_ledger *b)
{
    assert_int_equal(a->received, b->received);
    assert_int_equal(a->merged, b->merged);
    assert_int_equal(a->pending, b->pending);
    for (int i = 0; i <= REASON_LAST; i++) {
        assert_int_equal(a->reasons[i].count, b->reasons[i].count);
        assert_int_equal(a->reasons[i].example_ns, b->reasons[i].example_ns);
        assert_string_equal(a->reasons[i].example, b->reasons[i].example);
    }
}

static void assert_same_books(const struct pipeline *a, const struct pipeline *b)
{
    struct pipeline_counts one, other;

    pipeline_read_counts(a, &one);
    pipeline_read_counts(b, &other);
    assert_memory_equal(&one, &other, sizeof(one));
    assert_same_ledger(pipeline_ledger(a), pipeline_ledger(b));
}

static void a_cut_after_any_step_changes_nothing(void **state)
{
    struct scene *whole = story_begin();

    (void)state;
    play(whole, 0, story_length());
    story_end(whole);
    assert_true(whole->count > 300);
    for (int cut = 0; cut <= story_length(); cut++) {
        struct scene *scene = story_begin();

        play(scene, 0, cut);
        scene_reload(scene);
        play(scene, cut, story_length());
        story_end(scene);
        assert_same_values(whole, scene, cut);
        assert_same_books(whole->pipeline, scene->pipeline);
        scene_free(scene);
    }
    scene_free(whole);
}

static void what_was_loaded_saves_as_the_same_bytes(void **state)
{
    struct scene *scene = story_begin();

    (void)state;
    for (int step = 0; step < story_length(); step++) {
        story_step(scene, step);
        /* The first time clears what is left in records that are free. */
        scene_reload(scene);

        struct buffer before = saved_bytes(scene->pipeline);

        scene_reload(scene);

        struct buffer after = saved_bytes(scene->pipeline);

        assert_true(slice_equal(buffer_slice(&before), buffer_slice(&after)));
        buffer_release(&before);
        buffer_release(&after);
    }
    scene_free(scene);
}

static bool refuse_the_fifth(void *self, struct slice bytes)
{
    int *calls = self;

    (void)bytes;
    return ++*calls < 5;
}

static void saving_ends_when_nobody_takes_the_bytes(void **state)
{
    struct scene *scene = story_begin();
    int calls = 0;

    (void)state;
    assert_false(pipeline_save(scene->pipeline, refuse_the_fifth, &calls));
    assert_int_equal(calls, 5);
    scene_free(scene);
}

/* ---- other programs ---------------------------------------------------------------------- */

enum {
    MIDDLE = 165
};

/* In the middle of the story, where every pool has records. */
static struct saved *middle(void)
{
    struct scene *scene = story_begin();
    struct buffer bytes;

    play(scene, 0, MIDDLE);
    scene_reload(scene);
    bytes = saved_bytes(scene->pipeline);
    scene_free(scene);
    return saved_parse(&bytes);
}

/* What is loaded from the edited state and saved again; empty where it cannot be loaded. */
static struct buffer through(const struct saved *saved, struct error *err)
{
    struct buffer bytes = saved_write(saved), again = {0};
    struct pipeline *pipeline = saved_load(buffer_slice(&bytes), err);

    if (pipeline)
        again = saved_bytes(pipeline);
    pipeline_free(pipeline);
    buffer_release(&bytes);
    return again;
}

static void assert_loads_as(const struct saved *saved, const struct saved *wanted)
{
    struct error err = {0};
    struct buffer got = through(saved, &err), want = saved_write(wanted);

    if (got.len == 0)
        fail_msg("%s", err.text);
    assert_true(slice_equal(buffer_slice(&got), buffer_slice(&want)));
    buffer_release(&got);
    buffer_release(&want);
}

static void assert_refused(const struct saved *saved, const char *words)
{
    struct error err = {0};
    struct buffer got = through(saved, &err);

    assert_int_equal(got.len, 0);
    assert_int_equal(err.kind, ERROR_INVALID);
    if (!strstr(err.text, words))
        fail_msg("'%s' says nothing about '%s'", err.text, words);
}

static void the_middle_of_the_story_is_full_of_everything(void **state)
{
    struct saved *saved = middle();

    (void)state;
    assert_true(saved->pool_count >= 15);
    for (size_t i = 0; i < saved->pool_count; i++)
        if (saved->pools[i].used == 0)
            fail_msg("no %s", saved->pools[i].name);
    assert_loads_as(saved, saved);
    saved_free(saved);
}

static void fields_in_another_order_are_found_by_name(void **state)
{
    struct saved *saved = middle(), *turned = middle();

    (void)state;
    saved_turn(&turned->pipeline);
    for (size_t i = 0; i < turned->pool_count; i++)
        saved_turn(&turned->pools[i]);
    assert_loads_as(turned, saved);
    saved_free(saved);
    saved_free(turned);
}

static void unknown_fields_are_skipped(void **state)
{
    struct saved *saved = middle(), *more = middle();

    (void)state;
    saved_add_field(&more->pipeline, "weather", 12);
    for (size_t i = 0; i < more->pool_count; i++) {
        saved_add_field(&more->pools[i], "colour", 5);
        saved_add_owned(&more->pools[i], "colour", slice_of("blue and green"));
    }
    assert_loads_as(more, saved);
    saved_free(saved);
    saved_free(more);
}

static void unknown_pools_are_skipped(void **state)
{
    struct saved *saved = middle(), *more = middle();
    struct saved_pool *streams = saved_pool(more, "streams"), cells;

    (void)state;
    /* A pool with freed records, one with owned memory. */
    cells = *saved_pool(more, "cells");
    saved_insert(more, 3, streams, "rivers");
    saved_insert(more, 0, &cells, "rooms");
    assert_loads_as(more, saved);
    saved_free(saved);
    saved_free(more);
}

static void a_field_that_nobody_saved_is_zero(void **state)
{
    struct saved *less = middle(), *wanted = middle();
    struct error err = {0};

    (void)state;
    saved_drop_field(saved_pool(less, "streams"), "rank");
    saved_clear_field(saved_pool(wanted, "streams"), "rank");

    struct buffer bytes = through(less, &err);
    struct saved *got = saved_parse(&bytes);

    assert_true(slice_equal(saved_pool(got, "streams")->records,
                            saved_pool(wanted, "streams")->records));
    saved_free(less);
    saved_free(wanted);
    saved_free(got);
}

static void a_text_that_nobody_saved_is_missed_where_it_is_needed(void **state)
{
    struct saved *less = middle();

    (void)state;
    saved_drop_field(saved_pool(less, "cells"), "name");
    assert_refused(less, "a cell has no name");
    saved_free(less);
}

static void an_index_that_nobody_saved_is_none(void **state)
{
    struct saved *less = middle();
    struct error err = {0};

    (void)state;
    saved_drop_field(saved_pool(less, "families"), "hint_stream");

    struct buffer bytes = through(less, &err);
    struct saved *got = saved_parse(&bytes);

    for (uint32_t i = 0; i < saved_pool(got, "families")->used; i++)
        assert_int_equal(saved_u32(saved_pool(got, "families"), "hint_stream", i),
                         UINT32_MAX);
    saved_free(less);
    saved_free(got);
}

static void a_pool_that_nobody_saved_is_empty(void **state)
{
    struct saved *less = middle();
    struct error err = {0};

    (void)state;
    saved_drop_pool(less, "runs");
    saved_drop_field(saved_pool(less, "cells"), "newest_run");

    struct buffer bytes = through(less, &err);
    struct saved *got = saved_parse(&bytes);

    assert_int_equal(saved_pool(got, "runs")->used, 0);
    saved_free(less);
    saved_free(got);
}

static void a_state_from_before_plans_goes_on_as_it_was(void **state)
{
    struct saved *saved = middle(), *less = middle();

    (void)state;
    saved_drop_pool(less, "plans");
    saved_drop_field(saved_pool(less, "families"), "plan");
    saved_drop_field(saved_pool(less, "families"), "former_plan");
    saved_drop_field(saved_pool(less, "families"), "former_name");
    saved_drop_field(saved_pool(less, "cells"), "plan");
    assert_loads_as(less, saved);
    saved_free(saved);
    saved_free(less);
}

static void a_pool_that_comes_twice_is_refused(void **state)
{
    struct saved *saved = middle();
    struct saved_pool *repeats = saved_pool(saved, "repeats");

    (void)state;
    /* Empty, of another layout: nothing of it can be seen in the pipeline. */
    repeats->used = repeats->freed = 0;
    repeats->records.len = repeats->free_list.len = 0;
    saved_turn(repeats);
    saved_insert(saved, 0, repeats, "repeats");
    assert_refused(saved, "repeats: twice");
    saved->pools[0].records = (struct slice){saved->bytes.ptr, 0};
    saved_free(saved);
}

static void reasons_are_found_by_name(void **state)
{
    struct saved *saved = middle(), *turned = middle();

    (void)state;
    saved_turn_reasons(turned);
    assert_loads_as(turned, saved);
    saved_free(saved);
    saved_free(turned);
}

static void states_that_mean_something_else_are_refused(void **state)
{
    struct saved *saved = middle();

    (void)state;
    saved->version++;
    assert_refused(saved, "version");
    saved->version--;
    saved->mark = 0x4D4F4763;
    assert_refused(saved, "no state of a pipeline");
    saved_free(saved);

    saved = middle();
    saved_resize_field(saved_pool(saved, "streams"), "rank", 4);
    assert_refused(saved, "rank has another size");
    saved_free(saved);

    saved = middle();
    saved_drop_field(saved_pool(saved, "streams"), "family");
    assert_refused(saved, "family has an impossible value");
    saved_free(saved);

    saved = middle();
    saved->reasons[3].name[0] = 'X';
    assert_refused(saved, "no reason is called X");
    saved_free(saved);
}

/* ---- wrong links ------------------------------------------------------------------------- */

/* One record of a pool gets another number in one field. */
static const struct wrong_link {
    const char *pool, *field;
    uint32_t value;
    const char *words;
} wrong_links[] = {
    {"streams", "family", 1 << 30, "family has an impossible value"},
    {"streams", "family", UINT32_MAX, "family has an impossible value"},
    {"streams", "cell", 1 << 30, "cell has an impossible value"},
    {"streams", "next_start", 0, ""},
    {"streams", "next_in_cell", 0, ""},
    {"streams", "previous_in_cell", 0, ""},
    {"streams", "detail", 1 << 30, "a stream hangs loose"},
    {"streams", "detail", 0, "a stream hangs loose"},
    {"streams", "owner", 1 << 30, "owner has an impossible value"},
    {"streams", "start", 1 << 30, "start has an impossible value"},
    {"streams", "move", 0, ""},
    {"families", "streams", 77, "streams are not as many"},
    {"families", "source", 1 << 30, "source has an impossible value"},
    {"families", "destination", UINT32_MAX, "a family leads nowhere"},
    {"sources", "families", 0, "families are not as many"},
    {"sources", "resource", 1 << 30, "resource has an impossible value"},
    {"resources", "sources", 3, "sources are not as many"},
    {"resources", "host", 1 << 30, "host has an impossible value"},
    {"starts", "streams", 0, "streams are not as many"},
    {"layouts", "users", 1, "users are not as many"},
    {"layouts", "bound_count", 1 << 30, "lengths contradict"},
    {"buckets", "room", 1 << 20, "lengths contradict"},
    {"buckets", "layout", 1 << 30, "layout has an impossible value"},
    {"minutes", "older", 0, ""},
    {"minutes", "room", 1 << 20, "lengths contradict"},
    {"minutes", "layout", 1 << 30, "layout has an impossible value"},
    {"histories", "older", 0, ""},
    {"cells", "destination", UINT32_MAX, "destination has an impossible value"},
    {"cells", "first_stream", 1 << 30, "first_stream has an impossible value"},
    {"cells", "newest_minute", 1 << 30, "newest_minute has an impossible value"},
    {"cells", "name_len", 1 << 20, "lengths contradict"},
    {"cells", "plan", 1 << 30, "plan has an impossible value"},
    {"families", "plan", UINT32_MAX, "users are not as many"},
    {"plans", "users", 7777, "users are not as many"},
    {"plans", "labels_len", 1 << 20, "lengths contradict"},
    {"runs", "older", 0, ""},
    {"repeats", "older", 0, ""},
    {"repeats", "newer", 1 << 30, "newer has an impossible value"},
};

static void wrong_links_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong_links) / sizeof(wrong_links[0]); i++) {
        const struct wrong_link *link = &wrong_links[i];
        struct saved *saved = middle();
        uint32_t record = saved_record_in_use(saved_pool(saved, link->pool));

        saved_set_u32(saved_pool(saved, link->pool), link->field, record, link->value);
        assert_refused(saved, link->words);
        saved_free(saved);
    }
}

static void lists_that_run_in_a_circle_are_refused(void **state)
{
    static const char *const lists[][2] = {{"minutes", "older"},
                                           {"histories", "older"},
                                           {"runs", "older"},
                                           {"streams", "next_start"}};

    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct saved *saved = middle();
        struct saved_pool *pool = saved_pool(saved, lists[i][0]);
        uint32_t record = saved_record_in_use(pool);

        saved_set_u32(pool, lists[i][1], record, record);
        assert_refused(saved, "");
        saved_free(saved);
    }
}

static void freed_records_are_listed_once(void **state)
{
    struct saved *saved = middle();
    struct saved_pool *pool = saved_pool(saved, "minutes");

    (void)state;
    assert_true(pool->freed >= 2);
    memcpy(saved_edit(&pool->free_list), pool->free_list.ptr + 4, 4);
    assert_refused(saved, "freed");
    saved_free(saved);
}

/* ---- any bytes --------------------------------------------------------------------------- */

/* A small state: every kind of record, not many of them. */
static struct buffer small(void)
{
    struct scene *scene = story_begin();
    struct buffer bytes;

    play(scene, 0, 22);
    bytes = saved_bytes(scene->pipeline);
    scene_free(scene);
    return bytes;
}

static void a_state_that_ends_anywhere_is_refused(void **state)
{
    struct buffer bytes = small();
    /* Inside long runs of records every 97th place will do. */
    const size_t head = 6000;

    (void)state;
    for (size_t len = 0; len < bytes.len; len += len < head ? 1 : 97) {
        struct error err = {0};
        char *exact = memory_copy((struct slice){bytes.ptr, len});

        assert_null(saved_load((struct slice){exact, len}, &err));
        assert_string_equal(err.text, "the state ends too early");
        free(exact);
    }
    buffer_release(&bytes);
}

static void flipped_bits_do_no_harm(void **state)
{
    struct buffer bytes = small();
    unsigned refused = 0, taken = 0;

    (void)state;
    for (size_t at = 0; at < bytes.len; at += at < 6000 ? 3 : 7) {
        struct error err = {0};
        char before = bytes.ptr[at];

        bytes.ptr[at] ^= (char)(1 << (at / 3 % 8));

        struct pipeline *pipeline = saved_load(buffer_slice(&bytes), &err);

        if (pipeline)
            story_survive(pipeline);
        refused += !pipeline;
        taken += pipeline != NULL;
        bytes.ptr[at] = before;
    }
    assert_true(refused > 500 && taken > 500);
    buffer_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_after_any_step_changes_nothing),
        cmocka_unit_test(what_was_loaded_saves_as_the_same_bytes),
        cmocka_unit_test(saving_ends_when_nobody_takes_the_bytes),
        cmocka_unit_test(the_middle_of_the_story_is_full_of_everything),
        cmocka_unit_test(fields_in_another_order_are_found_by_name),
        cmocka_unit_test(unknown_fields_are_skipped),
        cmocka_unit_test(unknown_pools_are_skipped),
        cmocka_unit_test(a_field_that_nobody_saved_is_zero),
        cmocka_unit_test(a_text_that_nobody_saved_is_missed_where_it_is_needed),
        cmocka_unit_test(an_index_that_nobody_saved_is_none),
        cmocka_unit_test(a_pool_that_nobody_saved_is_empty),
        cmocka_unit_test(a_state_from_before_plans_goes_on_as_it_was),
        cmocka_unit_test(a_pool_that_comes_twice_is_refused),
        cmocka_unit_test(reasons_are_found_by_name),
        cmocka_unit_test(states_that_mean_something_else_are_refused),
        cmocka_unit_test(wrong_links_are_refused),
        cmocka_unit_test(lists_that_run_in_a_circle_are_refused),
        cmocka_unit_test(freed_records_are_listed_once),
        cmocka_unit_test(a_state_that_ends_anywhere_is_refused),
        cmocka_unit_test(flipped_bits_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
