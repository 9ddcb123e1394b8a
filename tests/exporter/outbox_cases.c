#include "tests/exporter/outbox_cases.h"

#include "exporter/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* 2026-11-24T11:00:00Z */
enum {
    MINUTE_S = 1795518000
};

static const struct mackerel_destination shop = {
    .kind = MACKEREL_SERVICE,
    .name = SLICE("shop"),
};
static const struct mackerel_destination web = {
    .kind = MACKEREL_HOST,
    .name = SLICE("web-1"),
    .custom_identifier = SLICE("i-1"),
};

static struct outbox *new_outbox(void **state)
{
    const struct outbox_rig *rig = *state;

    return rig->make(0);
}

/* Puts are visible once they are committed; each comes from a tick of its own. */
static void commit(struct outbox *outbox)
{
    struct error err;

    if (!outbox_commit(outbox, &err))
        fail_msg("%s", err.text);
}

static void put(struct outbox *outbox, const struct mackerel_destination *to,
                uint64_t minute_s, const char *name, double value)
{
    const struct mackerel_value one = {
        .name = slice_of(name),
        .value = value,
        .native = strncmp(name, "custom.", 7) != 0 && to->kind == MACKEREL_HOST,
    };
    const struct mackerel_row row = {
        .destination = *to,
        .minute_s = minute_s,
        .lane = MACKEREL_LIVE,
        .values = &one,
        .count = 1,
    };

    struct outbox_counts counts;

    outbox_read_counts(outbox, &counts);
    outbox_put(outbox, &row, 1, counts.last_lsn + 1);
    commit(outbox);
}

static size_t take(struct outbox *outbox, uint64_t id, enum outbox_pick pick,
                   uint64_t now_s, struct outbox_batch *batch)
{
    const struct outbox_query query = {
        .destination = id,
        .lane = MACKEREL_LIVE,
        .pick = pick,
        .now_s = now_s,
        .max_values = 1000,
    };

    return outbox_take(outbox, &query, batch);
}

static void settle(struct outbox *outbox, const struct outbox_batch *batch,
                   enum outbox_end end, uint64_t now_s)
{
    const struct outbox_verdict verdict = {.end = end, .now_ns = now_s * 1000000000u};

    outbox_settle(outbox, batch->items, batch->count, &verdict);
}

static struct value_ledger books(struct outbox *outbox)
{
    struct value_ledger ledger;

    outbox_read_ledger(outbox, &ledger);
    assert_true(value_ledger_balances(&ledger));
    return ledger;
}

static void rows_of_one_minute_merge(void **state)
{
    struct outbox *outbox = new_outbox(state);
    struct outbox_counts counts;

    put(outbox, &shop, MINUTE_S, "a", 1);
    put(outbox, &shop, MINUTE_S, "b", 2);
    put(outbox, &shop, MINUTE_S, "a", 3);
    put(outbox, &shop, MINUTE_S + 60, "a", 4);
    outbox_read_counts(outbox, &counts);
    assert_int_equal(counts.destinations, 1);
    assert_int_equal(counts.rows, 2);
    assert_int_equal(counts.values, 3);
    assert_int_equal(counts.oldest_minute_s, MINUTE_S);
    assert_int_equal(books(outbox).replaced, 1);
    outbox_free(outbox);
}

static void identities_that_differ_in_one_field_are_two_destinations(void **state)
{
    struct outbox *outbox = new_outbox(state);
    struct mackerel_destination other = web;
    struct outbox_destination list[4];

    other.custom_identifier = (struct slice){0};
    put(outbox, &web, MINUTE_S, "custom.a", 1);
    put(outbox, &other, MINUTE_S, "custom.a", 1);
    put(outbox, &web, MINUTE_S + 60, "custom.a", 1);
    assert_int_equal(outbox_list(outbox, 0, list, 4), 2);
    assert_true(slice_is(list[0].destination.custom_identifier, "i-1"));
    assert_int_equal(list[0].values, 2);
    assert_int_equal(list[1].values, 1);
    assert_int_equal(outbox_list(outbox, list[0].id, list, 4), 1);
    outbox_free(outbox);
}

static void a_delivered_row_is_gone(void **state)
{
    struct outbox *outbox = new_outbox(state);
    struct outbox_batch batch = {0};
    struct outbox_counts counts;

    put(outbox, &shop, MINUTE_S, "a", 1);
    assert_int_equal(take(outbox, 1, OUTBOX_ALL, MINUTE_S + 80, &batch), 1);
    assert_int_equal(take(outbox, 1, OUTBOX_ALL, MINUTE_S + 80, &batch), 0);
    settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    outbox_read_counts(outbox, &counts);
    assert_int_equal(counts.rows, 0);
    assert_int_equal(counts.bytes, 0);
    assert_int_equal(books(outbox).delivered, 1);
    outbox_batch_release(&batch);
    outbox_free(outbox);
}

