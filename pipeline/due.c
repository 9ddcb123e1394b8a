#include "pipeline/due.h"

#include "base/memory.h"

#include <stdlib.h>

void due_release(struct due_queue *queue)
{
    free(queue->heap);
    free(queue->place);
    *queue = (struct due_queue){0};
}

uint64_t due_next_ns(const struct due_queue *queue)
{
    return queue->count ? queue->heap[0].time_ns : UINT64_MAX;
}

static void put(struct due_queue *queue, size_t at, struct due_entry entry)
{
    queue->heap[at] = entry;
    queue->place[entry.cell] = (uint32_t)at + 1;
}

/* Ties go by cell index, so that replay closes in the same order. */
static bool before(struct due_entry a, struct due_entry b)
{
    return a.time_ns != b.time_ns ? a.time_ns < b.time_ns : a.cell < b.cell;
}

static void sift_up(struct due_queue *queue, size_t at, struct due_entry entry)
{
    while (at > 0 && before(entry, queue->heap[(at - 1) / 2])) {
        put(queue, at, queue->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(queue, at, entry);
}

static void sift_down(struct due_queue *queue, size_t at, struct due_entry entry)
{
    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= queue->count)
            break;
        if (child + 1 < queue->count &&
            before(queue->heap[child + 1], queue->heap[child]))
            child++;
        if (!before(queue->heap[child], entry))
            break;
        put(queue, at, queue->heap[child]);
        at = child;
    }
    put(queue, at, entry);
}

static void know_cell(struct due_queue *queue, uint32_t cell)
{
    if (cell < queue->place_count)
        return;

    size_t old = queue->place_count, count = old ? old : 64;

    while (count <= cell)
        count *= 2;
    queue->place = memory_resize(queue->place, count, sizeof(*queue->place));
    memset(queue->place + old, 0, (count - old) * sizeof(*queue->place));
    queue->place_count = count;
}

void due_set(struct due_queue *queue, uint32_t cell, uint64_t time_ns)
{
    struct due_entry entry = {time_ns, cell};

    know_cell(queue, cell);

    uint32_t place = queue->place[cell];

    if (place == 0) {
        queue->heap = memory_grow(queue->heap, queue->count + 1, &queue->capacity,
                                  sizeof(*queue->heap));
        sift_up(queue, queue->count++, entry);
    } else if (before(entry, queue->heap[place - 1])) {
        sift_up(queue, place - 1, entry);
    } else {
        sift_down(queue, place - 1, entry);
    }
}

void due_not_after(struct due_queue *queue, uint32_t cell, uint64_t time_ns)
{
    uint32_t place = cell < queue->place_count ? queue->place[cell] : 0;

    if (place == 0 || queue->heap[place - 1].time_ns > time_ns)
        due_set(queue, cell, time_ns);
}

void due_clear(struct due_queue *queue, uint32_t cell)
{
    if (cell >= queue->place_count || queue->place[cell] == 0)
        return;

    size_t at = queue->place[cell] - 1;
    struct due_entry last = queue->heap[--queue->count];

    queue->place[cell] = 0;
    if (at == queue->count)
        return;
    if (at > 0 && before(last, queue->heap[(at - 1) / 2]))
        sift_up(queue, at, last);
    else
        sift_down(queue, at, last);
}

bool due_take(struct due_queue *queue, uint64_t now_ns, uint32_t *cell)
{
    if (queue->count == 0 || queue->heap[0].time_ns > now_ns)
        return false;
    *cell = queue->heap[0].cell;
    due_clear(queue, *cell);
    return true;
}
