#include "exporter/outbox_row.h"

#include "base/hash.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

struct outbox_row *outbox_row_new(uint64_t destination, uint64_t minute_s,
                                  enum mackerel_lane lane)
{
    struct outbox_row *row = memory_new(1, sizeof(*row));

    row->destination = destination;
    row->minute_s = minute_s;
    row->lane = lane;
    return row;
}

void outbox_row_free(struct outbox_row *row)
{
    if (!row)
        return;
    buffer_release(&row->names);
    free(row->slots);
    free(row->index);
    free(row);
}

size_t outbox_row_bytes(const struct outbox_row *row)
{
    return sizeof(*row) + row->capacity * sizeof(row->slots[0]) +
           row->index_size * sizeof(row->index[0]) + row->names.capacity;
}

bool outbox_row_is_over(const struct outbox_row *row)
{
    return row->queued == 0 && row->flights == 0;
}

struct slice outbox_row_name(const struct outbox_row *row, const struct outbox_slot *slot)
{
    return (struct slice){row->names.ptr + slot->name_at, slot->name_len};
}

/* Position in the index of the name, or of the free place where it belongs. */
static size_t find_place(const struct outbox_row *row, struct slice name, uint32_t hash)
{
    size_t mask = row->index_size - 1, place = hash & mask;

    while (row->index[place]) {
        const struct outbox_slot *slot = &row->slots[row->index[place] - 1];

        if (slot->hash == hash && slice_equal(outbox_row_name(row, slot), name))
            break;
        place = (place + 1) & mask;
    }
    return place;
}

static void grow_index(struct outbox_row *row)
{
    if (row->index_size >= 2 * (row->count + 1))
        return;
    row->index_size = row->index_size ? row->index_size * 2 : 16;
    free(row->index);
    row->index = memory_new(row->index_size, sizeof(row->index[0]));
    for (size_t i = 0; i < row->count; i++) {
        const struct outbox_slot *slot = &row->slots[i];

        row->index[find_place(row, outbox_row_name(row, slot), slot->hash)] =
            (uint32_t)i + 1;
    }
}

struct outbox_slot *outbox_row_slot(struct outbox_row *row, struct slice name)
{
    uint32_t hash = (uint32_t)hash_bytes(name, row->minute_s).low;

    grow_index(row);

    size_t place = find_place(row, name, hash);

    if (row->index[place])
        return &row->slots[row->index[place] - 1];

    row->slots = memory_grow(row->slots, row->count + 1, &row->capacity,
                             sizeof(row->slots[0]));

    struct outbox_slot *slot = &row->slots[row->count];

    *slot = (struct outbox_slot){
        .name_at = (uint32_t)row->names.len,
        .name_len = (uint32_t)name.len,
        .hash = hash,
    };
    buffer_append(&row->names, name);
    row->index[place] = (uint32_t)++row->count;
    return slot;
}

void outbox_row_enqueue(struct outbox_row *row, struct outbox_slot *slot)
{
    slot->queued = true;
    row->queued++;
    row->natives += slot->native;
}

static void dequeue(struct outbox_row *row, struct outbox_slot *slot)
{
    slot->queued = false;
    row->queued--;
    row->natives -= slot->native;
}

/* Books one revision of a slot as ended. */
static void book_end(struct value_ledger *ledger, bool was_accepted,
                     const struct outbox_verdict *verdict)
{
    ledger->queued--;
    if (was_accepted) {
        ledger->delivered++;
        return;
    }
    switch (verdict->end) {
    case OUTBOX_DELIVERED: ledger->delivered++; return;
    case OUTBOX_RETURNED:
    case OUTBOX_AMBIGUOUS: ledger->replaced++; return;
    case OUTBOX_REJECTED: ledger->rejected++; return;
    case OUTBOX_EXPIRED: ledger->expired++; return;
    case OUTBOX_WITHHELD: ledger->withheld[verdict->reason].count++; return;
    }
}

static void keep_example(struct value_ledger *ledger, struct slice name,
                         const struct outbox_verdict *verdict)
{
    struct ledger_reason *reason = &ledger->withheld[verdict->reason];

    if (verdict->end == OUTBOX_WITHHELD && ledger_wants_example(reason, verdict->now_ns))
        ledger_keep_example(reason, verdict->now_ns, name);
}

void outbox_row_put(struct outbox_row *row, const struct mackerel_value *value,
                    struct value_ledger *ledger)
{
    const struct outbox_verdict replaced = {.end = OUTBOX_RETURNED};
    struct outbox_slot *slot = outbox_row_slot(row, value->name);

    if (slot->queued) {
        book_end(ledger, slot->accepted == slot->revision, &replaced);
        dequeue(row, slot);
    }
    ledger->closed++;
    ledger->queued++;
    slot->value = value->value;
    slot->native = value->native;
    slot->revision = ++row->revision;
    outbox_row_enqueue(row, slot);
}

