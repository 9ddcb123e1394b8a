/*
 * The outbox's stock as a person sees it, row by row, and what a person may do to it beside
 * dropping. As the functions of exporter/outbox.h, which locks around them.
 */
#ifndef EXPORTER_OUTBOX_VIEW_H
#define EXPORTER_OUTBOX_VIEW_H

#include "exporter/outbox_stock.h"

/* Rows behind the key `after`, in the order of destinations and minutes. */
size_t outbox_view_rows(const struct outbox_stock *stock, const struct outbox_key *after,
                        struct outbox_row_view *list, size_t max);

bool outbox_view_values(struct outbox_stock *stock, const struct outbox_key *key,
                        void (*show)(void *self, const struct outbox_value_view *value),
                        void *self);

size_t outbox_view_retry(struct outbox_stock *stock,
                         const struct outbox_selection *selection, uint64_t now_s);

#endif
