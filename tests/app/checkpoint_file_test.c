/*
 * The file around a checkpoint on a disk that dies, fills up and loses what was not synced, and with
 * every kind of damage that we could think of.
 */
#include "app/checkpoint_file.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "tests/sim/fake_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    HEAD = 32,
    TAIL = 12,
    PAYLOAD = 3000000 /* spans the buffer of 1 MiB more than twice */
};

/* Byte by byte as the polynomial is defined (RFC 3720, B.4), not as the library does it. */
static uint32_t crc32c(const char *bytes, size_t len)
{
    static uint32_t table[256];
    uint32_t crc = UINT32_MAX;

    for (uint32_t i = 0; i < 256 && !table[255]; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] & 1 ? table[i] >> 1 ^ 0x82F63B78u : table[i] >> 1;
    }
    for (size_t i = 0; i < len; i++)
        crc = table[(crc ^ (uint8_t)bytes[i]) & 255] ^ crc >> 8;
    return ~crc;
}

static struct fake_disk *new_disk(uint64_t seed)
{
    return fake_disk_new(&(struct fake_disk_options){
        .seed = seed, .capacity = 32 << 20, .survives_in_part = true});
}

/* Bytes that differ from place to place. */
static char payload_byte(uint64_t lsn, size_t i)
{
    return (char)((i * 2654435761u >> 13) + lsn);
}

static struct checkpoint_writer *write_all(const struct disk *disk, uint64_t lsn,
                                           size_t len)
{
    struct error err;
    struct checkpoint_head head = {.lsn = lsn, .seed = lsn * 7};
    struct checkpoint_writer *writer = checkpoint_file_begin(disk, &head, &err);
    char piece[7001];
    bool ok = writer != NULL;

    for (size_t at = 0; ok && at < len;) {
        size_t part = len - at < sizeof(piece) ? len - at : sizeof(piece);

        for (size_t i = 0; i < part; i++)
            piece[i] = payload_byte(lsn, at + i);
        ok = checkpoint_file_write(writer, (struct slice){piece, part});
        at += part;
    }
    if (ok && checkpoint_file_end(writer, &err))
        return writer;
    checkpoint_file_abandon(writer);
    return NULL;
}

static bool save(const struct disk *disk, uint64_t lsn, size_t len)
{
    struct error err;
    struct checkpoint_writer *writer = write_all(disk, lsn, len);

    return writer && checkpoint_file_commit(writer, &err);
}

/* The LSN of the checkpoint, its bytes checked; 0 when there is none that can be used. */
static uint64_t load(const struct disk *disk, size_t len)
{
    struct checkpoint_head head;
    struct error err;
    struct checkpoint_reader *reader = checkpoint_file_open(disk, &head, &err);
    char piece[997];

    if (!reader)
        return 0;
    assert_int_equal(head.seed, head.lsn * 7);
    for (size_t at = 0; at < len;) {
        size_t part = len - at < sizeof(piece) ? len - at : sizeof(piece);

        assert_true(checkpoint_file_read(reader, piece, part));
        for (size_t i = 0; i < part; i++)
            assert_int_equal(piece[i], payload_byte(head.lsn, at + i));
        at += part;
    }
    assert_false(checkpoint_file_read(reader, piece, 1));
    checkpoint_file_close(reader);
    return head.lsn;
}

static bool has(const struct disk *disk, const char *name)
{
    struct disk_file *file = disk->open(disk->self, name, DISK_READ, NULL);

    if (file)
        disk->close(disk->self, file);
    return file != NULL;
}

static struct buffer content(const struct disk *disk, const char *name)
{
    struct error err;
    struct buffer bytes = {0};
    struct disk_file *file = disk->open(disk->self, name, DISK_READ, &err);

    assert_non_null(file);

    size_t size = (size_t)disk->size(disk->self, file);

    assert_true(disk->read(disk->self, file, 0, buffer_reserve(&bytes, size), size,
                           &bytes.len, &err));
    disk->close(disk->self, file);
    return bytes;
}