static void a_value_changed_in_flight_is_sent_again(void **state)
{
    struct outbox *outbox = new_outbox(state);
    struct outbox_batch first = {0}, second = {0};

    put(outbox, &shop, MINUTE_S, "a", 1);
    take(outbox, 1, OUTBOX_ALL, MINUTE_S + 80, &first);
    put(outbox, &shop, MINUTE_S, "a", 2);
    assert_int_equal(books(outbox).queued, 2);
    assert_int_equal(take(outbox, 1, OUTBOX_ALL, MINUTE_S + 80, &second), 0);
    settle(outbox, &first, OUTBOX_DELIVERED, MINUTE_S + 81);
    assert_int_equal(take(outbox, 1, OUTBOX_ALL, MINUTE_S + 82, &second), 1);
    assert_true(second.items[0].value == 2);
    assert_true(second.items[0].revision > first.items[0].revision);
    settle(outbox, &second, OUTBOX_DELIVERED, MINUTE_S + 83);
    assert_int_equal(books(outbox).delivered, 2);
    outbox_batch_release(&first);
    outbox_batch_release(&second);
    outbox_free(outbox);
}

static void a_returned_value_gives_way_to_a_newer_one(void **state)
{
    struct outbox *outbox = new_outbox(state);
    struct outbox_batch first = {0}, second = {0};

    put(outbox, &shop, MINUTE_S, "a", 1);
    take(outbox, 1, OUTBOX_ALL, MINUTE_S + 80, &first);
    put(outbox, &shop, MINUTE_S, "a", 2);
    settle(outbox, &first, OUTBOX_RETURNED, MINUTE_S + 81);
    assert_int_equal(books(outbox).replaced, 1);
    take(outbox, 1, OUTBOX_ALL, MINUTE_S + 82, &second);
    assert_int_equal(second.count, 1);
    assert_true(second.items[0].value == 2);
    settle(outbox, &second, OUTBOX_REJECTED, MINUTE_S + 83);
    assert_int_equal(books(outbox).rejected, 1);
    outbox_batch_release(&first);
    outbox_batch_release(&second);
    outbox_free(outbox);
}

static void an_ambiguous_value_is_confirmed_a_minute_later(void **state)
{
    struct outbox *outbox = new_outbox(state);
    struct outbox_batch batches[3] = {{0}};
    uint64_t now_s = MINUTE_S + 80;

    put(outbox, &shop, MINUTE_S, "a", 1);
    take(outbox, 1, OUTBOX_ALL, now_s, &batches[0]);
    settle(outbox, &batches[0], OUTBOX_AMBIGUOUS, now_s);
    take(outbox, 1, OUTBOX_ALL, now_s + 1, &batches[1]);
    settle(outbox, &batches[1], OUTBOX_DELIVERED, now_s + 2);
    assert_int_equal(books(outbox).delivered, 0);
    assert_int_equal(take(outbox, 1, OUTBOX_ALL, now_s + 59, &batches[2]), 0);
    assert_int_equal(take(outbox, 1, OUTBOX_ALL, now_s + 60, &batches[2]), 1);
    settle(outbox, &batches[2], OUTBOX_DELIVERED, now_s + 61);
    assert_int_equal(books(outbox).delivered, 1);
    assert_int_equal(books(outbox).queued, 0);
    for (size_t i = 0; i < 3; i++)
        outbox_batch_release(&batches[i]);
    outbox_free(outbox);
}

static void native_values_can_stay_behind(void **state)
{
    struct outbox *outbox = new_outbox(state);
    struct outbox_batch batch = {0};
    const struct outbox_selection native = {1, UINT64_MAX, OUTBOX_NATIVE, 0};
    const struct outbox_verdict agent = {
        .end = OUTBOX_WITHHELD, .reason = WITHHELD_AGENT_WRITES, .now_ns = 5};
    struct value_ledger ledger;

    put(outbox, &web, MINUTE_S, "loadavg5", 1);
    put(outbox, &web, MINUTE_S, "custom.a", 2);
    assert_int_equal(take(outbox, 1, OUTBOX_CUSTOM, MINUTE_S + 80, &batch), 1);
    assert_true(slice_is(batch.items[0].name, "custom.a"));
    assert_int_equal(outbox_drop(outbox, &native, &agent), 1);
    ledger = books(outbox);
    assert_int_equal(ledger.withheld[WITHHELD_AGENT_WRITES].count, 1);
    assert_string_equal(ledger.withheld[WITHHELD_AGENT_WRITES].example, "loadavg5");
    settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    outbox_batch_release(&batch);
    outbox_free(outbox);
}

