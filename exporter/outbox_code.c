#include "exporter/outbox_code.h"

#include "base/hash.h"

#include <assert.h>

enum {
    VERSION = 1,
    HEADER_BYTES = 1 + 4 + 4, /* version, values, bytes of names */
    SLOT_BYTES = 8 + 4 + 4 + 4 + 1,
    CHECKSUM_BYTES = 8,
    COLUMN_BYTES = 32, /* of a record beside its payload */
};

enum {
    FLAG_NATIVE = 1,
    FLAG_ACCEPTED = 2,
};

static void write_number(struct buffer *out, uint64_t number, size_t bytes)
{
    char *to = buffer_reserve(out, bytes);

    for (size_t i = 0; i < bytes; i++)
        to[i] = (char)(number >> (8 * i));
    out->len += bytes;
}

static uint64_t read_number(const char *from, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++)
        number |= (uint64_t)(unsigned char)from[i] << (8 * i);
    return number;
}

static uint64_t checksum(const struct outbox_record *record, struct slice bytes)
{
    const uint64_t columns[] = {
        record->destination, record->minute_s, (uint64_t)record->lane, record->revision,
        record->values,      record->natives,  record->due_s};
    struct buffer text = {0};
    uint64_t seed;

    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        write_number(&text, columns[i], sizeof(columns[i]));
    seed = hash_bytes(buffer_slice(&text), VERSION).low;
    buffer_release(&text);
    return hash_bytes(bytes, seed).low;
}

size_t outbox_code_bytes(const struct outbox_row *row)
{
    return COLUMN_BYTES + HEADER_BYTES + CHECKSUM_BYTES + row->names.len +
           (row->queued + row->flights) * SLOT_BYTES;
}

/* ---- writing ----------------------------------------------------------------------------- */

static bool is_kept(const struct outbox_slot *slot)
{
    return slot->queued || slot->flight;
}

static void write_slot(struct buffer *out, const struct outbox_slot *slot)
{
    uint64_t bits;
    bool is_accepted = slot->accepted && slot->accepted == slot->revision;

    static_assert(sizeof(bits) == sizeof(slot->value), "a double is 64 bits");
    memcpy(&bits, &slot->value, sizeof(bits));
    write_number(out, bits, 8);
    write_number(out, slot->revision, 4);
    write_number(out, slot->confirm_s, 4);
    write_number(out, slot->name_len, 4);
    write_number(out,
                 (slot->native ? FLAG_NATIVE : 0) | (is_accepted ? FLAG_ACCEPTED : 0), 1);
}

static void count_slot(const struct outbox_slot *slot, struct outbox_record *record,
                       struct outbox_older *older)
{
    uint64_t due_s = slot->accepted == slot->revision ? slot->confirm_s : 0;

    record->values++;
    record->natives += slot->native;
    if (due_s < record->due_s)
        record->due_s = due_s;
    if (!slot->queued || !slot->flight)
        return;
    older->values++;
    older->accepted += slot->accepted == slot->flight;
}

void outbox_code_write(const struct outbox_row *row, struct buffer *out,
                       struct outbox_record *record, struct outbox_older *older)
{
    size_t start = out->len, names_len = 0;

    *record = (struct outbox_record){
        .destination = row->destination,
        .minute_s = row->minute_s,
        .lane = row->lane,
        .revision = row->revision,
        .due_s = UINT64_MAX,
    };
    *older = (struct outbox_older){0};
    for (size_t i = 0; i < row->count; i++) {
        if (!is_kept(&row->slots[i]))
            continue;
        count_slot(&row->slots[i], record, older);
        names_len += row->slots[i].name_len;
    }
    write_number(out, VERSION, 1);
    write_number(out, record->values, 4);
    write_number(out, names_len, 4);
    for (size_t i = 0; i < row->count; i++)
        if (is_kept(&row->slots[i]))
            write_slot(out, &row->slots[i]);
    for (size_t i = 0; i < row->count; i++)
        if (is_kept(&row->slots[i]))
            buffer_append(out, outbox_row_name(row, &row->slots[i]));
    write_number(out,
                 checksum(record, (struct slice){out->ptr + start, out->len - start}),
                 CHECKSUM_BYTES);
    record->payload = (struct slice){out->ptr + start, out->len - start};
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool check(const struct outbox_record *record, struct error *err)
{
    struct slice payload = record->payload;
    uint64_t values, names_len;

    if (payload.len < HEADER_BYTES + CHECKSUM_BYTES)
        return FAIL(err, ERROR_CORRUPT, "payload of %zu bytes", payload.len);
    if (payload.ptr[0] != VERSION)
        return FAIL(err, ERROR_CORRUPT, "payload of version %u",
                    (unsigned)(unsigned char)payload.ptr[0]);
    values = read_number(payload.ptr + 1, 4);
    names_len = read_number(payload.ptr + 5, 4);
    if (payload.len != HEADER_BYTES + values * SLOT_BYTES + names_len + CHECKSUM_BYTES)
        return FAIL(err, ERROR_CORRUPT, "payload of %zu bytes does not hold its values",
                    payload.len);
    for (uint64_t i = 0; i < values; i++)
        names_len -= read_number(payload.ptr + HEADER_BYTES + i * SLOT_BYTES + 16, 4);
    if (names_len)
        return FAIL(err, ERROR_CORRUPT, "names of other lengths than their values say");
    payload.len -= CHECKSUM_BYTES;
    if (values != record->values ||
        checksum(record, payload) !=
            read_number(payload.ptr + payload.len, CHECKSUM_BYTES))
        return FAIL(err, ERROR_CORRUPT, "checksum does not match");
    return true;
}

static void read_slot(struct outbox_row *row, const char *from, struct slice name)
{
    struct outbox_slot *slot = outbox_row_slot(row, name);
    uint64_t bits = read_number(from, 8);
    uint64_t flags = read_number(from + 20, 1);

    memcpy(&slot->value, &bits, sizeof(bits));
    slot->revision = (uint32_t)read_number(from + 8, 4);
    slot->confirm_s = (uint32_t)read_number(from + 12, 4);
    slot->native = flags & FLAG_NATIVE;
    slot->accepted = flags & FLAG_ACCEPTED ? slot->revision : 0;
    outbox_row_enqueue(row, slot);
}

struct outbox_row *outbox_code_read(const struct outbox_record *record, struct error *err)
{
    const char *slots, *name;
    struct outbox_row *row;

    if (!check(record, err))
        return NULL;
    slots = record->payload.ptr + HEADER_BYTES;
    row = outbox_row_new(record->destination, record->minute_s, record->lane);
    row->revision = record->revision;
    name = slots + record->values * SLOT_BYTES;
    for (uint64_t i = 0; i < record->values; i++) {
        const char *from = slots + i * SLOT_BYTES;
        size_t len = read_number(from + 16, 4);

        read_slot(row, from, (struct slice){name, len});
        name += len;
    }
    return row;
}
