/*
 * Writes what changed in the outbox's stock into its database, in one transaction: rows that were
 * bad, ended, changed or went into flight, destinations, the books.
 */
#ifndef EXPORTER_OUTBOX_SAVE_H
#define EXPORTER_OUTBOX_SAVE_H

#include "exporter/outbox_stock.h"

/* False: nothing was written, and the next call writes all of it. Damage sets is_damaged. */
bool outbox_save(struct outbox_stock *stock, struct error *err) MUST_CHECK;

/*
 * Out of a damaged file: writes all of the stock into an empty one, rows that are not in memory as
 * far as the damaged one still gives them. What it does not give is withheld as unreadable.
 */
bool outbox_save_copy(struct outbox_stock *stock, struct outbox_file *to,
                      struct error *err) MUST_CHECK;
/* The copy has all of the stock; its file, which the caller opens, is the stock's from now on. */
void outbox_save_adopt(struct outbox_stock *stock);

#endif