static void put(const struct disk *disk, const char *name, const struct buffer *bytes)
{
    struct error err;
    struct disk_file *file = disk->open(disk->self, name, DISK_REPLACE, &err);
    struct slice all = buffer_slice(bytes);

    assert_non_null(file);
    assert_true(all.len == 0 || disk->write(disk->self, file, 0, &all, 1, &err));
    disk->close(disk->self, file);
}

/* ---- writing and reading ----------------------------------------------------------------- */

static void what_is_written_is_read(void **state)
{
    struct fake_disk *fake = new_disk(1);
    const struct disk *disk = fake_disk_handle(fake);
    const size_t sizes[] = {0,       1,      (1 << 20) - HEAD, (1 << 20) - HEAD + 1,
                            1 << 20, PAYLOAD};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_true(save(disk, i + 1, sizes[i]));
        assert_int_equal(load(disk, sizes[i]), i + 1);
    }
    fake_disk_free(fake);
}

static void the_checksum_is_crc32c_of_all_before_it(void **state)
{
    struct fake_disk *fake = new_disk(1);
    const struct disk *disk = fake_disk_handle(fake);
    struct buffer bytes;
    uint32_t sum;

    (void)state;
    assert_int_equal(crc32c("123456789", 9),
                     0xE3069283u); /* the standard's check value */
    assert_true(save(disk, 9, PAYLOAD));
    bytes = content(disk, "checkpoint");
    assert_int_equal(bytes.len, HEAD + PAYLOAD + TAIL);
    memcpy(&sum, bytes.ptr + bytes.len - 4, 4);
    assert_int_equal(sum, crc32c(bytes.ptr, bytes.len - 4));
    buffer_release(&bytes);
    fake_disk_free(fake);
}

