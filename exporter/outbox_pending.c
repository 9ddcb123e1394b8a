#include "exporter/outbox_pending.h"

#include "base/memory.h"

#include <stdlib.h>

/* The block: the head, the rows, their values, their texts. */
struct sizes {
    size_t values, texts;
};

static size_t destination_bytes(const struct mackerel_destination *destination)
{
    return destination->name.len + destination->host_id.len +
           destination->custom_identifier.len + destination->roles.len +
           destination->meta.len;
}

static struct sizes measure(const struct mackerel_row *rows, size_t count)
{
    struct sizes sizes = {0};

    for (size_t i = 0; i < count; i++) {
        sizes.values += rows[i].count;
        sizes.texts += destination_bytes(&rows[i].destination);
        for (size_t k = 0; k < rows[i].count; k++)
            sizes.texts += rows[i].values[k].name.len;
    }
    return sizes;
}

static void move_text(struct slice *text, char **to)
{
    if (text->len)
        memcpy(*to, text->ptr, text->len);
    text->ptr = *to;
    *to += text->len;
}

static void move_destination(struct mackerel_destination *destination, char **to)
{
    move_text(&destination->name, to);
    move_text(&destination->host_id, to);
    move_text(&destination->custom_identifier, to);
    move_text(&destination->roles, to);
    move_text(&destination->meta, to);
}

struct outbox_pending *outbox_pending_new(const struct mackerel_row *rows, size_t count,
                                          uint64_t lsn)
{
    struct sizes sizes = measure(rows, count);
    struct outbox_pending *pending = memory_new(
        1, sizeof(*pending) + count * sizeof(rows[0]) +
               sizes.values * sizeof(struct mackerel_value) + sizes.texts);
    struct mackerel_row *to = (struct mackerel_row *)(pending + 1);
    struct mackerel_value *values = (struct mackerel_value *)(to + count);
    char *texts = (char *)(values + sizes.values);

    pending->lsn = lsn;
    pending->rows = to;
    pending->count = count;
    pending->values = sizes.values;
    for (size_t i = 0; i < count; i++) {
        to[i] = rows[i];
        to[i].values = values;
        to[i].graphs = NULL;
        to[i].graph_count = 0;
        move_destination(&to[i].destination, &texts);
        for (size_t k = 0; k < rows[i].count; k++, values++) {
            *values = rows[i].values[k];
            move_text(&values->name, &texts);
        }
    }
    return pending;
}

void outbox_queue_append(struct outbox_queue *queue, struct outbox_pending *pending)
{
    if (!queue->first)
        queue->end = &queue->first;
    *queue->end = pending;
    queue->end = &pending->next;
    queue->values += pending->values;
}

struct outbox_pending *outbox_queue_take(struct outbox_queue *queue)
{
    struct outbox_pending *first = queue->first;

    *queue = (struct outbox_queue){0};
    return first;
}

void outbox_pending_free_all(struct outbox_pending *first)
{
    for (struct outbox_pending *next; first; first = next) {
        next = first->next;
        free(first);
    }
}
