#include "exporter/graph_table.h"

static uint64_t seal(struct slice name, struct slice lines, uint64_t posted)
{
    return outbox_file_seal(lines, outbox_file_seal(name, posted));
}

static void read_graph(struct graph_book *book, sqlite3_stmt *row)
{
    struct slice name = database_column_bytes(row, 0);
    struct slice lines = database_column_bytes(row, 1);
    uint64_t posted = database_column_number(row, 2);
    struct graph *graph;

    if (seal(name, lines, posted) != database_column_number(row, 5))
        return;
    graph = graph_book_restore(book, name, lines);
    if (!graph)
        return;
    graph->posted = posted;
    graph->posted_s = database_column_number(row, 3);
    graph->used_s = graph->stored_s = database_column_number(row, 4);
}

void graph_table_read(struct outbox_file *file, struct graph_book *book)
{
    sqlite3_stmt *statement = file->statements[OUTBOX_READ_GRAPHS];
    bool has_row;

    if (!statement)
        return;
    while (database_step(&file->database, statement, &has_row, NULL) && has_row)
        read_graph(book, statement);
    sqlite3_reset(statement);
}

static bool write_graph(struct outbox_file *file, const struct graph *graph,
                        struct error *err)
{
    struct slice name = slice_of(graph->name);
    struct buffer lines = {0};
    bool is_written;

    graph_store(graph, &lines);
    is_written = OUTBOX_RUN(file, OUTBOX_WRITE_GRAPH, err, TEXT(name),
                            TEXT(buffer_slice(&lines)), NUMBER(graph->posted),
                            NUMBER(graph->posted_s), NUMBER(graph->used_s),
                            NUMBER(seal(name, buffer_slice(&lines), graph->posted)));
    buffer_release(&lines);
    return is_written;
}

bool graph_table_write(struct outbox_file *file, const struct graph_book *book, bool all,
                       struct error *err)
{
    for (size_t i = 0; i < book->count; i++) {
        const struct graph *graph = &book->graphs[i];

        if ((graph->is_dirty || (all && graph->posted)) && !write_graph(file, graph, err))
            return false;
    }
    for (size_t i = 0; i < book->gone_count; i++)
        if (!OUTBOX_RUN(file, OUTBOX_DELETE_GRAPH, err, TEXT(slice_of(book->gone[i]))))
            return false;
    return true;
}
