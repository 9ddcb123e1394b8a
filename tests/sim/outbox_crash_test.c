/*
 * The outbox on the simulated disk, one fault after the other: what a random world meets once in a few
 * hundred seeds.
 */
#include "base/log.h"
#include "exporter/outbox.h"
#include "tests/sim/fake_disk.h"
#include "tests/sim/sim_vfs.h"

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
    struct outbox *outbox;
};

static void open_outbox(struct rig *rig)
{
    struct error err = {0};

    rig->outbox = outbox_open(
        &(struct outbox_options){.path = "outbox.db",
                                 .vfs = SIM_VFS_NAME,
                                 .disk = fake_disk_handle(rig->fake)},
        &err);
    if (!rig->outbox)
        fail_msg("%s", err.text);
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
    open_outbox(&rig);
    return rig;
}

static void free_rig(struct rig *rig)
{
    outbox_free(rig->outbox);
    sim_vfs_free(rig->vfs);
    fake_disk_free(rig->fake);
}

static bool put_and_commit(struct rig *rig, uint64_t lsn)
{
    const struct mackerel_value value = {.name = SLICE("requests.rate"), .value = 1};
    const struct mackerel_row row = {
        .destination = {.kind = MACKEREL_SERVICE, .name = SLICE("shop")},
        .minute_s = 1795478400 + 60 * lsn,
        .values = &value,
        .count = 1,
    };

    outbox_put(rig->outbox, &row, 1, lsn);
    return outbox_commit(rig->outbox, NULL);
}

static void end_process(struct rig *rig, bool crashes)
{
    fake_disk_kill(rig->fake);
    outbox_free(rig->outbox);
    if (crashes)
        fake_disk_crash(rig->fake);
    fake_disk_revive(rig->fake);
    open_outbox(rig);
}

/*
 * A sync fails, the process is killed, the next one finds in the page cache what the disk has lost,
 * and commits behind it; then the machine goes.
 */
static void commits_behind_a_failed_sync_survive(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct rig rig = new_rig(seed);

        assert_true(put_and_commit(&rig, 1));
        fake_disk_set_faults(rig.fake, &(struct fake_disk_faults){.sync_one_in = 1});
        assert_false(put_and_commit(&rig, 2));
        fake_disk_set_faults(rig.fake, &(struct fake_disk_faults){0});
        end_process(&rig, false);
        for (uint64_t lsn = 3; lsn < 6; lsn++)
            assert_true(put_and_commit(&rig, lsn));
        end_process(&rig, true);
        assert_int_equal(outbox_committed_lsn(rig.outbox), 5);
        free_rig(&rig);
    }
}

/* A start on a disk that fails to write finds nothing wrong with the file. */
static void disk_that_fails_is_no_damage(void **state)
{
    (void)state;
    for (uint64_t calls = 1; calls < 12; calls++) {
        struct rig rig = new_rig(calls);
        struct outbox_counts counts;

        assert_true(put_and_commit(&rig, 1));
        fake_disk_kill(rig.fake);
        outbox_free(rig.outbox);
        fake_disk_revive(rig.fake);
        fake_disk_fail_at(rig.fake, calls);
        rig.outbox = outbox_open(
            &(struct outbox_options){.path = "outbox.db",
                                     .vfs = SIM_VFS_NAME,
                                     .disk = fake_disk_handle(rig.fake)},
            NULL);
        fake_disk_fail_at(rig.fake, 0);
        outbox_free(rig.outbox);
        open_outbox(&rig);
        assert_int_equal(outbox_committed_lsn(rig.outbox), 1);
        outbox_read_counts(rig.outbox, &counts);
        assert_int_equal(counts.bad_files, 0);
        assert_int_equal(counts.values, 1);
        free_rig(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_behind_a_failed_sync_survive),
        cmocka_unit_test(disk_that_fails_is_no_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
