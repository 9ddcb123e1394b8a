#include "tests/exporter/outbox_cases.h"
#include "tests/exporter/outbox_file_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct outbox *make(size_t max_bytes)
{
    return rig_open_with(
        &(struct outbox_options){.path = rig_new_path(), .max_bytes = max_bytes});
}

/* Every row leaves the memory as soon as it may. */
static struct outbox *make_forgetful(size_t max_bytes)
{
    return rig_open_with(&(struct outbox_options){
        .path = rig_new_path(), .max_bytes = max_bytes, .loaded_max_bytes = 1});
}

static struct outbox *reopen(struct outbox *outbox, const char *path)
{
    outbox_free(outbox);
    return rig_open(path);
}

/* ---- what is durable --------------------------------------------------------------------- */

static void what_was_committed_is_there_again(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    struct outbox_destination list[2];
    struct outbox_batch batch = {0};
    struct outbox_counts counts;

    (void)state;
    rig_put(outbox, &web, MINUTE_S, "custom.a", 1.5);
    rig_put(outbox, &web, MINUTE_S, "loadavg5", 2.5);
    rig_put(outbox, &shop, MINUTE_S + 60, "a", 3.5);
    outbox = reopen(outbox, path);
    counts = rig_counts(outbox);
    assert_int_equal(counts.destinations, 2);
    assert_int_equal(counts.rows, 2);
    assert_int_equal(counts.values, 3);
    assert_int_equal(counts.oldest_minute_s, MINUTE_S);
    assert_int_equal(counts.committed_lsn, 3);
    assert_int_equal(rig_books(outbox).closed, 3);
    assert_int_equal(outbox_list(outbox, 0, list, 2), 2);
    assert_true(mackerel_destination_equal(&list[0].destination, &web));
    assert_true(slice_is(list[0].destination.roles, "shop:web"));
    assert_true(mackerel_destination_equal(&list[1].destination, &shop));
    assert_int_equal(rig_take(outbox, list[0].id, MINUTE_S + 80, &batch), 2);
    assert_true(slice_is(batch.items[0].name, "custom.a"));
    assert_true(batch.items[0].value == 1.5 && !batch.items[0].native);
    assert_true(slice_is(batch.items[1].name, "loadavg5"));
    assert_true(batch.items[1].value == 2.5 && batch.items[1].native);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    outbox_free(outbox);
}

static void what_was_not_committed_is_not_taken_and_not_kept(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    struct outbox_batch batch = {0};

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_queue(outbox, &shop, MINUTE_S + 60, "a", 2);
    assert_int_equal(rig_books(outbox).queued, 2);
    assert_int_equal(rig_counts(outbox).values, 2);
    assert_int_equal(rig_counts(outbox).last_lsn, 2);
    assert_int_equal(outbox_committed_lsn(outbox), 1);
    assert_int_equal(rig_take(outbox, 1, MINUTE_S + 80, &batch), 1);
    rig_settle(outbox, &batch, OUTBOX_RETURNED, MINUTE_S + 80);
    outbox = reopen(outbox, path);
    assert_int_equal(outbox_committed_lsn(outbox), 1);
    assert_int_equal(rig_books(outbox).queued, 1);
    outbox_free(outbox);
}

static void a_tick_that_was_committed_before_is_ignored(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    const struct mackerel_value value = {.name = SLICE("a"), .value = 9};
    const struct mackerel_row row = {
        .destination = shop, .minute_s = MINUTE_S, .values = &value, .count = 1};

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_put(outbox, &shop, MINUTE_S, "a", 2);
    outbox = reopen(outbox, path);
    outbox_put(outbox, &row, 1, 2);
    rig_commit(outbox);
    assert_int_equal(rig_books(outbox).closed, 2);
    outbox_put(outbox, &row, 1, 3);
    rig_commit(outbox);
    assert_int_equal(rig_books(outbox).closed, 3);
    assert_int_equal(outbox_committed_lsn(outbox), 3);
    outbox_free(outbox);
}

static void a_settlement_is_durable_with_the_next_commit(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path), *killed;
    struct outbox_batch batch = {0};

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_take(outbox, 1, MINUTE_S + 80, &batch);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    killed = rig_open(rig_copy(path));
    assert_int_equal(rig_books(killed).queued, 1);
    assert_int_equal(rig_books(killed).delivered, 0);
    outbox_free(killed);
    rig_commit(outbox);
    killed = rig_open(rig_copy(path));
    assert_int_equal(rig_books(killed).queued, 0);
    assert_int_equal(rig_books(killed).delivered, 1);
    assert_int_equal(rig_counts(killed).rows, 0);
    outbox_free(killed);
    outbox_free(outbox);
}

