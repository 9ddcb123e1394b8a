/*
 * Known graph definitions in the outbox's database. They are a memory of what was posted, nothing more:
 * where they cannot be read they are posted anew.
 */
#ifndef EXPORTER_GRAPH_TABLE_H
#define EXPORTER_GRAPH_TABLE_H

#include "base/compiler.h"
#include "exporter/graph_book.h"
#include "exporter/outbox_file.h"

/* Adds what is there and whose seal fits. */
void graph_table_read(struct outbox_file *file, struct graph_book *book);

/* What changed; with `all` every graph that was posted. Inside a transaction. */
bool graph_table_write(struct outbox_file *file, const struct graph_book *book, bool all,
                       struct error *err) MUST_CHECK;

#endif
