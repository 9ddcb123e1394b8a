/*
 * Files that no outbox wrote like that. Whatever it is: the outbox opens, its books balance, every
 * value it gives is one that was put, it works, and what was wrong is kept beside it.
 */

#include "tests/exporter/outbox_file_rig.h"

#include <sqlite3.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    MINUTES = 12,
    NAMES = 40,
    VALUES = 2 * MINUTES * NAMES
};

/* ---- a sound outbox ---------------------------------------------------------------------- */

/* What a value has to be, given where it is. */
static double value_of(int destination, uint64_t minute_s, int name)
{
    return destination * 1e6 + (double)(minute_s - MINUTE_S) * 10 + name + 0.5;
}

static void fill(struct outbox *outbox)
{
    static char texts[NAMES][64];
    struct mackerel_value values[2][NAMES];
    struct mackerel_row rows[2];

    for (uint64_t minute_s = MINUTE_S; minute_s < MINUTE_S + 60 * MINUTES;
         minute_s += 60) {
        for (int to = 0; to < 2; to++) {
            for (int i = 0; i < NAMES; i++) {
                snprintf(texts[i], sizeof(texts[i]), "custom.some.metric.%d", i);
                values[to][i] = (struct mackerel_value){
                    .name = slice_of(texts[i]),
                    .value = value_of(to, minute_s, i),
                };
            }
            rows[to] = (struct mackerel_row){
                .destination = to ? web : shop,
                .minute_s = minute_s,
                .values = values[to],
                .count = NAMES,
            };
        }
        outbox_put(outbox, rows, 2, (minute_s - MINUTE_S) / 60 + 1);
        rig_commit(outbox);
    }
}

static const char *sound_path;     /* closed in order */
static const char *sound_log_path; /* as after kill -9: most is in the log */

static int make_sound_ones(void **state)
{
    struct outbox *outbox;
    struct outbox_batch batch = {0};

    (void)state;
    sound_path = rig_new_path();
    outbox = rig_open(sound_path);
    fill(outbox);
    sound_log_path = rig_copy(sound_path);
    outbox_free(outbox);
    outbox = rig_open(sound_log_path);
    rig_take(outbox, 1, MINUTE_S + 700, &batch);
    rig_commit(outbox);
    outbox_batch_release(&batch);
    sound_log_path = rig_copy(sound_log_path);
    outbox_free(outbox);
    return 0;
}

/* ---- what has to hold afterwards ----------------------------------------------------------- */

struct look {
    int destination;
    uint64_t minute_s;
    size_t values;
};

static void look_at_value(void *self, const struct outbox_value_view *view)
{
    struct look *look = self;
    char name[64];
    int number;

    snprintf(name, sizeof(name), "%.*s", SLICE_ARG(view->name));
    assert_int_equal(sscanf(name, "custom.some.metric.%d", &number), 1);
    assert_true(view->value == value_of(look->destination, look->minute_s, number));
    look->values++;
}

/* All that is there is what was put. Returns how many values. */
static size_t look_through(struct outbox *outbox)
{
    struct outbox_destination list[4];
    struct outbox_row_view rows[4 * MINUTES];
    size_t destinations = outbox_list(outbox, 0, list, 4);
    size_t count = outbox_list_rows(outbox, 0, 0, rows, 4 * MINUTES), values = 0;

    for (size_t i = 0; i < count; i++) {
        struct look look = {.minute_s = rows[i].minute_s};

        for (size_t k = 0; k < destinations; k++)
            if (list[k].id == rows[i].destination)
                look.destination = list[k].destination.kind == MACKEREL_HOST;
        if (outbox_show_row(outbox, rows[i].destination, rows[i].minute_s, look_at_value,
                            &look))
            values += look.values;
    }
    return values;
}

static void deliver_all(struct outbox *outbox)
{
    struct outbox_destination list[4];
    size_t destinations = outbox_list(outbox, 0, list, 4);
    struct outbox_batch batch = {0};

    for (size_t i = 0; i < destinations; i++)
        for (int lane = MACKEREL_LIVE; lane <= MACKEREL_BACKFILL; lane++)
            outbox_take(outbox,
                        &(struct outbox_query){
                            .destination = list[i].id,
                            .lane = (enum mackerel_lane)lane,
                            .pick = OUTBOX_ALL,
                            .now_s = MINUTE_S + 86400,
                            .max_values = 10 * VALUES,
                        },
                        &batch);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 86401);
}