static void old_rows_are_backlog_and_go_oldest_first(void **state)
{
    struct outbox *outbox = new_outbox(state);
    struct outbox_batch batch = {0};
    struct outbox_query query = {
        .destination = 1,
        .lane = MACKEREL_BACKFILL,
        .pick = OUTBOX_ALL,
        .now_s = MINUTE_S + 900,
        .max_values = 2,
    };

    put(outbox, &shop, MINUTE_S + 840, "a", 4);
    put(outbox, &shop, MINUTE_S + 60, "a", 2);
    put(outbox, &shop, MINUTE_S, "a", 1);
    put(outbox, &shop, MINUTE_S + 120, "a", 3);
    assert_int_equal(take(outbox, 1, OUTBOX_ALL, MINUTE_S + 900, &batch), 1);
    assert_true(batch.items[0].value == 4);
    assert_int_equal(outbox_take(outbox, &query, &batch), 2);
    assert_true(batch.items[1].value == 1);
    assert_true(batch.items[2].value == 2);
    settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 901);
    outbox_batch_release(&batch);
    outbox_free(outbox);
}

static void the_oldest_minutes_give_way_when_there_is_no_room(void **state)
{
    const struct outbox_rig *rig = *state;
    struct outbox *outbox = rig->make(rig->room_for_a_dozen);
    struct outbox_counts counts;
    struct value_ledger ledger;

    for (uint64_t i = 0; i < 100; i++)
        put(outbox, i % 2 ? &shop : &web, MINUTE_S + 60 * i, "custom.a", 1);
    outbox_read_counts(outbox, &counts);
    ledger = books(outbox);
    assert_true(counts.bytes <= rig->room_for_a_dozen);
    assert_true(ledger.expired > 0);
    assert_int_equal(ledger.expired + ledger.queued, 100);
    assert_int_equal(counts.oldest_minute_s, MINUTE_S + 60 * ledger.expired);
    outbox_free(outbox);
}

static void count_gone(void *self, uint64_t id)
{
    (void)id;
    ++*(int *)self;
}

static void quiet_destinations_are_forgotten_and_ids_never_come_back(void **state)
{
    struct outbox *outbox = new_outbox(state);
    struct outbox_batch batch = {0};
    struct outbox_destination list[4];
    int gone = 0;

    put(outbox, &shop, MINUTE_S, "a", 1);
    put(outbox, &web, MINUTE_S, "custom.a", 1);
    outbox_prune(outbox, MINUTE_S + 60, count_gone, &gone);
    assert_int_equal(gone, 0);
    take(outbox, 1, OUTBOX_ALL, MINUTE_S + 80, &batch);
    settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    outbox_prune(outbox, MINUTE_S + 60, count_gone, &gone);
    assert_int_equal(gone, 1);
    put(outbox, &shop, MINUTE_S + 120, "a", 1);
    assert_int_equal(outbox_list(outbox, 0, list, 4), 2);
    assert_int_equal(list[0].id, 2);
    assert_int_equal(list[1].id, 3);
    outbox_batch_release(&batch);
    outbox_free(outbox);
}

static void many_names_of_one_minute_stay_apart(void **state)
{
    struct outbox *outbox = new_outbox(state);
    struct outbox_batch batch = {0};
    char name[32];

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 1000; i++) {
            snprintf(name, sizeof(name), "name.%d", i);
            put(outbox, &shop, MINUTE_S, name, round * 1000 + i);
        }
    assert_int_equal(take(outbox, 1, OUTBOX_ALL, MINUTE_S + 80, &batch), 1000);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "name.%d", i);
        assert_true(slice_is(batch.items[i].name, name));
        assert_true(batch.items[i].value == 1000 + i);
    }
    settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    outbox_batch_release(&batch);
    outbox_free(outbox);
}

/* ---- random sequences: the books balance after every operation --------------------------- */

struct play {
    struct outbox *outbox;
    uint64_t random, now_s;
    struct outbox_batch flights[8];
};

static uint64_t draw(struct play *play, uint64_t below)
{
    play->random = play->random * 6364136223846793005u + 1442695040888963407u;
    return (play->random >> 33) % below;
}

