#include "pipeline/emission.h"

#include "base/memory.h"
#include "pipeline/drawing.h"

#include <stdlib.h>

/* Emissions for which memory is kept between ticks: those of a large minute are needed once a minute. */
enum {
    KEPT_ROOM = 4096
};

static int compare(const void *left, const void *right)
{
    const struct emission *a = left, *b = right;

    if (a->destination != b->destination)
        return a->destination < b->destination ? -1 : 1;
    if (a->minute != b->minute)
        return a->minute < b->minute ? -1 : 1;
    if (a->lane != b->lane)
        return a->lane < b->lane ? -1 : 1;
    return a->name_at < b->name_at ? -1 : a->name_at > b->name_at;
}

static bool same_row(const struct emission *a, const struct emission *b)
{
    return a->destination == b->destination && a->minute == b->minute &&
           a->lane == b->lane;
}

static void fill_values(struct pipeline *p)
{
    p->values = memory_grow(p->values, p->emission_count, &p->value_room,
                            sizeof(*p->values));
    for (size_t i = 0; i < p->emission_count; i++) {
        const struct emission *emission = &p->emissions[i];

        p->values[i] = (struct mackerel_value){
            .name = {p->emission_text.ptr + emission->name_at, emission->name_len},
            .value = emission->value,
            .native = emission->native,
        };
    }
}

static size_t fill_rows(struct pipeline *p)
{
    size_t rows = 0;

    for (size_t i = 0; i < p->emission_count; i++) {
        const struct emission *emission = &p->emissions[i];

        if (i > 0 && same_row(emission, emission - 1)) {
            p->rows[rows - 1].count++;
            continue;
        }
        p->rows = memory_grow(p->rows, rows + 1, &p->row_room, sizeof(*p->rows));
        p->rows[rows++] = (struct mackerel_row){
            .destination = state_destination(p, emission->destination)->target,
            .minute_s = emission->minute * 60,
            .lane = emission->lane,
            .values = &p->values[i],
            .count = 1,
        };
    }
    return rows;
}

static void forget_scratch(struct pipeline *p)
{
    free(p->emissions);
    free(p->values);
    free(p->rows);
    p->emissions = NULL;
    p->values = NULL;
    p->rows = NULL;
    p->emission_room = p->value_room = p->row_room = 0;
    buffer_release(&p->emission_text);
}

void emission_flush(struct pipeline *p,
                    void (*emit)(void *self, const struct mackerel_row *rows,
                                 size_t count),
                    void *self)
{
    if (p->emission_count == 0)
        return;
    qsort(p->emissions, p->emission_count, sizeof(*p->emissions), compare);
    fill_values(p);

    size_t rows = fill_rows(p);

    p->rows[0].graph_count = drawing_list(p, &p->rows[0].graphs);
    emit(self, p->rows, rows);
    p->emission_count = 0;
    buffer_reset(&p->emission_text);
    if (p->emission_room > KEPT_ROOM)
        forget_scratch(p);
}

void emission_release(struct pipeline *p)
{
    forget_scratch(p);
    drawing_release(&p->drawing_list);
}