static bool is_there(const char *path, const char *suffix)
{
    char name[256];
    struct stat status;

    snprintf(name, sizeof(name), "%s%s", path, suffix);
    return lstat(name, &status) == 0;
}

/* Opens it, looks at everything and works with it. Returns the values that were still there. */
static size_t open_and_use(const char *path)
{
    struct outbox *outbox = rig_open(path);
    bool was_bad = rig_counts(outbox).bad_files > 0;
    size_t values = look_through(outbox);

    assert_true(values <= VALUES);
    rig_books(outbox);
    assert_true(!was_bad || is_there(path, ".bad") || is_there(path, ".bad-wal"));
    rig_put(outbox, &shop, MINUTE_S + 86400, "custom.some.metric.1",
            value_of(0, MINUTE_S + 86400, 1));
    assert_int_equal(look_through(outbox), values + 1);
    deliver_all(outbox);
    rig_commit(outbox);
    assert_int_equal(rig_books(outbox).delivered, values + 1);
    assert_int_equal(rig_books(outbox).queued, 0);
    outbox_free(outbox);
    outbox = rig_open(path);
    assert_int_equal(rig_counts(outbox).bad_files, 0);
    assert_int_equal(rig_books(outbox).queued, 0);
    assert_int_equal(rig_books(outbox).delivered, values + 1);
    outbox_free(outbox);
    return values;
}

static long size_of(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return (long)status.st_size;
}

static void sound_files_are_taken_as_they_are(void **state)
{
    (void)state;
    assert_int_equal(open_and_use(rig_copy(sound_path)), VALUES);
    assert_int_equal(open_and_use(rig_copy(sound_log_path)), VALUES);
}

/* ---- bytes ------------------------------------------------------------------------------- */

static void write_file(const char *path, const char *suffix, const void *bytes,
                       size_t len)
{
    char name[256];
    FILE *file;

    snprintf(name, sizeof(name), "%s%s", path, suffix);
    file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void flip(const char *path, long offset, int bit)
{
    FILE *file = fopen(path, "r+b");
    int byte;

    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    byte = fgetc(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    fputc(byte ^ (1 << bit), file);
    assert_int_equal(fclose(file), 0);
}

static uint64_t draw(uint64_t *random, uint64_t below)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (*random >> 33) % below;
}

static void a_flipped_bit_anywhere_gives_no_wrong_value(void **state)
{
    uint64_t random = 7;
    size_t whole = 0;

    (void)state;
    for (int i = 0; i < 150; i++) {
        const char *path = rig_copy(sound_path);

        long at = (long)draw(&random, (uint64_t)size_of(path));

        flip(path, at, (int)draw(&random, 8));
        whole += open_and_use(path) == VALUES;
    }
    assert_in_range(whole, 20, 149); /* some hit nothing, some hit something */
}

static void a_flipped_bit_anywhere_in_the_log_gives_no_wrong_value(void **state)
{
    uint64_t random = 11;
    char name[256];

    (void)state;
    for (int i = 0; i < 50; i++) {
        const char *path = rig_copy(sound_log_path);

        snprintf(name, sizeof(name), "%s-wal", path);

        long at = (long)draw(&random, (uint64_t)size_of(name));

        flip(name, at, (int)draw(&random, 8));
        open_and_use(path);
    }
}

static void any_page_may_be_zeros_or_noise(void **state)
{
    long pages = size_of(sound_path) / 4096;
    size_t kept = 0;

    (void)state;
    for (long page = 0; page < pages; page++) {
        const char *zeros = rig_copy(sound_path), *noise = rig_copy(sound_path);

        rig_overwrite(zeros, page * 4096, 0, 4096);
        rig_overwrite(noise, page * 4096, 0x5A, 4096);
        kept += open_and_use(zeros) > 0;
        kept += open_and_use(noise) > 0;
    }
    assert_true(kept > (size_t)pages); /* most pages cost some rows, not all */
}

static void a_file_may_end_anywhere(void **state)
{
    const long sizes[] = {0,    1,    15,   16,   50,   99,    100,   511,   512,  1000,
                          4095, 4096, 4097, 8192, 9000, 12288, 20000, 28672, 40000};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const char *path = rig_copy(sound_path), *with_log = rig_copy(sound_log_path);

        assert_int_equal(truncate(path, sizes[i]), 0);
        open_and_use(path);
        if (sizes[i] < size_of(with_log))
            assert_int_equal(truncate(with_log, sizes[i]), 0);
        open_and_use(with_log);
    }
}