static void what_was_in_flight_is_confirmed_after_a_restart(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    struct outbox_batch batch = {0};
    uint64_t now_s = MINUTE_S + 80;

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_take(outbox, 1, now_s, &batch);
    rig_commit(outbox);
    outbox_batch_release(&batch);
    outbox = reopen(outbox, path);
    assert_int_equal(rig_take(outbox, 1, now_s + 5, &batch), 1);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, now_s + 6);
    rig_commit(outbox);
    assert_int_equal(rig_books(outbox).delivered, 0);
    outbox = reopen(outbox, path);
    assert_int_equal(rig_take(outbox, 1, now_s + 89, &batch), 0);
    assert_int_equal(rig_take(outbox, 1, now_s + 90, &batch), 1);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, now_s + 91);
    rig_commit(outbox);
    outbox = reopen(outbox, path);
    assert_int_equal(rig_books(outbox).delivered, 1);
    assert_int_equal(rig_counts(outbox).rows, 0);
    outbox_free(outbox);
}

static void an_ambiguous_attempt_is_remembered(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    struct outbox_batch batch = {0};
    uint64_t now_s = MINUTE_S + 80;

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_take(outbox, 1, now_s, &batch);
    rig_settle(outbox, &batch, OUTBOX_AMBIGUOUS, now_s + 10);
    rig_commit(outbox);
    outbox = reopen(outbox, path);
    rig_take(outbox, 1, now_s + 11, &batch);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, now_s + 12);
    rig_commit(outbox);
    outbox = reopen(outbox, path);
    assert_int_equal(rig_take(outbox, 1, now_s + 69, &batch), 0);
    assert_int_equal(rig_take(outbox, 1, now_s + 70, &batch), 1);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, now_s + 71);
    assert_int_equal(rig_books(outbox).delivered, 1);
    outbox_free(outbox);
}

static void an_older_value_in_flight_is_replaced_when_the_process_dies(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path), *killed;
    struct outbox_batch batch = {0}, again = {0};

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_take(outbox, 1, MINUTE_S + 80, &batch);
    rig_put(outbox, &shop, MINUTE_S, "a", 2);
    assert_int_equal(rig_books(outbox).queued, 2);
    killed = rig_open(rig_copy(path));
    assert_int_equal(rig_books(killed).queued, 1);
    assert_int_equal(rig_books(killed).replaced, 1);
    assert_int_equal(rig_take(killed, 1, MINUTE_S + 90, &again), 1);
    assert_true(again.items[0].value == 2);
    rig_settle(killed, &again, OUTBOX_REJECTED, MINUTE_S + 91);
    outbox_free(killed);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    rig_commit(outbox);
    outbox = reopen(outbox, path);
    assert_int_equal(rig_books(outbox).delivered, 1);
    assert_int_equal(rig_books(outbox).replaced, 0);
    outbox_free(outbox);
}

static void forget(void *self, uint64_t id)
{
    *(uint64_t *)self = id;
}

static void ids_of_destinations_never_come_back(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    struct outbox_batch batch = {0};
    struct outbox_destination list[2];
    uint64_t gone = 0;

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_take(outbox, 1, MINUTE_S + 80, &batch);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    outbox_prune(outbox, MINUTE_S + 60, forget, &gone);
    assert_int_equal(gone, 1);
    rig_commit(outbox);
    outbox = reopen(outbox, path);
    assert_int_equal(rig_counts(outbox).destinations, 0);
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    assert_int_equal(outbox_list(outbox, 0, list, 2), 1);
    assert_int_equal(list[0].id, 2);
    outbox_free(outbox);
}

/* ---- what was found in Mackerel ------------------------------------------------------------- */