static bool is_picked(const struct outbox_slot *slot, enum outbox_pick pick)
{
    return pick == OUTBOX_ALL || slot->native == (pick == OUTBOX_NATIVE);
}

/* An accepted value only waits for its confirmation. */
static uint64_t slot_due_s(const struct outbox_slot *slot)
{
    return slot->accepted == slot->revision ? slot->confirm_s : 0;
}

uint64_t outbox_row_due_s(const struct outbox_row *row)
{
    uint64_t due_s = UINT64_MAX;

    for (size_t i = 0; i < row->count && due_s; i++)
        if (row->slots[i].queued && slot_due_s(&row->slots[i]) < due_s)
            due_s = slot_due_s(&row->slots[i]);
    return due_s;
}

static bool is_due(const struct outbox_slot *slot, uint64_t now_s)
{
    return slot->queued && !slot->flight && slot_due_s(slot) <= now_s;
}

size_t outbox_row_take(struct outbox_row *row, const struct outbox_query *query,
                       struct outbox_item *items, size_t max)
{
    size_t taken = 0;

    if (row->queued == 0)
        return 0;
    for (size_t i = 0; i < row->count && taken < max; i++) {
        struct outbox_slot *slot = &row->slots[i];

        if (!is_due(slot, query->now_s) || !is_picked(slot, query->pick))
            continue;
        dequeue(row, slot);
        slot->flight = slot->revision;
        row->flights++;
        items[taken++] = (struct outbox_item){
            .destination = query->destination,
            .minute_s = row->minute_s,
            .revision = slot->revision,
            .native = slot->native,
            .value = slot->value,
            .name = outbox_row_name(row, slot),
        };
    }
    if (taken)
        row->taken_s = query->now_s;
    return taken;
}

/* Back to the queue, unless a newer value is there already. */
static void put_back(struct outbox_row *row, struct outbox_slot *slot, uint32_t revision,
                     struct value_ledger *ledger)
{
    if (slot->queued) {
        book_end(ledger, slot->accepted == revision,
                 &(struct outbox_verdict){.end = OUTBOX_RETURNED});
        return;
    }
    outbox_row_enqueue(row, slot);
}

bool outbox_row_settle(struct outbox_row *row, const struct outbox_item *item,
                       const struct outbox_verdict *verdict, struct value_ledger *ledger)
{
    uint32_t hash = (uint32_t)hash_bytes(item->name, row->minute_s).low;
    uint32_t place = row->index[find_place(row, item->name, hash)];

    assert(place);

    struct outbox_slot *slot = &row->slots[place - 1];
    uint64_t now_s = verdict->now_ns / 1000000000u;
    bool was_replaced = slot->queued;

    assert(slot->flight == item->revision);
    slot->flight = 0;
    row->flights--;
    if (verdict->end == OUTBOX_AMBIGUOUS || verdict->is_doubtful)
        slot->confirm_s = (uint32_t)(now_s + OUTBOX_CONFIRM_S);
    if (verdict->end == OUTBOX_AMBIGUOUS || verdict->end == OUTBOX_RETURNED) {
        put_back(row, slot, item->revision, ledger);
        return was_replaced || verdict->end == OUTBOX_AMBIGUOUS;
    }
    if (verdict->end == OUTBOX_DELIVERED && !slot->queued && slot->confirm_s > now_s) {
        slot->accepted = item->revision;
        put_back(row, slot, item->revision, ledger);
        return true;
    }
    keep_example(ledger, item->name, verdict);
    book_end(ledger, slot->accepted == item->revision, verdict);
    return true;
}

size_t outbox_row_drop(struct outbox_row *row, enum outbox_pick pick,
                       const struct outbox_verdict *verdict, struct value_ledger *ledger)
{
    size_t dropped = 0;

    for (size_t i = 0; i < row->count && row->queued; i++) {
        struct outbox_slot *slot = &row->slots[i];

        if (!slot->queued || !is_picked(slot, pick))
            continue;
        dequeue(row, slot);
        dropped++;
        keep_example(ledger, outbox_row_name(row, slot), verdict);
        book_end(ledger, slot->accepted == slot->revision, verdict);
    }
    return dropped;
}

void outbox_row_doubt(struct outbox_row *row, uint64_t until_s)
{
    for (size_t i = 0; i < row->count; i++)
        if (row->slots[i].queued && row->slots[i].confirm_s < until_s)
            row->slots[i].confirm_s = (uint32_t)until_s;
}

bool outbox_row_retry(struct outbox_row *row, enum outbox_pick pick, uint64_t now_s)
{
    bool is_changed = false;

    for (size_t i = 0; i < row->count; i++) {
        struct outbox_slot *slot = &row->slots[i];

        if (!slot->queued || slot_due_s(slot) <= now_s || !is_picked(slot, pick))
            continue;
        slot->confirm_s = (uint32_t)now_s;
        is_changed = true;
    }
    return is_changed;
}
