/*
 * Fills the outbox's stock from its database at the start: destinations, an entry for each row, the
 * books. What was in flight when the last process ended counts as an ambiguous attempt.
 */
#ifndef EXPORTER_OUTBOX_RESTORE_H
#define EXPORTER_OUTBOX_RESTORE_H

#include "exporter/outbox_stock.h"

/* `stock` is empty but for its file. On failure it must be released. */
bool outbox_restore(struct outbox_stock *stock, struct error *err) MUST_CHECK;

/*
 * As far as a damaged file can be read; the stock distrusts the file then. False when there is
 * nothing in it: no books and no row.
 */
bool outbox_restore_damaged(struct outbox_stock *stock, const char *why) MUST_CHECK;

#endif
