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
    uint64_t appended;    /* numbers given so far */
    uint64_t read_number; /* by this process, the last */
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

/* Then a later process may read what is in memory but will never be on the disk. */
static bool has_failed_sync(const struct world *world)
{
    struct fake_disk_stats stats;

    fake_disk_read_stats(world->disk, &stats);
    return stats.failed_syncs > 0;
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
    if (!has_failed_sync(world))
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

    world->read_number = world->kept_number;
    world->read_lsn = world->records[world->kept_number].lsn;
    world->options.after_lsn = world->read_lsn;
    world->options.known_lsn = world->known_lsn;
    world->journal = journal_open(&world->options, &err);
    return world->journal;
}

static void end(struct world *world)
{
    struct journal_stats stats;

    if (world->journal) {
        journal_read_stats(world->journal, &stats);
        if (!has_failed_sync(world))
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
    bool is_machine_lost; /* half of the times, not only the process */
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
        if (plan->is_machine_lost && chance_one_in(&world->chance, 2))
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

/* ---- one fault at a time ----------------------------------------------------------------- */

enum {
    SEGMENT = 12 << 10
};

struct patient {
    struct fake_disk *disk;
    struct journal_options options;
    struct journal *journal;
};

static struct patient make_patient(enum journal_durability durability, uint64_t capacity)
{
    struct patient patient = {
        .disk = fake_disk_new(
            &(struct fake_disk_options){.seed = 1, .capacity = capacity}),
    };

    patient.options = (struct journal_options){
        .disk = fake_disk_handle(patient.disk),
        .durability = durability,
        .max_bytes = 20 * SEGMENT,
        .segment_bytes = SEGMENT,
        .is_manual = true,
    };
    return patient;
}

static void reopen(struct patient *patient)
{
    struct error err = {0};

    journal_free(patient->journal);
    patient->journal = journal_open(&patient->options, &err);
    if (!patient->journal)
        fail_msg("journal_open: %s", err.text);
}

static void bury(struct patient *patient)
{
    journal_free(patient->journal);
    fake_disk_free(patient->disk);
}

static void note_kind(void *self, enum error_kind kind)
{
    *(enum error_kind *)self = kind;
}

static void append_with(struct patient *patient, enum journal_kind kind, uint64_t number,
                        enum error_kind *kind_told)
{
    static const char body[1000];

    *kind_told = ERROR_INTERNAL;
    journal_append(patient->journal,
                   &(struct journal_record){
                       .kind = kind,
                       .receive_ns = number,
                       .body = {body, kind == JOURNAL_REQUEST ? sizeof(body) : 0},
                   },
                   note_kind, kind_told);
}

static enum error_kind request(struct patient *patient, uint64_t number)
{
    enum error_kind kind;

    append_with(patient, JOURNAL_REQUEST, number, &kind);
    return kind;
}

static enum error_kind tick(struct patient *patient, uint64_t number)
{
    enum error_kind kind;

    append_with(patient, JOURNAL_TICK, number, &kind);
    return kind;
}

/* The next record is that one; 0: there is none. Returns its LSN. */
static uint64_t assert_next(struct patient *patient, uint64_t number)
{
    struct journal_record record = {.lsn = 0};

    assert_int_equal(journal_next(patient->journal, &record), number != 0);
    assert_int_equal(record.receive_ns, number);
    return record.lsn;
}

static struct journal_stats stats_of(const struct patient *patient)
{
    struct journal_stats stats;

    journal_read_stats(patient->journal, &stats);
    return stats;
}

static void a_disk_that_is_short_refuses_requests_and_takes_ticks(void **state)
{
    (void)state;
    struct patient patient = make_patient(JOURNAL_PROCESS, 100 * SEGMENT);

    patient.options.min_free_bytes = 50 * SEGMENT;
    reopen(&patient);
    assert_int_equal(request(&patient, 1), ERROR_NONE);
    fake_disk_take_space(patient.disk, 60 * SEGMENT);
    assert_int_equal(request(&patient, 2), ERROR_BUSY);
    assert_int_equal(tick(&patient, 3), ERROR_NONE);
    assert_true(stats_of(&patient).is_refusing);
    assert_non_null(strstr(stats_of(&patient).last_error, "left"));
    fake_disk_take_space(patient.disk, 0);
    assert_int_equal(request(&patient, 4), ERROR_NONE);
    assert_false(stats_of(&patient).is_refusing);
    assert_next(&patient, 1);
    assert_next(&patient, 3);
    assert_next(&patient, 4);
    assert_next(&patient, 0);
    bury(&patient);
}

/* 100 segments, 50 to be kept free: others take 48, so that there is room for two. */
static void a_new_file_leaves_what_must_be_free(void **state)
{
    (void)state;
    struct patient patient = make_patient(JOURNAL_PROCESS, 100 * SEGMENT);

    patient.options.min_free_bytes = 50 * SEGMENT;
    reopen(&patient);
    fake_disk_take_space(patient.disk, 48 * SEGMENT);
    /* 12,288 - 4,096 - 768 bytes have room for seven requests of 1,048. */
    for (uint64_t i = 1; i <= 14; i++)
        assert_int_equal(request(&patient, i), ERROR_NONE);
    assert_int_equal(request(&patient, 15), ERROR_BUSY);
    for (uint64_t i = 1; i <= 14; i++)
        assert_next(&patient, i);
    journal_forget(patient.journal, 7);
    assert_int_equal(request(&patient, 15), ERROR_NONE);
    bury(&patient);
}

static void spares_are_given_up_when_the_disk_is_short(void **state)
{
    (void)state;
    struct patient patient = make_patient(JOURNAL_PROCESS, 100 * SEGMENT);
    struct fake_disk_stats before, after;

    patient.options.min_free_bytes = 50 * SEGMENT;
    reopen(&patient);
    for (uint64_t i = 1; i <= 30; i++) {
        assert_int_equal(request(&patient, i), ERROR_NONE);
        assert_next(&patient, i);
    }
    journal_forget(patient.journal, 28);
    fake_disk_read_stats(patient.disk, &before);
    assert_int_equal(before.bytes, 5 * SEGMENT);
    /* What others take is too much by two segments, which spares can make up for. */
    fake_disk_take_space(patient.disk, 47 * SEGMENT);
    assert_int_equal(request(&patient, 31), ERROR_NONE);
    fake_disk_read_stats(patient.disk, &after);
    assert_int_equal(after.bytes, 3 * SEGMENT);
    bury(&patient);
}

static uint64_t much_free(void *self)
{
    (void)self;
    return UINT64_MAX;
}

/* The disk is full in spite of what it said: somebody else was faster. */
static void a_full_disk_refuses_and_takes_again(void **state)
{
    (void)state;
    struct patient patient = make_patient(JOURNAL_PROCESS, 4 * SEGMENT);
    struct disk liar = *patient.options.disk;
    uint64_t taken = 0;

    liar.free_bytes = much_free;
    patient.options.disk = &liar;
    reopen(&patient);
    while (request(&patient, taken + 1) == ERROR_NONE)
        taken++;
    assert_int_equal(taken, 4 * 7);
    assert_int_equal(request(&patient, 99), ERROR_BUSY);
    assert_non_null(strstr(stats_of(&patient).last_error, "No space"));
    for (uint64_t i = 1; i <= taken; i++)
        assert_next(&patient, i);
    journal_forget(patient.journal, 7);
    assert_int_equal(request(&patient, 100), ERROR_NONE);
    assert_next(&patient, 100);
    bury(&patient);
}

static void a_full_disk_at_the_start_is_no_failure(void **state)
{
    (void)state;
    struct patient patient = make_patient(JOURNAL_PROCESS, 4 * SEGMENT);

    reopen(&patient);
    assert_int_equal(request(&patient, 1), ERROR_NONE);
    fake_disk_take_space(patient.disk, 100 * SEGMENT);
    reopen(&patient);
    assert_true(stats_of(&patient).is_refusing);
    assert_next(&patient, 1);
    assert_int_equal(request(&patient, 2), ERROR_BUSY);
    assert_int_equal(tick(&patient, 2), ERROR_BUSY);
    fake_disk_take_space(patient.disk, 0);
    assert_int_equal(request(&patient, 2), ERROR_NONE);
    assert_next(&patient, 2);
    assert_next(&patient, 0);
    bury(&patient);
}

static void a_disk_that_takes_nothing_fails_the_start(void **state)
{
    (void)state;
    struct patient patient = make_patient(JOURNAL_PROCESS, 4 * SEGMENT);
    struct error err = {0};

    fake_disk_set_faults(patient.disk, &(struct fake_disk_faults){.write_one_in = 1});
    assert_null(journal_open(&patient.options, &err));
    assert_int_equal(err.kind, ERROR_INTERNAL);
    assert_non_null(strstr(err.text, "journal"));
    bury(&patient);
}

/* What a killed process did not finish is no damage, even if it cannot be removed. */
static void an_unfinished_file_that_stays_is_written_over(void **state)
{
    (void)state;
    struct patient patient = make_patient(JOURNAL_PROCESS, 100 * SEGMENT);
    const struct disk *disk = patient.options.disk;
    struct disk_file *file = disk->open(disk->self, "journal.new", DISK_REPLACE, NULL);

    disk->close(disk->self, file);
    fake_disk_fail_at(patient.disk, 1);
    reopen(&patient);
    assert_int_equal(stats_of(&patient).bad_files, 0);
    assert_int_equal(request(&patient, 1), ERROR_NONE);
    assert_next(&patient, 1);
    bury(&patient);
}

static void a_failed_write_refuses_one_record(void **state)
{
    (void)state;
    struct patient patient = make_patient(JOURNAL_PROCESS, 100 * SEGMENT);

    reopen(&patient);
    assert_int_equal(request(&patient, 1), ERROR_NONE);
    fake_disk_fail_at(patient.disk, 1);
    assert_int_equal(request(&patient, 2), ERROR_BUSY);
    assert_int_equal(request(&patient, 3), ERROR_NONE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(assert_next(&patient, 1), 1);
        assert_int_equal(assert_next(&patient, 3), 2);
        assert_next(&patient, 0);
        reopen(&patient);
    }
    assert_int_equal(stats_of(&patient).bad_files, 0);
    bury(&patient);
}

/* After a failed sync nobody knows what the disk has, whatever a later one says. */
static void a_failed_sync_voids_all_that_waited(void **state)
{
    (void)state;
    struct patient patient = make_patient(JOURNAL_FSYNC, 100 * SEGMENT);
    enum error_kind told[20];
    struct journal_stats stats;

    reopen(&patient);
    append_with(&patient, JOURNAL_REQUEST, 1, &told[1]);
    journal_flush(patient.journal);
    /* Over three segments. */
    for (uint64_t i = 2; i < 20; i++)
        append_with(&patient, JOURNAL_REQUEST, i, &told[i]);
    fake_disk_fail_at(patient.disk, 1);
    journal_flush(patient.journal);
    for (uint64_t i = 2; i < 20; i++)
        assert_int_equal(told[i], ERROR_BUSY);
    stats = stats_of(&patient);
    assert_int_equal(stats.failed_syncs, 1);
    assert_int_equal(stats.appended, 1);
    assert_int_equal(stats.refused, 18);
    append_with(&patient, JOURNAL_REQUEST, 21, &told[1]);
    journal_flush(patient.journal);
    assert_int_equal(told[1], ERROR_NONE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(assert_next(&patient, 1), 1);
        /* Numbers 2 to 19 are void, and not given again. */
        assert_int_equal(assert_next(&patient, 21), 20);
        assert_next(&patient, 0);
        reopen(&patient);
    }
    stats = stats_of(&patient);
    assert_int_equal(stats.lost_records + stats.bad_files, 0);
    bury(&patient);
}

/* The disk may have lost more of those files than it said: they are not used again. */
static void what_failed_to_sync_becomes_no_spare(void **state)
{
    (void)state;
    struct patient patient = make_patient(JOURNAL_FSYNC, 100 * SEGMENT);
    enum error_kind told[3];
    struct fake_disk_stats stats;

    reopen(&patient);
    append_with(&patient, JOURNAL_REQUEST, 1, &told[1]);
    fake_disk_fail_at(patient.disk, 2);
    journal_flush(patient.journal);
    assert_int_equal(told[1], ERROR_BUSY);
    append_with(&patient, JOURNAL_REQUEST, 2, &told[2]);
    journal_flush(patient.journal);
    assert_int_equal(told[2], ERROR_NONE);
    assert_next(&patient, 2);
    fake_disk_read_stats(patient.disk, &stats);
    assert_int_equal(stats.files, 2);
    journal_forget(patient.journal, UINT64_MAX);
    fake_disk_read_stats(patient.disk, &stats);
    assert_int_equal(stats.files, 1);
    bury(&patient);
}

/* A day in the life of a journal, with one call that fails. True: it was the last to fail. */
static bool live_with_failure(enum journal_durability durability, uint64_t call)
{
    struct patient patient = make_patient(durability, 100 * SEGMENT);
    enum error_kind told[61];
    struct fake_disk_stats stats;
    uint64_t next = 1;

    fake_disk_fail_at(patient.disk, call);
    for (unsigned day = 0; day < 3; day++) {
        struct journal_record record;

        reopen(&patient);
        for (uint64_t i = 1; i <= 20; i++) {
            append_with(&patient, JOURNAL_REQUEST, day * 20U + i, &told[day * 20U + i]);
            if (i % 3 == 0)
                journal_flush(patient.journal);
        }
        journal_flush(patient.journal);
        while (journal_next(patient.journal, &record)) {
            for (; next < record.receive_ns; next++)
                assert_int_equal(told[next], ERROR_BUSY);
            assert_int_equal(told[next++], ERROR_NONE);
            patient.options.after_lsn = record.lsn;
        }
        for (; next <= (day + 1) * 20U; next++)
            assert_int_equal(told[next], ERROR_BUSY);
        journal_forget(patient.journal, patient.options.after_lsn);
    }
    assert_int_equal(stats_of(&patient).lost_records, 0);
    assert_int_equal(stats_of(&patient).bad_files, 0);
    fake_disk_read_stats(patient.disk, &stats);
    bury(&patient);
    return stats.calls < call;
}

static void any_call_may_fail_once(void **state)
{
    (void)state;
    for (int durability = JOURNAL_PROCESS; durability <= JOURNAL_FSYNC; durability++) {
        uint64_t call = 1;

        while (!live_with_failure((enum journal_durability)durability, call))
            call++;
        assert_true(call > 60);
    }
}

/* A disk that cannot read some things; the rest is another's. */
struct bad_reader {
    struct disk disk;
    const struct disk *good;
    uint64_t calls, fail_at;   /* the n-th read or listing fails, once */
    uint64_t bad_from, bad_to; /* these bytes can never be read */
};

static bool fails(struct bad_reader *bad, struct error *err)
{
    return ++bad->calls == bad->fail_at &&
           !FAIL(err, ERROR_INTERNAL, "Input/output error");
}

/* The parameters are those of struct disk. */
static bool read_badly(void *self, struct disk_file *file, uint64_t offset, char *to,
                       size_t len, size_t *got, struct error *err)
{
    struct bad_reader *bad = self;

    if (fails(bad, err) || (offset < bad->bad_to && offset + len > bad->bad_from))
        return FAIL(err, ERROR_INTERNAL, "Input/output error");
    return bad->good->read(bad->good->self, file, offset, to, len, got, err);
}

static bool list_badly(void *self, void (*found)(void *found_self, const char *name),
                       void *found_self, struct error *err)
{
    struct bad_reader *bad = self;

    return !fails(bad, err) && bad->good->list(bad->good->self, found, found_self, err);
}

static struct disk_file *open_well(void *self, const char *name, enum disk_open how,
                                   struct error *err)
{
    const struct bad_reader *bad = self;

    return bad->good->open(bad->good->self, name, how, err);
}

static void close_well(void *self, struct disk_file *file)
{
    const struct bad_reader *bad = self;

    bad->good->close(bad->good->self, file);
}

static bool write_well(void *self, struct disk_file *file, uint64_t offset,
                       const struct slice *parts, size_t count, struct error *err)
{
    const struct bad_reader *bad = self;

    return bad->good->write(bad->good->self, file, offset, parts, count, err);
}

static bool allocate_well(void *self, struct disk_file *file, uint64_t bytes,
                          struct error *err)
{
    const struct bad_reader *bad = self;

    return bad->good->allocate(bad->good->self, file, bytes, err);
}

static bool truncate_well(void *self, struct disk_file *file, uint64_t bytes,
                          struct error *err)
{
    const struct bad_reader *bad = self;

    return bad->good->truncate(bad->good->self, file, bytes, err);
}

static bool sync_well(void *self, struct disk_file *file, struct error *err)
{
    const struct bad_reader *bad = self;

    return bad->good->sync(bad->good->self, file, err);
}

static uint64_t size_well(void *self, struct disk_file *file)
{
    const struct bad_reader *bad = self;

    return bad->good->size(bad->good->self, file);
}

static bool rename_well(void *self, const char *from, const char *to, struct error *err)
{
    const struct bad_reader *bad = self;

    return bad->good->rename(bad->good->self, from, to, err);
}

static bool remove_well(void *self, const char *name, struct error *err)
{
    const struct bad_reader *bad = self;

    return bad->good->remove(bad->good->self, name, err);
}

static void make_bad_reader(struct bad_reader *bad, const struct disk *good)
{
    *bad = (struct bad_reader){.disk = *good, .good = good};
    bad->disk.self = bad;
    bad->disk.read = read_badly;
    bad->disk.list = list_badly;
    bad->disk.open = open_well;
    bad->disk.close = close_well;
    bad->disk.write = write_well;
    bad->disk.allocate = allocate_well;
    bad->disk.truncate = truncate_well;
    bad->disk.sync = sync_well;
    bad->disk.size = size_well;
    bad->disk.rename = rename_well;
    bad->disk.remove = remove_well;
    bad->disk.free_bytes = much_free;
}

static void any_read_may_fail_once(void **state)
{
    (void)state;
    struct patient patient = make_patient(JOURNAL_PROCESS, 100 * SEGMENT);
    struct bad_reader bad;
    uint64_t call = 0;

    reopen(&patient);
    for (uint64_t i = 1; i <= 30; i++)
        assert_int_equal(request(&patient, i), ERROR_NONE);
    make_bad_reader(&bad, patient.options.disk);
    patient.options.disk = &bad.disk;
    do {
        bad.calls = 0;
        bad.fail_at = ++call;
        reopen(&patient);
        for (uint64_t i = 1; i <= 30; i++)
            assert_int_equal(assert_next(&patient, i), i);
        assert_next(&patient, 0);
        assert_int_equal(stats_of(&patient).bad_files, 0);
        assert_int_equal(stats_of(&patient).lost_records, 0);
    } while (bad.calls >= call);
    assert_true(call > 10);
    bury(&patient);
}

/* Of every file the bytes of the third record's middle cannot be read: 7 records fit into one, so that
 * 3, 10, 17, 24 are lost. Record 31 would be, if it were there. */
static void what_the_disk_cannot_read_is_lost_alone(void **state)
{
    (void)state;
    struct patient patient = make_patient(JOURNAL_PROCESS, 100 * SEGMENT);
    struct bad_reader bad;

    reopen(&patient);
    for (uint64_t i = 1; i <= 30; i++)
        assert_int_equal(request(&patient, i), ERROR_NONE);
    make_bad_reader(&bad, patient.options.disk);
    bad.bad_from = 4096 + 2 * 1048 + 500;
    bad.bad_to = bad.bad_from + 1;
    patient.options.disk = &bad.disk;
    reopen(&patient);
    for (uint64_t i = 1; i <= 30; i++) {
        if (i % 7 != 3)
            assert_int_equal(assert_next(&patient, i), i);
    }
    assert_next(&patient, 0);
    assert_int_equal(stats_of(&patient).lost_records, 4);
    assert_int_equal(stats_of(&patient).bad_files, 5);
    bury(&patient);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_that_is_short_refuses_requests_and_takes_ticks),
        cmocka_unit_test(a_new_file_leaves_what_must_be_free),
        cmocka_unit_test(spares_are_given_up_when_the_disk_is_short),
        cmocka_unit_test(a_full_disk_refuses_and_takes_again),
        cmocka_unit_test(a_full_disk_at_the_start_is_no_failure),
        cmocka_unit_test(a_disk_that_takes_nothing_fails_the_start),
        cmocka_unit_test(an_unfinished_file_that_stays_is_written_over),
        cmocka_unit_test(a_failed_write_refuses_one_record),
        cmocka_unit_test(a_failed_sync_voids_all_that_waited),
        cmocka_unit_test(what_failed_to_sync_becomes_no_spare),
        cmocka_unit_test(any_call_may_fail_once),
        cmocka_unit_test(any_read_may_fail_once),
        cmocka_unit_test(what_the_disk_cannot_read_is_lost_alone),
        cmocka_unit_test(killed_processes_lose_nothing),
        cmocka_unit_test(lost_machines_lose_nothing_that_was_synced),
        cmocka_unit_test(failing_disks_lose_nothing_that_was_taken),
        cmocka_unit_test(full_disks_lose_nothing_that_was_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
