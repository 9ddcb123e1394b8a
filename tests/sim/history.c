#include "tests/sim/history.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void complain(struct history *history, const char *format, ...) PRINTF_LIKE(2, 3);

static void complain(struct history *history, const char *format, ...)
{
    va_list args;

    if (history->violations++ > 0)
        return;
    va_start(args, format);
    vsnprintf(history->violation, sizeof(history->violation), format, args);
    va_end(args);
}

static struct hash128 key_of(uint64_t receive_ns)
{
    return hash_bytes((struct slice){(const char *)&receive_ns, sizeof(receive_ns)}, 5);
}

void history_release(struct history *history)
{
    for (size_t i = 0; i < history->count; i++)
        buffer_release(&history->records[i].config);
    free(history->records);
    free(history->by_lsn);
    table_release(&history->by_time);
    *history = (struct history){0};
}

size_t history_offer(struct history *history, const struct journal_record *record,
                     const struct sim_request *request)
{
    struct history_record *kept;

    history->records = memory_grow(history->records, history->count + 1, &history->room,
                                   sizeof(*history->records));
    kept = &history->records[history->count];
    *kept = (struct history_record){
        .kind = record->kind,
        .receive_ns = record->receive_ns,
        .request = request,
    };
    if (record->kind == JOURNAL_CONFIG)
        buffer_append(&kept->config, record->body);
    table_insert(&history->by_time, key_of(record->receive_ns), (uint32_t)history->count);
    return history->count++;
}

/* Something counts: what was refused before it can count no more. */
static void settle(struct history *history, size_t index)
{
    if (index >= history->settled)
        history->settled = index + 1;
}

void history_answer(struct history *history, size_t index, enum error_kind kind)
{
    struct history_record *record = &history->records[index];

    if (record->is_acknowledged || record->is_refused)
        complain(history, "a record was answered twice");
    if (kind == ERROR_NONE) {
        record->is_acknowledged = true;
        settle(history, index);
    } else {
        record->is_refused = true;
    }
}

/* ---- giving ------------------------------------------------------------------------------ */

static struct history_record *find(const struct history *history, uint64_t lsn)
{
    uint32_t index = TABLE_NONE;

    if (lsn > 0 && lsn <= history->last_lsn)
        index = history->by_lsn[lsn - 1];
    return index == TABLE_NONE ? NULL : &history->records[index];
}

const struct history_record *history_at(const struct history *history, uint64_t lsn)
{
    return find(history, lsn);
}

/* The record is not where it was: nobody may have been told that it is safe. */
static void lose(struct history *history, uint64_t lsn)
{
    struct history_record *record = find(history, lsn);

    if (!record)
        return;
    if (history->lost_from_lsn == 0 || lsn < history->lost_from_lsn)
        history->lost_from_lsn = lsn;
    history->lost += record->is_acknowledged;
    if (record->is_acknowledged && !history->tolerates_loss)
        complain(history, "acknowledged record %" PRIu64 " is lost", lsn);
    record->lsn = 0;
    history->by_lsn[lsn - 1] = TABLE_NONE;
    history->replaced++;
}

static void place(struct history *history, uint64_t lsn, uint32_t index)
{
    while (history->last_lsn < lsn) {
        history->by_lsn = memory_grow(history->by_lsn, history->last_lsn + 1,
                                      &history->lsn_room, sizeof(*history->by_lsn));
        history->by_lsn[history->last_lsn++] = TABLE_NONE;
    }
    history->by_lsn[lsn - 1] = index;
    history->records[index].lsn = lsn;
}

static bool is_same(const struct history_record *kept,
                    const struct journal_record *record)
{
    struct slice body = {0};

    if (kept->request)
        body = buffer_slice(&kept->request->body);
    else if (kept->kind == JOURNAL_CONFIG)
        body = buffer_slice(&kept->config);
    return kept->kind == record->kind && kept->receive_ns == record->receive_ns &&
           slice_equal(body, record->body);
}

void history_give(struct history *history, const struct journal_record *record,
                  uint64_t before_lsn)
{
    uint32_t index = table_find(&history->by_time, key_of(record->receive_ns));
    struct history_record *kept;

    if (record->lsn <= before_lsn)
        complain(history, "record %" PRIu64 " came after %" PRIu64, record->lsn,
                 before_lsn);
    if (record->context && record->lsn <= history->floor_lsn)
        complain(history, "LSN %" PRIu64 " was given again, up to %" PRIu64 " are known",
                 record->lsn, history->floor_lsn);
    for (uint64_t lsn = before_lsn + 1; lsn < record->lsn; lsn++)
        lose(history, lsn);
    if (index == TABLE_NONE || !is_same(&history->records[index], record)) {
        complain(history, "record %" PRIu64 " was never offered like that", record->lsn);
        return;
    }
    kept = &history->records[index];
    if (kept->is_refused && index < history->settled && !history->tolerates_loss)
        complain(history, "record %" PRIu64 " was refused and came", record->lsn);
    if (kept->lsn && kept->lsn != record->lsn)
        complain(history, "record %" PRIu64 " came again as %" PRIu64, kept->lsn,
                 record->lsn);
    if (kept->lsn == record->lsn)
        return;
    kept->is_refused = false;
    settle(history, index);
    lose(history, record->lsn);
    place(history, record->lsn, index);
}

void history_end_recovery(struct history *history, uint64_t last_lsn, uint64_t known_lsn)
{
    history->floor_lsn = last_lsn > known_lsn ? last_lsn : known_lsn;
    for (uint64_t lsn = last_lsn + 1; lsn <= history->last_lsn; lsn++)
        lose(history, lsn);
    if (last_lsn < history->last_lsn)
        history->last_lsn = last_lsn;
}

size_t history_count_missing(const struct history *history)
{
    size_t missing = 0;

    for (size_t i = 0; i < history->count; i++)
        missing += history->records[i].is_acknowledged && history->records[i].lsn == 0;
    return missing;
}