static void hosts_and_services_that_were_found_are_known_again(void **state)
{
    const struct outbox_host found = {.host_id = "3host",
                                      .verify_s = MINUTE_S + 3600,
                                      .native = 2,
                                      .native_due_s = MINUTE_S + 1800};
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    struct outbox_host known;
    uint64_t commits;

    (void)state;
    rig_put(outbox, &web, MINUTE_S, "custom.a", 1);
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    assert_false(outbox_find_host(outbox, 1, &known));
    assert_false(outbox_has_service(outbox, 2));
    outbox_keep_host(outbox, 1, &found);
    outbox_keep_service(outbox, 2, true);
    rig_commit(outbox);
    outbox = reopen(outbox, path);
    assert_true(outbox_find_host(outbox, 1, &known));
    assert_string_equal(known.host_id, "3host");
    assert_int_equal(known.verify_s, MINUTE_S + 3600);
    assert_int_equal(known.native, 2);
    assert_int_equal(known.native_due_s, MINUTE_S + 1800);
    assert_true(outbox_has_service(outbox, 2));
    /* The same, give or take what a clock is corrected by, is no reason to write. */
    commits = rig_counts(outbox).commits;
    known.verify_s += 30;
    outbox_keep_host(outbox, 1, &known);
    outbox_keep_service(outbox, 2, true);
    rig_commit(outbox);
    assert_int_equal(rig_counts(outbox).commits, commits);
    outbox_keep_host(outbox, 1, &(struct outbox_host){0});
    outbox_keep_service(outbox, 2, false);
    rig_commit(outbox);
    outbox = reopen(outbox, path);
    assert_false(outbox_find_host(outbox, 1, &known));
    assert_false(outbox_has_service(outbox, 2));
    outbox_free(outbox);
}

/* ---- for people --------------------------------------------------------------------------- */

struct seen {
    struct outbox_value_view values[8];
    size_t count;
};

static void see(void *self, const struct outbox_value_view *value)
{
    struct seen *seen = self;

    assert_true(seen->count < 8);
    seen->values[seen->count++] = *value;
}

static void rows_and_values_can_be_looked_at(void **state)
{
    struct outbox *outbox = make_forgetful(0);
    struct outbox_row_view rows[4];
    struct outbox_batch batch = {0};
    struct seen seen = {.count = 0};

    (void)state;
    rig_put(outbox, &web, MINUTE_S, "custom.a", 1);
    rig_put(outbox, &web, MINUTE_S, "loadavg5", 2);
    rig_put(outbox, &shop, MINUTE_S + 60, "a", 3);
    rig_put(outbox, &shop, MINUTE_S + 120, "a", 4);
    assert_int_equal(rig_take(outbox, 1, MINUTE_S + 80, &batch), 2);
    rig_put(outbox, &web, MINUTE_S, "custom.a", 5);
    assert_int_equal(outbox_list_rows(outbox, 0, 0, rows, 2), 2);
    assert_int_equal(rows[0].destination, 1);
    assert_int_equal(rows[0].minute_s, MINUTE_S);
    assert_int_equal(rows[0].queued, 1);
    assert_int_equal(rows[0].in_flight, 2);
    assert_int_equal(rows[0].revision, 3);
    assert_int_equal(rows[1].minute_s, MINUTE_S + 60);
    assert_int_equal(rows[1].queued, 1);
    assert_int_equal(rows[1].in_flight, 0);
    assert_int_equal(
        outbox_list_rows(outbox, rows[1].destination, rows[1].minute_s, rows, 4), 1);
    assert_int_equal(rows[0].minute_s, MINUTE_S + 120);
    assert_int_equal(rows[0].revision, 1);
    assert_true(outbox_show_row(outbox, 1, MINUTE_S, see, &seen));
    assert_int_equal(seen.count, 2);
    assert_true(seen.values[0].value == 5 && seen.values[0].queued &&
                seen.values[0].in_flight && !seen.values[0].native);
    assert_true(seen.values[1].value == 2 && !seen.values[1].queued &&
                seen.values[1].in_flight && seen.values[1].native);
    assert_false(outbox_show_row(outbox, 1, MINUTE_S + 60, see, &seen));
    assert_false(outbox_show_row(outbox, 9, MINUTE_S, see, &seen));
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    outbox_free(outbox);
}

static void what_waits_for_its_confirmation_can_be_made_due(void **state)
{
    struct outbox *outbox = make_forgetful(0);
    const struct outbox_selection all = {.until_minute_s = UINT64_MAX,
                                         .pick = OUTBOX_ALL};
    struct outbox_row_view row;
    struct outbox_batch batch = {0};
    uint64_t now_s = MINUTE_S + 80;

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_take(outbox, 1, now_s, &batch);
    rig_settle(outbox, &batch, OUTBOX_AMBIGUOUS, now_s);
    rig_take(outbox, 1, now_s + 1, &batch);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, now_s + 2);
    rig_commit(outbox);
    assert_int_equal(rig_take(outbox, 1, now_s + 3, &batch), 0);
    assert_int_equal(outbox_list_rows(outbox, 0, 0, &row, 1), 1);
    assert_int_equal(row.due_s, now_s + 60);
    assert_int_equal(outbox_retry(outbox, &all, now_s + 3), 1);
    assert_int_equal(rig_take(outbox, 1, now_s + 3, &batch), 1);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, now_s + 4);
    assert_int_equal(rig_books(outbox).delivered, 1);
    outbox_free(outbox);
}

