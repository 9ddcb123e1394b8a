/*
 * The journal on a disk that fails, fills up, and loses what was not synced; with processes that are
 * killed in any call. A model remembers what senders were told: what was taken comes back, in
 * order, once, and under the LSN that it had.
 */
#include "base/journal.h"
#include "base/memory.h"
#include "tests/sim/chance.h"
#include "tests/sim/fake_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    MAX_RECORDS = 1000,
    MAX_BODY = 1500
};

enum fate {
    FATE_WAITING,
    FATE_TAKEN,
    FATE_REFUSED, /* or the process died before it was told: it may come or not */
};

struct world {
    struct fake_disk *disk;
    struct chance chance;
    struct journal_options options;
    struct journal *journal; /* NULL: no process */

    /* By number; record number n has receive_ns n. */
    struct {
        enum fate fate;
        uint64_t lsn; /* 0: never read */
    } records[MAX_RECORDS + 1];

    bool has_faults;
    bool has_failed_start; /* one could not sync what it found */
    uint64_t appended;     /* numbers given so far */
    uint64_t read_number;  /* by this process, the last */
    uint64_t read_lsn;
    uint64_t kept_number; /* in the checkpoint: the last */
    uint64_t known_lsn;
};

static void told(void *self, enum error_kind kind)
{
    enum fate *fate = self;

    assert_int_equal(*fate, FATE_WAITING);
    *fate = kind == ERROR_NONE ? FATE_TAKEN : FATE_REFUSED;
}

static size_t body_bytes(uint64_t number)
{
    /* Mostly small, some of several sectors, one in a while larger than a segment. */
    if (number % 61 == 0)
        return 9000;
    return number * number % (number % 5 == 0 ? MAX_BODY : 60);
}

static void fill_body(uint64_t number, char *body)
{
    for (size_t i = 0; i < body_bytes(number); i++)
        body[i] = (char)(number * 7 + i);
}

static void append(struct world *world)
{
    uint64_t number = ++world->appended;
    char body[9000];
    struct journal_record record = {
        .kind = number % 9 == 0 ? JOURNAL_TICK : JOURNAL_REQUEST,
        .receive_ns = number,
        .body = {body, body_bytes(number)},
    };

    fill_body(number, body);
    world->records[number].fate = FATE_WAITING;
    journal_append(world->journal, &record, told, &world->records[number].fate);
}

/* ---- what must hold ---------------------------------------------------------------------- */

static void check_body(const struct journal_record *record)
{
    char body[9000];
    uint64_t number = record->receive_ns;

    fill_body(number, body);
    assert_true(slice_equal(record->body, (struct slice){body, body_bytes(number)}));
}

static void check_skipped(struct world *world, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        assert_int_not_equal(world->records[i].fate, FATE_TAKEN);
}

static void check_next(struct world *world, const struct journal_record *record,
                       bool is_replayed)
{
    uint64_t number = record->receive_ns;

    assert_in_range(number, world->read_number + 1, world->appended);
    check_skipped(world, world->read_number + 1, number);
    assert_int_not_equal(world->records[number].fate, FATE_WAITING);
    /* Refused, and there nevertheless: only after a restart, as a lost answer. */
    if (world->records[number].fate == FATE_REFUSED)
        assert_true(is_replayed);
    world->records[number].fate = FATE_TAKEN;
    check_body(record);
    assert_true(record->lsn > world->read_lsn);
    if (world->records[number].lsn)
        assert_int_equal(record->lsn, world->records[number].lsn);
    else
        assert_true(record->lsn > world->known_lsn);
    world->records[number].lsn = record->lsn;
    world->read_number = number;
    world->read_lsn = record->lsn;
    if (record->lsn > world->known_lsn)
        world->known_lsn = record->lsn;
}

static bool read_one(struct world *world)
{
    struct journal_record record;
    struct journal_stats before, after;

    journal_read_stats(world->journal, &before);
    if (!journal_next(world->journal, &record))
        return false;
    journal_read_stats(world->journal, &after);
    check_next(world, &record, after.replayed > before.replayed);
    return true;
}

/* ---- one process ------------------------------------------------------------------------- */

static bool start(struct world *world)
{
    struct error err = {0};
    struct fake_disk_stats before, after;

    world->read_number = world->kept_number;
    world->read_lsn = world->records[world->kept_number].lsn;
    world->options.after_lsn = world->read_lsn;
    world->options.known_lsn = world->known_lsn;
    fake_disk_read_stats(world->disk, &before);
    world->journal = journal_open(&world->options, &err);
    fake_disk_read_stats(world->disk, &after);
    world->has_failed_start |= after.failed_syncs > before.failed_syncs;
    return world->journal;
}

