#include "tests/base/journal_kit.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

int journal_kit_set_up(void **state)
{
    struct journal_kit *kit = memory_new(1, sizeof(*kit));

    scratch_make(&kit->scratch);
    kit->directory = disk_open_directory(kit->scratch.path, NULL);
    assert_non_null(kit->directory);
    kit->options = (struct journal_options){
        .disk = kit->directory,
        .max_bytes = 8 << 20,
        .segment_bytes = 64 << 10,
    };
    *state = kit;
    return 0;
}

int journal_kit_tear_down(void **state)
{
    struct journal_kit *kit = *state;

    journal_kit_close(kit);
    disk_free_directory(kit->directory);
    scratch_remove(&kit->scratch);
    free(kit);
    return 0;
}

struct journal *journal_kit_open(struct journal_kit *kit)
{
    struct error err = {0};

    journal_kit_close(kit);
    kit->journal = journal_open(&kit->options, &err);
    if (!kit->journal)
        fail_msg("journal_open: %s", err.text);
    return kit->journal;
}

void journal_kit_close(struct journal_kit *kit)
{
    journal_free(kit->journal);
    kit->journal = NULL;
}

static char byte_of(uint64_t number, size_t position)
{
    return (char)(number * 31 + position * 7);
}

static void note_kind(void *self, enum error_kind kind)
{
    enum error_kind *told = self;

    assert_int_equal(*told, ERROR_INTERNAL);
    *told = kind;
}

enum error_kind journal_kit_append(struct journal *journal, enum journal_kind kind,
                                   uint64_t number, size_t bytes)
{
    char *body = memory_new(bytes, 1);
    enum error_kind told = ERROR_INTERNAL;

    for (size_t i = 0; i < bytes; i++)
        body[i] = byte_of(number, i);
    journal_append(journal,
                   &(struct journal_record){
                       .kind = kind,
                       .receive_ns = number,
                       .media_type = (uint8_t)(number % 3),
                       .coding = (uint8_t)(number % 4),
                       .body = {body, bytes},
                   },
                   note_kind, &told);
    free(body);
    return told;
}

void journal_kit_check(const struct journal_record *record, uint64_t number, uint64_t lsn)
{
    assert_int_equal(record->lsn, lsn);
    assert_int_equal(record->receive_ns, number);
    assert_int_equal(record->media_type, number % 3);
    assert_int_equal(record->coding, number % 4);
    assert_null(record->context);
    for (size_t i = 0; i < record->body.len; i++)
        assert_int_equal(record->body.ptr[i], byte_of(number, i));
}

struct journal_stats journal_kit_stats(struct journal *journal)
{
    struct journal_stats stats;

    journal_read_stats(journal, &stats);
    return stats;
}