static void a_stub_of_a_database_is_no_empty_one(void **state)
{
    const long sizes[] = {1, 99, 100, 511, 512, 4095};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const char *path = rig_copy(sound_path);

        assert_int_equal(truncate(path, sizes[i]), 0);

        struct outbox *outbox = rig_open(path);

        assert_int_equal(rig_counts(outbox).bad_files, 1);
        outbox_free(outbox);
    }
}

static void a_log_may_end_anywhere(void **state)
{
    char name[256];
    long size;

    (void)state;
    snprintf(name, sizeof(name), "%s-wal", sound_log_path);
    size = size_of(name);
    for (long cut = 0; cut < 20; cut++) {
        const char *path = rig_copy(sound_log_path);

        snprintf(name, sizeof(name), "%s-wal", path);
        assert_int_equal(truncate(name, size * cut / 20), 0);
        open_and_use(path);
    }
}

static void a_header_may_lie(void **state)
{
    /* Offsets in SQLite's header (Database File Format, 1.3), and what is written there. */
    static const struct {
        long offset;
        int byte;
        size_t len;
    } lies[] = {
        {0, 0, 100},                   /* everything */
        {0, 'x', 16},                  /* magic */
        {16, 0, 2},                    /* page size */
        {16, 0xFF, 2},                 /* page size */
        {18, 1, 2},                    /* a rollback journal instead of a log */
        {18, 9, 2},                    /* a format of the future */
        {20, 200, 1},                  /* reserved bytes */
        {21, 0, 3},                    /* payload fractions */
        {28, 0xFF, 4},                 /* pages */
        {28, 0, 4},     {32, 0xFF, 4}, /* free list */
        {32, 1, 8},     {44, 9, 4},    /* schema format */
        {52, 1, 4},                    /* auto-vacuum */
        {56, 3, 4},                    /* UTF-16 */
        {60, 0xFF, 4},                 /* user_version */
        {68, 0, 4},                    /* application_id */
        {92, 0xFF, 8},                 /* version-valid-for */
        {100, 0, 8},                   /* root page of the schema */
        {100, 0xFF, 8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        const char *path = rig_copy(sound_path);

        rig_overwrite(path, lies[i].offset, lies[i].byte, lies[i].len);
        open_and_use(path);
    }
}

/* ---- other things in its place ------------------------------------------------------------ */

static void something_else_may_be_in_its_place(void **state)
{
    const char *path = rig_new_path();
    char other[300];

    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(open_and_use(path), 0);
    path = rig_new_path();
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(open_and_use(path), 0);
    path = rig_new_path();
    write_file(path, "", "A letter to a database, of some length, but not one.", 52);
    assert_int_equal(open_and_use(path), 0);
    path = rig_new_path();
    snprintf(other, sizeof(other), "%s.elsewhere/x", path);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(open_and_use(path), 0);
}

static void logs_of_others_are_not_believed(void **state)
{
    const char *const suffixes[] = {"-wal", "-journal", "-shm"};
    char noise[5000], name[256], from[256];
    const char *path;

    (void)state;
    memset(noise, 0x5A, sizeof(noise));
    for (size_t i = 0; i < 3; i++) {
        path = rig_copy(sound_path);
        write_file(path, suffixes[i], noise, sizeof(noise));
        assert_int_equal(open_and_use(path), VALUES);
    }
    for (size_t i = 0; i < 3; i++) { /* a directory */
        path = rig_copy(sound_path);
        snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        assert_int_equal(mkdir(name, 0700), 0);
        open_and_use(path);
    }
    /* A log without a database, and a log beside an empty one. */
    for (int is_empty = 0; is_empty < 2; is_empty++) {
        path = rig_copy(sound_log_path);
        assert_int_equal(is_empty ? truncate(path, 0) : unlink(path), 0);
        assert_int_equal(open_and_use(path), 0);
    }
    /* The log of another outbox is laid over this one. */
    path = rig_new_path();
    {
        struct outbox *outbox = rig_open(path);

        rig_put(outbox, &shop, MINUTE_S, "custom.some.metric.3",
                value_of(0, MINUTE_S, 3));
        outbox_free(outbox);
    }
    snprintf(from, sizeof(from), "%s-wal", sound_log_path);
    snprintf(name, sizeof(name), "%s-wal", path);
    rig_copy_file(from, name);
    open_and_use(path);
}

/* ---- statements --------------------------------------------------------------------------- */

static const struct {
    const char *sql;
    size_t kept; /* values */
} deeds[] = {
    {"PRAGMA user_version = 0", 0},
    {"PRAGMA user_version = 2", 0},
    {"PRAGMA user_version = -1", 0},
    {"PRAGMA application_id = 1", 0},
    {"DROP TABLE rows", 0},
    {"DROP TABLE meta", 0},
    {"DROP TABLE bad_rows", 0},
    {"ALTER TABLE rows RENAME COLUMN payload TO body", 0},
    {"ALTER TABLE rows ADD COLUMN more INTEGER", 0},
    {"CREATE TABLE more(a)", VALUES},
    {"DELETE FROM meta", VALUES},
    {"DELETE FROM ledger", VALUES},
    {"UPDATE meta SET value = value + 1", VALUES},
    {"UPDATE meta SET value = 'text'", VALUES},
    {"UPDATE ledger SET count = count + 1 WHERE name = 'closed'", VALUES},
    {"UPDATE ledger SET count = -1 WHERE name = 'delivered'", VALUES},
    {"UPDATE ledger SET name = 'other' WHERE name = 'delivered'", VALUES},
    {"UPDATE destinations SET name = 'shnp' WHERE name = 'shop'", VALUES / 2},
    {"UPDATE destinations SET kind = 0", VALUES / 2},
    {"UPDATE destinations SET id = id + 100", 0},
    {"DELETE FROM destinations", 0},
    {"DELETE FROM destinations WHERE id = 2", VALUES / 2},
    {"DELETE FROM rows WHERE minute % 120 = 0", VALUES / 2},
    {"UPDATE rows SET payload = x''", 0},
    {"UPDATE rows SET payload = 'text'", 0},
    {"UPDATE rows SET payload = substr(payload, 1, 100)", 0},
    {"UPDATE rows SET payload = payload || x'00'", 0},
    {"UPDATE rows SET payload = x'02' || substr(payload, 2)", 0},
    {"UPDATE rows SET payload = x'01FFFFFFFF' || substr(payload, 6)", 0},
    {"UPDATE rows SET payload = x'0128000000FFFFFFFF' || substr(payload, 10)", 0},
    {"UPDATE rows SET payload = zeroblob(length(payload))", 0},
    {"UPDATE rows SET minute = minute + 6000", 0},
    {"UPDATE rows SET queued = queued + 1", 0},
    {"UPDATE rows SET queued = 0", 0},
    {"UPDATE rows SET queued = -1", 0},
    {"UPDATE rows SET natives = 7", 0},
    {"UPDATE rows SET natives = 700000", 0},
    {"UPDATE rows SET lane = 1", 0},
    {"UPDATE rows SET lane = 77", 0},
    {"UPDATE rows SET revision = 1", 0},
    {"UPDATE rows SET due = 99999999999", 0},
    {"UPDATE rows SET queued = 'many' WHERE minute % 120 = 0", VALUES / 2},
    {"INSERT INTO flights VALUES(1, 5, 1795518700), (99, 5, 7), (1, 1795518000, 0)",
     VALUES},
    {"INSERT INTO hosts VALUES(2, 'x', 0, 77, 0, 0)", VALUES},
    {"INSERT INTO hosts VALUES(99, 'x', 0, 1, 0, 0)", VALUES},
    {"INSERT INTO services VALUES(1), (99)", VALUES},
    {"PRAGMA journal_mode = DELETE", VALUES},
    {"PRAGMA auto_vacuum = FULL; VACUUM", VALUES},
};

static void a_person_may_have_meddled(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
        const char *path = rig_copy(sound_path);
        sqlite3 *db;
        size_t kept;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, deeds[i].sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        kept = open_and_use(path);
        if (kept != deeds[i].kept)
            fail_msg("%s: %zu values instead of %zu", deeds[i].sql, kept, deeds[i].kept);
    }
}