static void end(struct world *world)
{
    struct journal_stats stats;

    if (world->journal) {
        journal_read_stats(world->journal, &stats);
        /* Unless the disk could not even keep what was there: then it says so. */
        if (!world->has_failed_start)
            assert_int_equal(stats.lost_records, 0);
        if (!world->has_faults)
            assert_int_equal(stats.bad_files, 0);
    }
    fake_disk_kill(world->disk);
    journal_free(world->journal);
    world->journal = NULL;
}

static void step(struct world *world)
{
    uint64_t what = chance_below(&world->chance, 100);

    if (what < 45)
        append(world);
    else if (what < 55)
        journal_flush(world->journal);
    else if (what < 97)
        read_one(world);
    else if (!fake_disk_is_dead(world->disk)) {
        /* A checkpoint is durable first, and then forgets. */
        world->kept_number = world->read_number;
        journal_forget(world->journal, world->read_lsn);
    }
}

static void live(struct world *world)
{
    while (!fake_disk_is_dead(world->disk) && world->appended < MAX_RECORDS)
        step(world);
}

/* A last process without faults: everything that was taken is there. */
static void check_everything(struct world *world)
{
    fake_disk_set_faults(world->disk, &(struct fake_disk_faults){0});
    fake_disk_take_space(world->disk, 0);
    assert_true(start(world));
    while (read_one(world))
        continue;
    check_skipped(world, world->read_number + 1, world->appended + 1);
    end(world);
}

struct plan {
    uint64_t seed;
    enum journal_durability durability;
    bool is_machine_lost; /* not only the process */
    unsigned write_one_in, sync_one_in;
    uint64_t capacity;
};

static void run(const struct plan *plan)
{
    struct world *world = memory_new(1, sizeof(*world));

    world->chance = chance_of(plan->seed);
    world->has_faults = plan->write_one_in || plan->sync_one_in;
    world->disk = fake_disk_new(&(struct fake_disk_options){
        .seed = plan->seed,
        .capacity = plan->capacity,
        .survives_in_part = plan->is_machine_lost,
    });
    world->options = (struct journal_options){
        .disk = fake_disk_handle(world->disk),
        .durability = plan->durability,
        .max_bytes = 160 << 10,
        .segment_bytes = 12 << 10,
        .is_manual = true,
    };
    while (world->appended < MAX_RECORDS) {
        fake_disk_set_faults(world->disk, &(struct fake_disk_faults){
                                              .write_one_in = plan->write_one_in,
                                              .sync_one_in = plan->sync_one_in,
                                          });
        fake_disk_kill_at(world->disk, 1 + chance_below(&world->chance, 120));
        if (start(world))
            live(world);
        end(world);
        if (plan->is_machine_lost)
            fake_disk_crash(world->disk);
        fake_disk_revive(world->disk);
    }
    check_everything(world);
    fake_disk_free(world->disk);
    free(world);
}

enum {
    SEEDS = 60
};

static void killed_processes_lose_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run(&(struct plan){
            .seed = seed, .durability = JOURNAL_PROCESS, .capacity = 1 << 20});
}

static void lost_machines_lose_nothing_that_was_synced(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run(&(struct plan){.seed = seed,
                           .durability = JOURNAL_FSYNC,
                           .is_machine_lost = true,
                           .capacity = 1 << 20});
}

static void failing_disks_lose_nothing_that_was_taken(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(&(struct plan){.seed = seed,
                           .durability = JOURNAL_PROCESS,
                           .write_one_in = 20,
                           .capacity = 1 << 20});
        run(&(struct plan){.seed = seed,
                           .durability = JOURNAL_FSYNC,
                           .is_machine_lost = true,
                           .write_one_in = 40,
                           .sync_one_in = 10,
                           .capacity = 1 << 20});
    }
}

static void full_disks_lose_nothing_that_was_taken(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run(&(struct plan){.seed = seed,
                           .durability = seed % 2 ? JOURNAL_PROCESS : JOURNAL_FSYNC,
                           .capacity = 40 << 10});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_processes_lose_nothing),
        cmocka_unit_test(lost_machines_lose_nothing_that_was_synced),
        cmocka_unit_test(failing_disks_lose_nothing_that_was_taken),
        cmocka_unit_test(full_disks_lose_nothing_that_was_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