static void dropping_by_hand_has_a_heading_of_its_own(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    const struct outbox_selection one_row = {.destination = 1,
                                             .from_minute_s = MINUTE_S + 60,
                                             .until_minute_s = MINUTE_S + 60,
                                             .pick = OUTBOX_ALL};
    const struct outbox_verdict by_hand = {
        .end = OUTBOX_WITHHELD, .reason = WITHHELD_OPERATOR, .now_ns = 1};

    (void)state;
    for (uint64_t i = 0; i < 3; i++)
        rig_put(outbox, &shop, MINUTE_S + 60 * i, "a", 1);
    assert_int_equal(outbox_drop(outbox, &one_row, &by_hand), 1);
    rig_commit(outbox);
    outbox = reopen(outbox, path);
    assert_int_equal(rig_books(outbox).withheld[WITHHELD_OPERATOR].count, 1);
    assert_string_equal(rig_books(outbox).withheld[WITHHELD_OPERATOR].example, "a");
    assert_int_equal(rig_books(outbox).queued, 2);
    outbox_free(outbox);
}

/* ---- random sequences with deaths ---------------------------------------------------------- */

enum {
    FLIGHTS = 4,
    GAME_MINUTES = 4,
    GAME_NAMES = 4
};

/* What a file has to hold: the values that are queued, and the books. */
struct snapshot {
    double values[2][GAME_MINUTES][GAME_NAMES]; /* 0: none */
    uint64_t queued, lsn;
    struct value_ledger ledger;
};

struct game {
    const char *path;
    struct outbox *outbox;
    uint64_t random, now_s;
    struct outbox_batch flights[FLIGHTS];
    struct snapshot committed;
    unsigned deaths;
};

static uint64_t draw(struct game *game, uint64_t below)
{
    game->random = game->random * 6364136223846793005u + 1442695040888963407u;
    return (game->random >> 33) % below;
}

struct looking {
    struct snapshot *snapshot;
    int destination, minute;
};

static void look_at(void *self, const struct outbox_value_view *view)
{
    const struct looking *looking = self;
    int name = view->name.ptr[view->name.len - 1] - 'a';

    looking->snapshot->values[looking->destination][looking->minute][name] = view->value;
    looking->snapshot->queued++;
}

static struct snapshot look(struct outbox *outbox)
{
    struct snapshot snapshot = {.lsn = outbox_committed_lsn(outbox)};
    struct outbox_row_view rows[2 * GAME_MINUTES];
    struct outbox_destination list[2];
    size_t destinations = outbox_list(outbox, 0, list, 2);
    size_t count = outbox_list_rows(outbox, 0, 0, rows, 2 * GAME_MINUTES);

    for (size_t i = 0; i < count; i++) {
        struct looking looking = {.snapshot = &snapshot,
                                  .minute = (int)((rows[i].minute_s - MINUTE_S) / 60)};

        for (size_t k = 0; k < destinations; k++)
            if (list[k].id == rows[i].destination)
                looking.destination = list[k].destination.kind == MACKEREL_HOST;
        assert_true(outbox_show_row(outbox, rows[i].destination, rows[i].minute_s,
                                    look_at, &looking));
    }
    snapshot.ledger = rig_books(outbox);
    return snapshot;
}

static void game_put(struct game *game)
{
    static const char *const names[] = {"custom.a", "custom.b", "custom.c", "custom.d"};

    rig_queue(game->outbox, draw(game, 2) ? &web : &shop,
              MINUTE_S + 60 * draw(game, GAME_MINUTES), names[draw(game, GAME_NAMES)],
              (double)(1 + draw(game, 1000)));
}

static void game_take(struct game *game)
{
    struct outbox_query query = {
        .destination = 1 + draw(game, 2),
        .lane = draw(game, 2) ? MACKEREL_LIVE : MACKEREL_BACKFILL,
        .pick = OUTBOX_ALL,
        .now_s = game->now_s,
        .max_values = 1 + draw(game, 4),
    };

    outbox_take(game->outbox, &query, &game->flights[draw(game, FLIGHTS)]);
}