static void a_row_that_is_damaged_is_kept_in_its_table(void **state)
{
    const char *path = rig_copy(sound_path);
    struct value_ledger ledger;
    struct outbox *outbox;
    sqlite3 *db;
    sqlite3_stmt *statement;

    (void)state;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "UPDATE rows SET payload = substr(payload, 2)"
                                  " WHERE minute = 1795518060",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    outbox = rig_open(path);
    assert_int_equal(look_through(outbox), VALUES - 2 * NAMES);
    ledger = rig_books(outbox);
    assert_int_equal(ledger.withheld[WITHHELD_UNREADABLE].count, 2 * NAMES);
    assert_int_equal(ledger.queued, VALUES - 2 * NAMES);
    assert_int_equal(rig_counts(outbox).bad_rows, 2);
    assert_true(strstr(rig_counts(outbox).last_bad, "minute 1795518060"));
    rig_commit(outbox);
    outbox_free(outbox);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT count(*), sum(queued), min(reason) FROM bad_rows",
                           -1, &statement, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 0), 2);
    assert_int_equal(sqlite3_column_int(statement, 1), 2 * NAMES);
    assert_true(sqlite3_column_bytes(statement, 2) > 10);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    outbox = rig_open(path);
    assert_int_equal(rig_books(outbox).withheld[WITHHELD_UNREADABLE].count, 2 * NAMES);
    outbox_free(outbox);
}

