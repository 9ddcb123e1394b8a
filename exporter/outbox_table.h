/*
 * Rows, destinations and what was found for them, in the outbox's database: read at the start, loaded
 * one by one, written inside a transaction of exporter/outbox_file.h.
 */
#ifndef EXPORTER_OUTBOX_TABLE_H
#define EXPORTER_OUTBOX_TABLE_H

#include "exporter/outbox_code.h"
#include "exporter/outbox_file.h"

struct outbox_reader {
    void *self;
    void (*destination)(void *self, uint64_t id,
                        const struct mackerel_destination *destination,
                        uint64_t last_put_s);
    /* payload.ptr is NULL, its len is right. */
    void (*row)(void *self, const struct outbox_record *record);
    void (*flight)(void *self, uint64_t destination, uint64_t minute_s, uint64_t taken_s);
    void (*host)(void *self, uint64_t destination, const struct outbox_host *host);
    void (*service)(void *self, uint64_t destination);
};

/* In the order of ids, destinations and minutes. ERROR_CORRUPT where a seal does not match. */
bool outbox_table_read(struct outbox_file *file, const struct outbox_reader *reader,
                       struct error *err) MUST_CHECK;

/* Out of a damaged file: all that can be reached from either end, some of it twice. */
void outbox_table_salvage(struct outbox_file *file, const struct outbox_reader *reader);

/* One row with its payload, borrowed until outbox_table_unload(), which must follow before a
 * transaction. ERROR_NOT_FOUND: there is none. */
bool outbox_table_load(struct outbox_file *file, uint64_t destination, uint64_t minute_s,
                       struct outbox_record *record, struct error *err) MUST_CHECK;
void outbox_table_unload(struct outbox_file *file);

bool outbox_table_write_destination(struct outbox_file *file, uint64_t id,
                                    const struct mackerel_destination *destination,
                                    uint64_t last_put_s, struct error *err) MUST_CHECK;
/* With what is known of its host or service. */
bool outbox_table_delete_destination(struct outbox_file *file, uint64_t id,
                                     struct error *err) MUST_CHECK;
bool outbox_table_write_row(struct outbox_file *file, const struct outbox_record *record,
                            struct error *err) MUST_CHECK;
/* With the mark of its flight. */
bool outbox_table_delete_row(struct outbox_file *file, uint64_t destination,
                             uint64_t minute_s, struct error *err) MUST_CHECK;
/* Copies the row to bad_rows. */
bool outbox_table_keep_bad_row(struct outbox_file *file, uint64_t destination,
                               uint64_t minute_s, const char *reason,
                               struct error *err) MUST_CHECK;
/* `taken_s` 0: nothing is in flight any more. */
bool outbox_table_mark_flight(struct outbox_file *file, uint64_t destination,
                              uint64_t minute_s, uint64_t taken_s,
                              struct error *err) MUST_CHECK;
/* NULL: not known any more. */
bool outbox_table_write_host(struct outbox_file *file, uint64_t destination,
                             const struct outbox_host *host,
                             struct error *err) MUST_CHECK;
bool outbox_table_write_service(struct outbox_file *file, uint64_t destination,
                                bool exists, struct error *err) MUST_CHECK;

#endif
