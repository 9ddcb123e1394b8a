#include "tests/exporter/outbox_file_rig.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

const struct mackerel_destination shop = {
    .kind = MACKEREL_SERVICE,
    .name = SLICE("shop"),
};
const struct mackerel_destination web = {
    .kind = MACKEREL_HOST,
    .name = SLICE("web-1"),
    .custom_identifier = SLICE("i-1"),
    .roles = SLICE("shop:web"),
};

/* ---- files ------------------------------------------------------------------------------- */

enum {
    MAX_PATHS = 1000
};

static char root[64];

const char *rig_new_path(void)
{
    static char paths[MAX_PATHS][128];
    static unsigned number;
    char *path = paths[number];

    if (!root[0]) {
        /* Thousands of commits: in memory a sync costs nothing. */
        snprintf(root, sizeof(root), "/dev/shm/outbox-test-XXXXXX");
        if (!mkdtemp(root)) {
            snprintf(root, sizeof(root), "/tmp/outbox-test-XXXXXX");
            assert_non_null(mkdtemp(root));
        }
    }
    assert_true(number < MAX_PATHS);
    snprintf(path, sizeof(paths[0]), "%s/%u", root, number);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(paths[0]), "%s/%u/outbox.db", root, number++);
    return path;
}

static int remove_one(const char *path, const struct stat *about, int type,
                      struct FTW *where)
{
    (void)about;
    (void)type;
    (void)where;
    return remove(path);
}

void rig_clean_up(void)
{
    if (root[0])
        assert_int_equal(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void rig_copy_file(const char *from, const char *to)
{
    char bytes[65536];
    ssize_t got;
    int in = open(from, O_RDONLY), out;

    if (in < 0)
        return;
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(out >= 0);
    while ((got = read(in, bytes, sizeof(bytes))) > 0)
        assert_int_equal(write(out, bytes, (size_t)got), got);
    close(in);
    close(out);
}

const char *rig_copy(const char *path)
{
    char from[256], log[256];
    const char *copy;

    snprintf(from, sizeof(from), "%s", path);
    copy = rig_new_path();
    rig_copy_file(from, copy);
    snprintf(from + strlen(from), sizeof(from) - strlen(from), "-wal");
    snprintf(log, sizeof(log), "%s-wal", copy);
    rig_copy_file(from, log);
    return copy;
}

void rig_overwrite(const char *path, long offset, int byte, size_t len)
{
    FILE *file = fopen(path, "r+b");

    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(fputc(byte, file), byte);
    assert_int_equal(fclose(file), 0);
}

/* ---- outboxes ---------------------------------------------------------------------------- */

struct outbox *rig_open_with(const struct outbox_options *options)
{
    struct error err;
    struct outbox *outbox = outbox_open(options, &err);

    if (!outbox)
        fail_msg("%s", err.text);
    return outbox;
}

struct outbox *rig_open(const char *path)
{
    return rig_open_with(&(struct outbox_options){.path = path});
}

void rig_commit(struct outbox *outbox)
{
    struct error err;

    if (!outbox_commit(outbox, &err))
        fail_msg("%s", err.text);
}

void rig_queue(struct outbox *outbox, const struct mackerel_destination *to,
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

    outbox_put(outbox, &row, 1, rig_counts(outbox).last_lsn + 1);
}

void rig_put(struct outbox *outbox, const struct mackerel_destination *to,
             uint64_t minute_s, const char *name, double value)
{
    rig_queue(outbox, to, minute_s, name, value);
    rig_commit(outbox);
}

size_t rig_take(struct outbox *outbox, uint64_t id, uint64_t now_s,
                struct outbox_batch *batch)
{
    return outbox_take(outbox,
                       &(struct outbox_query){
                           .destination = id,
                           .lane = MACKEREL_LIVE,
                           .pick = OUTBOX_ALL,
                           .now_s = now_s,
                           .max_values = 1000,
                       },
                       batch);
}

void rig_settle(struct outbox *outbox, struct outbox_batch *batch, enum outbox_end end,
                uint64_t now_s)
{
    const struct outbox_verdict verdict = {.end = end, .now_ns = now_s * 1000000000u};

    outbox_settle(outbox, batch->items, batch->count, &verdict);
    outbox_batch_release(batch);
}

struct value_ledger rig_books(struct outbox *outbox)
{
    struct value_ledger ledger;

    outbox_read_ledger(outbox, &ledger);
    assert_true(value_ledger_balances(&ledger));
    return ledger;
}

struct outbox_counts rig_counts(struct outbox *outbox)
{
    struct outbox_counts counts;

    outbox_read_counts(outbox, &counts);
    return counts;
}