/* ---- a rebuild that was interrupted --------------------------------------------------------- */

static void a_rebuilt_file_that_is_not_in_its_place_yet_is_found(void **state)
{
    const char *path = rig_copy(sound_path);
    char name[256];
    struct outbox *outbox;

    (void)state;
    snprintf(name, sizeof(name), "%s.new", path);
    assert_int_equal(rename(path, name), 0);
    assert_int_equal(open_and_use(path), VALUES);
    /* Beside a sound one it is only a leftover. */
    path = rig_copy(sound_path);
    write_file(path, ".new", "half a file", 11);
    assert_int_equal(open_and_use(path), VALUES);
    snprintf(name, sizeof(name), "%s.new", path);
    assert_int_not_equal(access(name, F_OK), 0);
    /* Both are useless. */
    path = rig_new_path();
    write_file(path, "", "half a file", 11);
    write_file(path, ".new", "half a file", 11);
    outbox = rig_open(path);
    assert_int_equal(rig_counts(outbox).bad_files, 2);
    outbox_free(outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_files_are_taken_as_they_are),
        cmocka_unit_test(a_flipped_bit_anywhere_gives_no_wrong_value),
        cmocka_unit_test(a_flipped_bit_anywhere_in_the_log_gives_no_wrong_value),
        cmocka_unit_test(any_page_may_be_zeros_or_noise),
        cmocka_unit_test(a_file_may_end_anywhere),
        cmocka_unit_test(a_stub_of_a_database_is_no_empty_one),
        cmocka_unit_test(a_log_may_end_anywhere),
        cmocka_unit_test(a_header_may_lie),
        cmocka_unit_test(something_else_may_be_in_its_place),
        cmocka_unit_test(logs_of_others_are_not_believed),
        cmocka_unit_test(a_person_may_have_meddled),
        cmocka_unit_test(a_row_that_is_damaged_is_kept_in_its_table),
        cmocka_unit_test(a_rebuilt_file_that_is_not_in_its_place_yet_is_found),
    };
    int failed = cmocka_run_group_tests_name("damaged outboxes", tests, make_sound_ones,
                                             NULL);

    rig_clean_up();
    return failed;
}