static void game_settle(struct game *game)
{
    rig_settle(game->outbox, &game->flights[draw(game, FLIGHTS)],
               (enum outbox_end)draw(game, OUTBOX_EXPIRED + 1), game->now_s);
}

static void game_drop(struct game *game)
{
    outbox_drop(game->outbox,
                &(struct outbox_selection){
                    .until_minute_s = MINUTE_S + 60 * draw(game, GAME_MINUTES),
                    .pick = OUTBOX_ALL,
                },
                &(struct outbox_verdict){.end = OUTBOX_EXPIRED});
}

static void game_commit(struct game *game)
{
    rig_commit(game->outbox);
    game->committed = look(game->outbox);
}

static void game_die(struct game *game, size_t loaded_max_bytes)
{
    const char *copy = rig_copy(game->path);
    struct snapshot now;
    const struct snapshot *then = &game->committed;

    outbox_free(game->outbox);
    for (size_t i = 0; i < FLIGHTS; i++)
        outbox_batch_release(&game->flights[i]);
    game->path = copy;
    game->outbox = rig_open_with(
        &(struct outbox_options){.path = copy, .loaded_max_bytes = loaded_max_bytes});
    now = look(game->outbox);
    assert_memory_equal(now.values, then->values, sizeof(now.values));
    assert_int_equal(now.lsn, then->lsn);
    assert_int_equal(now.queued, then->queued);
    assert_int_equal(now.ledger.queued, then->queued);
    assert_int_equal(now.ledger.closed, then->ledger.closed);
    assert_int_equal(now.ledger.rejected, then->ledger.rejected);
    assert_int_equal(now.ledger.expired, then->ledger.expired);
    assert_true(now.ledger.delivered >= then->ledger.delivered);
    assert_int_equal(rig_counts(game->outbox).bad_files, 0);
    assert_int_equal(rig_counts(game->outbox).bad_rows, 0);
    game->deaths++;
}

static void game_step(struct game *game)
{
    uint64_t choice = draw(game, 40);

    game->now_s += draw(game, 5);
    if (choice < 16)
        game_put(game);
    else if (choice < 22)
        game_take(game);
    else if (choice < 28)
        game_settle(game);
    else if (choice < 29)
        game_drop(game);
    else if (choice < 39)
        game_commit(game);
    else
        game_die(game, draw(game, 2));
    rig_books(game->outbox);
}

static void death_at_any_moment_loses_what_was_not_committed_and_nothing_else(
    void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct game game = {
            .path = rig_new_path(), .random = seed, .now_s = MINUTE_S + 60};

        game.outbox = rig_open(game.path);
        for (int step = 0; step < 600; step++)
            game_step(&game);
        assert_true(game.deaths > 3);
        outbox_free(game.outbox);
        for (size_t i = 0; i < FLIGHTS; i++)
            outbox_batch_release(&game.flights[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_committed_is_there_again),
        cmocka_unit_test(what_was_not_committed_is_not_taken_and_not_kept),
        cmocka_unit_test(a_tick_that_was_committed_before_is_ignored),
        cmocka_unit_test(a_settlement_is_durable_with_the_next_commit),
        cmocka_unit_test(what_was_in_flight_is_confirmed_after_a_restart),
        cmocka_unit_test(an_ambiguous_attempt_is_remembered),
        cmocka_unit_test(an_older_value_in_flight_is_replaced_when_the_process_dies),
        cmocka_unit_test(ids_of_destinations_never_come_back),
        cmocka_unit_test(hosts_and_services_that_were_found_are_known_again),
        cmocka_unit_test(rows_and_values_can_be_looked_at),
        cmocka_unit_test(what_waits_for_its_confirmation_can_be_made_due),
        cmocka_unit_test(dropping_by_hand_has_a_heading_of_its_own),
        cmocka_unit_test(
            death_at_any_moment_loses_what_was_not_committed_and_nothing_else),
    };
    struct outbox_rig on_disk = {make, .room_for_a_dozen = 4096, .games = 2};
    struct outbox_rig forgetful = {make_forgetful, .room_for_a_dozen = 4096, .games = 2};
    int failed = outbox_cases_run("outbox on disk", &on_disk);

    failed += outbox_cases_run("outbox on disk, little memory", &forgetful);
    failed += cmocka_run_group_tests_name("outbox's database", tests, NULL, NULL);
    rig_clean_up();
    return failed;
}