static void play_put(struct play *play)
{
    static const char *const names[] = {"loadavg5", "custom.a", "custom.b", "custom.c"};
    const struct mackerel_destination *to = draw(play, 2) ? &web : &shop;

    put(play->outbox, to, MINUTE_S + 60 * draw(play, 6), names[draw(play, 4)],
        (double)draw(play, 100));
}

static void play_take(struct play *play)
{
    struct outbox_batch *batch = &play->flights[draw(play, 8)];
    struct outbox_query query = {
        .destination = 1 + draw(play, 2),
        .lane = draw(play, 2) ? MACKEREL_LIVE : MACKEREL_BACKFILL,
        .pick = (enum outbox_pick)draw(play, 3),
        .now_s = play->now_s,
        .max_values = 1 + draw(play, 5),
    };

    outbox_take(play->outbox, &query, batch);
}

static void play_settle(struct play *play)
{
    struct outbox_batch *batch = &play->flights[draw(play, 8)];
    const struct outbox_verdict verdict = {
        .end = (enum outbox_end)draw(play, 6),
        .reason = (enum withheld)draw(play, WITHHELD_LAST + 1),
        .now_ns = play->now_s * 1000000000u,
    };

    outbox_settle(play->outbox, batch->items, batch->count, &verdict);
    outbox_batch_release(batch);
}

static void play_drop(struct play *play)
{
    const struct outbox_selection selection = {
        .destination = draw(play, 3),
        .until_minute_s = MINUTE_S + 60 * draw(play, 6),
        .pick = (enum outbox_pick)draw(play, 3),
    };
    const struct outbox_verdict verdict = {
        .end = draw(play, 2) ? OUTBOX_EXPIRED : OUTBOX_WITHHELD,
        .reason = (enum withheld)draw(play, WITHHELD_LAST + 1),
        .now_ns = play->now_s * 1000000000u,
    };

    outbox_drop(play->outbox, &selection, &verdict);
}

static void check_sums(struct outbox *outbox)
{
    struct outbox_destination list[4];
    struct outbox_counts counts;
    size_t listed = outbox_list(outbox, 0, list, 4), bytes = 0;

    outbox_read_counts(outbox, &counts);
    assert_int_equal(counts.values, books(outbox).queued);
    for (size_t i = 0; i < listed; i++)
        bytes += list[i].bytes;
    assert_int_equal(counts.bytes, bytes);
}

static void play_game(const struct outbox_rig *rig, uint64_t seed)
{
    struct play play = {.outbox = rig->make(rig->room_for_a_dozen / 4),
                        .random = seed,
                        .now_s = MINUTE_S + 60};

    for (int step = 0; step < 1000; step++) {
        uint64_t choice = draw(&play, 10);

        if (choice < 5)
            play_put(&play);
        else if (choice < 7)
            play_take(&play);
        else if (choice < 9)
            play_settle(&play);
        else
            play_drop(&play);
        play.now_s += draw(&play, 3);
        check_sums(play.outbox);
    }
    for (size_t i = 0; i < 8; i++) {
        settle(play.outbox, &play.flights[i], OUTBOX_RETURNED, play.now_s);
        outbox_batch_release(&play.flights[i]);
        check_sums(play.outbox);
    }
    outbox_free(play.outbox);
}

static void the_books_balance_after_every_operation(void **state)
{
    const struct outbox_rig *rig = *state;

    for (uint64_t seed = 1; seed <= rig->games; seed++)
        play_game(rig, seed);
}

int outbox_cases_run(const char *name, struct outbox_rig *rig)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(rows_of_one_minute_merge, rig),
        cmocka_unit_test_prestate(
            identities_that_differ_in_one_field_are_two_destinations, rig),
        cmocka_unit_test_prestate(a_delivered_row_is_gone, rig),
        cmocka_unit_test_prestate(a_value_changed_in_flight_is_sent_again, rig),
        cmocka_unit_test_prestate(a_returned_value_gives_way_to_a_newer_one, rig),
        cmocka_unit_test_prestate(an_ambiguous_value_is_confirmed_a_minute_later, rig),
        cmocka_unit_test_prestate(native_values_can_stay_behind, rig),
        cmocka_unit_test_prestate(old_rows_are_backlog_and_go_oldest_first, rig),
        cmocka_unit_test_prestate(the_oldest_minutes_give_way_when_there_is_no_room, rig),
        cmocka_unit_test_prestate(
            quiet_destinations_are_forgotten_and_ids_never_come_back, rig),
        cmocka_unit_test_prestate(many_names_of_one_minute_stay_apart, rig),
        cmocka_unit_test_prestate(the_books_balance_after_every_operation, rig),
    };

    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
