/*
 * A row of the outbox as bytes, and back. The payload holds what is queued or in flight: a version
 * byte, the values with their flags, revisions and times of confirmation, the names, and a checksum
 * that covers the record's other columns, too: a payload in the wrong place is not believed.
 *
 * A slot whose newest value is queued while an older one is in flight is written once: should the
 * process die, nobody knows the older value any more. `older` counts these for the books.
 * Numbers are little-endian. Pure.
 */
#ifndef EXPORTER_OUTBOX_CODE_H
#define EXPORTER_OUTBOX_CODE_H

#include "base/compiler.h"
#include "base/error.h"
#include "exporter/outbox_row.h"

struct outbox_record {
    uint64_t destination, minute_s;
    enum mackerel_lane lane;
    uint32_t revision;
    uint64_t values, natives; /* in the payload */
    uint64_t due_s;           /* when the first of them is due; 0: at once */
    struct slice payload;     /* borrowed */
};

struct outbox_older {
    size_t values;   /* in flight behind a newer one */
    size_t accepted; /* of these, values that were accepted once */
};

/* Bytes of the row's payload and of what its columns take, near enough for a budget. */
size_t outbox_code_bytes(const struct outbox_row *row);

/* Appends the payload to `out`, which the record then borrows. */
void outbox_code_write(const struct outbox_row *row, struct buffer *out,
                       struct outbox_record *record, struct outbox_older *older);

/* A new row; NULL with ERROR_CORRUPT when the record is damaged. */
struct outbox_row *outbox_code_read(const struct outbox_record *record,
                                    struct error *err) MUST_CHECK;

#endif