static void no_checkpoint_is_no_damage(void **state)
{
    struct fake_disk *fake = new_disk(1);
    const struct disk *disk = fake_disk_handle(fake);
    struct checkpoint_head head;
    struct error err;

    (void)state;
    assert_null(checkpoint_file_open(disk, &head, &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
    assert_false(has(disk, "checkpoint.bad"));
    fake_disk_free(fake);
}

static void the_old_one_counts_until_the_new_one_is_committed(void **state)
{
    struct fake_disk *fake = new_disk(1);
    const struct disk *disk = fake_disk_handle(fake);
    struct error err;

    (void)state;
    assert_true(save(disk, 1, PAYLOAD));

    struct checkpoint_writer *writer = write_all(disk, 2, PAYLOAD);
    struct buffer old = content(disk, "checkpoint");
    uint64_t lsn;

    memcpy(&lsn, old.ptr + 16, sizeof(lsn));
    assert_int_equal(lsn, 1);
    assert_true(checkpoint_file_sync(writer, &err));
    assert_int_equal(checkpoint_file_bytes(writer), HEAD + PAYLOAD + TAIL);
    assert_true(checkpoint_file_commit(writer, &err));
    assert_int_equal(load(disk, PAYLOAD), 2);
    buffer_release(&old);
    fake_disk_free(fake);
}

static void one_that_is_given_up_leaves_nothing(void **state)
{
    struct fake_disk *fake = new_disk(1);
    const struct disk *disk = fake_disk_handle(fake);

    (void)state;
    assert_true(save(disk, 1, 100));
    checkpoint_file_abandon(write_all(disk, 2, 100));
    checkpoint_file_abandon(NULL);
    assert_false(has(disk, "checkpoint.new"));
    assert_int_equal(load(disk, 100), 1);
    fake_disk_free(fake);
}

static void a_new_one_that_was_left_behind_is_removed(void **state)
{
    struct fake_disk *fake = new_disk(1);
    const struct disk *disk = fake_disk_handle(fake);
    struct buffer half = {0};

    (void)state;
    buffer_append_text(&half, "MOGCHKPT half of one");
    assert_true(save(disk, 1, 100));
    put(disk, "checkpoint.new", &half);
    assert_int_equal(load(disk, 100), 1);
    assert_false(has(disk, "checkpoint.new"));
    buffer_release(&half);
    fake_disk_free(fake);
}

/* ---- a disk that fails ------------------------------------------------------------------- */

static void a_failure_anywhere_leaves_the_old_one(void **state)
{
    unsigned failures = 0;

    (void)state;
    for (uint64_t at = 1;; at++) {
        struct fake_disk *fake = new_disk(at);
        const struct disk *disk = fake_disk_handle(fake);

        assert_true(save(disk, 1, PAYLOAD));
        fake_disk_fail_at(fake, at);

        bool is_saved = save(disk, 2, PAYLOAD);
        uint64_t lsn = load(disk, PAYLOAD);

        fake_disk_fail_at(fake, 0);
        /* Where only the sync of the names failed the new one is there, if not for sure. */
        assert_true(is_saved ? lsn == 2 : lsn == 1 || lsn == 2);
        assert_false(has(disk, "checkpoint.bad"));
        fake_disk_free(fake);
        if (is_saved)
            break;
        failures += lsn == 1;
    }
    assert_in_range(failures, 5, 100); /* open, three writes, sync, rename */
}

static void a_full_disk_leaves_the_old_one_and_says_busy(void **state)
{
    struct fake_disk *fake = new_disk(1);
    const struct disk *disk = fake_disk_handle(fake);
    struct checkpoint_head head = {3, 21};
    struct error err = {0};
    char block[4096] = {0};

    (void)state;
    assert_true(save(disk, 1, PAYLOAD));
    fake_disk_take_space(fake, (32 << 20) - PAYLOAD - (2 << 20));

    struct checkpoint_writer *writer = checkpoint_file_begin(disk, &head, &err);
    bool ok = true;

    for (int i = 0; i < 1000; i++)
        ok = checkpoint_file_write(writer, (struct slice){block, sizeof(block)});
    assert_false(ok);
    assert_false(checkpoint_file_end(writer, &err));
    assert_int_equal(err.kind, ERROR_BUSY);
    assert_false(checkpoint_file_commit(writer, &err));
    fake_disk_take_space(fake, 0);
    assert_false(has(disk, "checkpoint.new"));
    assert_int_equal(load(disk, PAYLOAD), 1);
    fake_disk_free(fake);
}

/* Dies in every call in turn; with `machine` the disk then forgets what it may. */
static void die_everywhere(bool machine)
{
    bool is_done = false;

    for (uint64_t at = 1; !is_done; at++) {
        struct fake_disk *fake = new_disk(at * 31);
        const struct disk *disk = fake_disk_handle(fake);

        assert_true(save(disk, 1, PAYLOAD));
        fake_disk_kill_at(fake, at);

        bool is_saved = save(disk, 2, PAYLOAD);

        is_done = !fake_disk_is_dead(fake);
        if (is_done)
            fake_disk_kill(fake);
        if (machine)
            fake_disk_crash(fake);
        fake_disk_revive(fake);

        uint64_t lsn = load(disk, PAYLOAD);

        assert_true(is_saved ? lsn == 2 : lsn == 1 || lsn == 2);
        assert_false(has(disk, "checkpoint.new"));
        assert_true(save(disk, 3, PAYLOAD));
        assert_int_equal(load(disk, PAYLOAD), 3);
        fake_disk_free(fake);
    }
}

static void a_process_killed_anywhere_leaves_a_whole_one(void **state)
{
    (void)state;
    die_everywhere(false);
}

static void a_machine_that_dies_anywhere_leaves_a_whole_one(void **state)
{
    (void)state;
    die_everywhere(true);
}

/* ---- damage ------------------------------------------------------------------------------ */

/* Gives the file the checksum that fits; damage behind it is then found by other means or not. */
static void sign(struct buffer *file)
{
    uint32_t sum = crc32c(file->ptr, file->len - 4);

    memcpy(file->ptr + file->len - 4, &sum, 4);
}

static void flip(struct buffer *file, size_t at)
{
    file->ptr[at] ^= 0x10;
}

static void zero(struct buffer *file, size_t at, size_t len)
{
    memset(file->ptr + at, 0, len);
}

static void be_empty(struct buffer *file)
{
    file->len = 0;
}

static void be_one_byte(struct buffer *file)
{
    file->len = 1;
}

static void be_head_only(struct buffer *file)
{
    file->len = HEAD;
}

static void be_too_short_for_a_tail(struct buffer *file)
{
    file->len = HEAD + TAIL - 1;
}

static void lack_one_byte(struct buffer *file)
{
    file->len--;
}

static void lack_the_tail(struct buffer *file)
{
    file->len -= TAIL;
}

static void lack_the_checksum(struct buffer *file)
{
    file->len -= 4;
}

static void be_cut_at_a_mebibyte(struct buffer *file)
{
    file->len = 1 << 20;
}

static void be_cut_in_the_middle(struct buffer *file)
{
    file->len /= 2;
}

static void have_one_byte_more(struct buffer *file)
{
    buffer_append_char(file, 0);
}

static void flip_magic(struct buffer *file)
{
    flip(file, 0);
}

static void flip_version(struct buffer *file)
{
    flip(file, 8);
}

static void flip_lsn(struct buffer *file)
{
    flip(file, 16);
}

static void flip_seed(struct buffer *file)
{
    flip(file, 31);
}

static void flip_first_byte(struct buffer *file)
{
    flip(file, HEAD);
}

static void flip_a_byte_at_a_mebibyte(struct buffer *file)
{
    flip(file, 1 << 20);
}

static void flip_last_byte(struct buffer *file)
{
    flip(file, file->len - TAIL - 1);
}

static void flip_length(struct buffer *file)
{
    flip(file, file->len - TAIL);
}

static void flip_checksum(struct buffer *file)
{
    flip(file, file->len - 1);
}

static void lose_the_first_sector(struct buffer *file)
{
    zero(file, 0, 512);
}

static void lose_a_sector(struct buffer *file)
{
    zero(file, 1 << 19, 512);
}

static void lose_the_last_sector(struct buffer *file)
{
    zero(file, file->len - 512, 512);
}

static void be_all_zero(struct buffer *file)
{
    zero(file, 0, file->len);
}

static void have_zeros_behind(struct buffer *file)
{
    memset(buffer_reserve(file, 4096), 0, 4096);
    file->len += 4096;
}

static void be_twice_in_the_file(struct buffer *file)
{
    size_t len = file->len;

    buffer_reserve(file, len);
    memcpy(file->ptr + len, file->ptr, len);
    file->len += len;
}

static void swap_two_sectors(struct buffer *file)
{
    char sector[512];

    memcpy(sector, file->ptr + 4096, 512);
    memcpy(file->ptr + 4096, file->ptr + 8192, 512);
    memcpy(file->ptr + 8192, sector, 512);
}

static void lack_bytes_before_the_tail(struct buffer *file)
{
    memmove(file->ptr + file->len - TAIL - 100, file->ptr + file->len - TAIL, TAIL);
    file->len -= 100;
}

static void lack_bytes_before_a_tail_that_is_signed(struct buffer *file)
{
    lack_bytes_before_the_tail(file);
    sign(file);
}

static void be_a_newer_version(struct buffer *file)
{
    file->ptr[8] = 2;
    sign(file);
}

static void be_no_version(struct buffer *file)
{
    file->ptr[8] = 0;
    sign(file);
}

static void be_something_else(struct buffer *file)
{
    memcpy(file->ptr, "SQLite f", 8);
    sign(file);
}

static void be_a_text(struct buffer *file)
{
    buffer_reset(file);
    for (int i = 0; i < 100; i++)
        buffer_append_text(file, "# state of the gateway, do not edit\n");
}

static const struct damage {
    const char *name;
    void (*inflict)(struct buffer *file);
    const char *words; /* of what is said about it */
} damages[] = {
    {"empty", be_empty, "0 bytes only"},
    {"one byte", be_one_byte, "1 bytes only"},
    {"head only", be_head_only, "32 bytes only"},
    {"too short for a tail", be_too_short_for_a_tail, "43 bytes only"},
    {"one byte less", lack_one_byte, "end is missing"},
    {"no tail", lack_the_tail, "end is missing"},
    {"no checksum", lack_the_checksum, "end is missing"},
    {"cut at 1 MiB", be_cut_at_a_mebibyte, "end is missing"},
    {"cut in the middle", be_cut_in_the_middle, "end is missing"},
    {"one byte more", have_one_byte_more, "more follows"},
    {"zeros behind", have_zeros_behind, "more follows"},
    {"twice", be_twice_in_the_file, "more follows"},
    {"bit of the magic", flip_magic, "checksum"},
    {"bit of the version", flip_version, "checksum"},
    {"bit of the LSN", flip_lsn, "checksum"},
    {"bit of the seed", flip_seed, "checksum"},
    {"bit of the first byte", flip_first_byte, "checksum"},
    {"bit at 1 MiB", flip_a_byte_at_a_mebibyte, "checksum"},
    {"bit of the last byte", flip_last_byte, "checksum"},
    {"bit of the length", flip_length, "end is missing"},
    {"bit of the checksum", flip_checksum, "checksum"},
    {"first sector lost", lose_the_first_sector, "checksum"},
    {"a sector lost", lose_a_sector, "checksum"},
    {"last sector lost", lose_the_last_sector, "end is missing"},
    {"sectors swapped", swap_two_sectors, "checksum"},
    {"bytes missing before the tail", lack_bytes_before_the_tail, "end is missing"},
    {"the same, signed", lack_bytes_before_a_tail_that_is_signed, "end is missing"},
    {"all zero", be_all_zero, "end is missing"},
    {"newer version", be_a_newer_version, "version 2"},
    {"version 0", be_no_version, "version 0"},
    {"another file", be_something_else, "no checkpoint"},
    {"a text", be_a_text, "end is missing"},
};

static void damaged_ones_are_set_aside_as_they_are(void **state)
{
    struct fake_disk *fake = new_disk(1);
    const struct disk *disk = fake_disk_handle(fake);

    (void)state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct checkpoint_head head;
        struct error err = {0};

        assert_true(save(disk, 5, PAYLOAD));

        struct buffer file = content(disk, "checkpoint");

        damages[i].inflict(&file);
        put(disk, "checkpoint", &file);
        if (checkpoint_file_open(disk, &head, &err) || err.kind == ERROR_NOT_FOUND)
            fail_msg("%s is not noticed", damages[i].name);
        if (!strstr(err.text, damages[i].words))
            fail_msg("%s: %s", damages[i].name, err.text);

        struct buffer kept = content(disk, "checkpoint.bad");

        assert_false(has(disk, "checkpoint"));
        assert_true(slice_equal(buffer_slice(&kept), buffer_slice(&file)));
        assert_true(disk->remove(disk->self, "checkpoint.bad", &err));
        buffer_release(&file);
        buffer_release(&kept);
    }
    fake_disk_free(fake);
}

static void several_can_be_set_aside(void **state)
{
    struct fake_disk *fake = new_disk(1);
    const struct disk *disk = fake_disk_handle(fake);

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(save(disk, 5, 10));
        checkpoint_file_set_aside(disk, "its state is of no use");
    }
    assert_false(has(disk, "checkpoint"));
    assert_true(has(disk, "checkpoint.bad"));
    assert_true(has(disk, "checkpoint.1.bad"));
    assert_true(has(disk, "checkpoint.2.bad"));
    fake_disk_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_checksum_is_crc32c_of_all_before_it),
        cmocka_unit_test(no_checkpoint_is_no_damage),
        cmocka_unit_test(the_old_one_counts_until_the_new_one_is_committed),
        cmocka_unit_test(one_that_is_given_up_leaves_nothing),
        cmocka_unit_test(a_new_one_that_was_left_behind_is_removed),
        cmocka_unit_test(a_failure_anywhere_leaves_the_old_one),
        cmocka_unit_test(a_full_disk_leaves_the_old_one_and_says_busy),
        cmocka_unit_test(a_process_killed_anywhere_leaves_a_whole_one),
        cmocka_unit_test(a_machine_that_dies_anywhere_leaves_a_whole_one),
        cmocka_unit_test(damaged_ones_are_set_aside_as_they_are),
        cmocka_unit_test(several_can_be_set_aside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
