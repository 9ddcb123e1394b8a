/*
 * What the tests of the journal on disk share: records whose content follows from their number, and a
 * journal in a directory of its own. Record `number` has receive_ns = number.
 */
#ifndef TESTS_BASE_JOURNAL_KIT_H
#define TESTS_BASE_JOURNAL_KIT_H

#include "base/disk.h"
#include "base/journal.h"
#include "tests/base/scratch.h"

#include <stddef.h>
#include <stdint.h>

struct journal_kit {
    struct scratch scratch;
    struct disk *directory;
    struct journal_options options; /* of the next open */
    struct journal *journal;
};

/* For cmocka; *state becomes a kit. 8 MiB in segments of 64 KiB, JOURNAL_PROCESS. */
int journal_kit_set_up(void **state);
int journal_kit_tear_down(void **state);

#define JOURNAL_KIT_TEST(name) \
    cmocka_unit_test_setup_teardown(name, journal_kit_set_up, journal_kit_tear_down)

/* Closes what is open. */
struct journal *journal_kit_open(struct journal_kit *kit);
void journal_kit_close(struct journal_kit *kit);

/* Appends without a context. What the sender was told; ERROR_INTERNAL: nothing yet. */
enum error_kind journal_kit_append(struct journal *journal, enum journal_kind kind,
                                   uint64_t number, size_t bytes);

/* The record has what it was appended with, and that LSN. */
void journal_kit_check(const struct journal_record *record, uint64_t number,
                       uint64_t lsn);

struct journal_stats journal_kit_stats(struct journal *journal);

#endif
