#include "base/suggest.h"

#include <stdint.h>

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

size_t suggest_distance(struct slice a, struct slice b)
{
    size_t row[SUGGEST_MAX_LENGTH + 1];

    if (a.len > SUGGEST_MAX_LENGTH || b.len > SUGGEST_MAX_LENGTH)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j];
            size_t replaced = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);

            row[j] = least(row[j - 1] + 1, above + 1, replaced);
            diagonal = above;
        }
    }
    return row[b.len];
}
