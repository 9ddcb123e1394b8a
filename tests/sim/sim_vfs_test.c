#include "tests/sim/sim_vfs.h"

#include "tests/sim/fake_disk.h"

#include <sqlite3.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const uint64_t now_ns = 1795478400u * UINT64_C(1000000000);

struct rig {
    struct fake_disk *fake;
    struct sim_vfs *vfs;
    sqlite3 *db;
};

static bool run(struct rig *rig, const char *sql)
{
    return sqlite3_exec(rig->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static void open_rig(struct rig *rig)
{
    assert_int_equal(sqlite3_open_v2("/state/outbox.db", &rig->db,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     SIM_VFS_NAME),
                     SQLITE_OK);
    assert_true(run(rig, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; "
                         "PRAGMA synchronous = FULL; "
                         "CREATE TABLE IF NOT EXISTS t(x INTEGER, y TEXT)"));
}

static struct rig new_rig(uint64_t seed)
{
    struct rig rig = {
        .fake = fake_disk_new(&(struct fake_disk_options){
            .seed = seed,
            .capacity = 16 << 20,
            .survives_in_part = true,
        }),
    };

    rig.vfs = sim_vfs_new(fake_disk_handle(rig.fake), seed, &now_ns);
    open_rig(&rig);
    return rig;
}

static void free_rig(struct rig *rig)
{
    sqlite3_close(rig->db);
    sim_vfs_free(rig->vfs);
    fake_disk_free(rig->fake);
}

static int number(struct rig *rig, const char *sql)
{
    sqlite3_stmt *statement;
    int result;

    assert_int_equal(sqlite3_prepare_v2(rig->db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    result = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return result;
}

static bool insert(struct rig *rig, int x)
{
    char sql[128];

    snprintf(sql, sizeof(sql), "INSERT INTO t VALUES (%d, hex(randomblob(300)))", x);
    return run(rig, sql);
}

/* Killed or crashed at any change of the disk: what was committed is there, in order, and whole. */
static void lose_at(uint64_t seed, uint64_t calls, bool crashes)
{
    struct rig rig = new_rig(seed);
    int committed = 0, found;

    fake_disk_kill_at(rig.fake, calls);
    while (committed < 100 && insert(&rig, committed + 1))
        committed++;
    fake_disk_kill(rig.fake);
    sqlite3_close(rig.db);
    if (crashes)
        fake_disk_crash(rig.fake);
    fake_disk_revive(rig.fake);
    open_rig(&rig);
    found = number(&rig, "SELECT count(*) FROM t");
    assert_in_range(found, committed, committed + 1);
    assert_int_equal(number(&rig, "SELECT coalesce(max(x), 0) FROM t"), found);
    assert_int_equal(number(&rig, "SELECT count(*) FROM pragma_integrity_check() "
                                  "WHERE integrity_check = 'ok'"),
                     1);
    free_rig(&rig);
}

static void commits_survive_a_kill_at_any_call(void **state)
{
    (void)state;
    for (uint64_t calls = 1; calls < 60; calls++)
        lose_at(calls, calls * 5, false);
}

static void commits_survive_a_crash_at_any_call(void **state)
{
    (void)state;
    for (uint64_t calls = 1; calls < 120; calls++)
        lose_at(calls, calls * 3, true);
}

static void a_full_disk_refuses_and_recovers(void **state)
{
    (void)state;
    struct rig rig = new_rig(1);

    fake_disk_take_space(rig.fake, 16 << 20);
    assert_false(insert(&rig, 1));
    assert_int_equal(sqlite3_extended_errcode(rig.db), SQLITE_FULL);
    fake_disk_take_space(rig.fake, 0);
    assert_true(insert(&rig, 2));
    assert_int_equal(number(&rig, "SELECT count(*) FROM t"), 1);
    free_rig(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_survive_a_kill_at_any_call),
        cmocka_unit_test(commits_survive_a_crash_at_any_call),
        cmocka_unit_test(a_full_disk_refuses_and_recovers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
