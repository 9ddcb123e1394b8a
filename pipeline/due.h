/*
 * When cells have something to do: a binary heap of (time, cell), at most one entry per cell, so
 * that the next tick is known and a tick touches only what is due.
 *
 * Each cell's place in the heap is kept here, by cell index.
 */
#ifndef PIPELINE_DUE_H
#define PIPELINE_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct due_entry {
    uint64_t time_ns;
    uint32_t cell;
};

struct due_queue {
    struct due_entry *heap;
    size_t count, capacity;
    uint32_t *place; /* by cell: position in the heap plus one; 0 when not queued */
    size_t place_count;
};

void due_release(struct due_queue *queue);

/* Time of the first entry; UINT64_MAX when empty. */
uint64_t due_next_ns(const struct due_queue *queue);

/* The cell is due at that time, whatever it was before. */
void due_set(struct due_queue *queue, uint32_t cell, uint64_t time_ns);
/* The cell is due at that time or before. */
void due_not_after(struct due_queue *queue, uint32_t cell, uint64_t time_ns);
void due_clear(struct due_queue *queue, uint32_t cell);

/* Takes the first entry if it is due at `now_ns`. */
bool due_take(struct due_queue *queue, uint64_t now_ns, uint32_t *cell);

#endif
