/*
 * Values through the outbox's stock: put, taken, settled, dropped. As the functions of
 * exporter/outbox.h, which locks around them. A row that cannot be loaded now is passed over.
 */
#ifndef EXPORTER_OUTBOX_FLOW_H
#define EXPORTER_OUTBOX_FLOW_H

#include "exporter/outbox_stock.h"

void outbox_flow_put(struct outbox_stock *stock, const struct mackerel_row *rows,
                     size_t count, uint64_t tick_lsn);
size_t outbox_flow_list(const struct outbox_stock *stock, uint64_t after_id,
                        struct outbox_destination *list, size_t max);
void outbox_flow_keep_host(struct outbox_stock *stock, uint64_t id,
                           const struct outbox_host *host);
void outbox_flow_keep_service(struct outbox_stock *stock, uint64_t id, bool exists);
void outbox_flow_prune(struct outbox_stock *stock, uint64_t since_s,
                       void (*gone)(void *self, uint64_t id), void *self);
size_t outbox_flow_take(struct outbox_stock *stock, const struct outbox_query *query,
                        struct outbox_batch *batch);
void outbox_flow_settle(struct outbox_stock *stock, const struct outbox_item *items,
                        size_t count, const struct outbox_verdict *verdict);
size_t outbox_flow_drop(struct outbox_stock *stock,
                        const struct outbox_selection *selection,
                        const struct outbox_verdict *verdict);

void outbox_flow_release(struct outbox_batch *batch);

#endif
