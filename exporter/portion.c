#include "exporter/portion.h"

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

struct portion portion_of(size_t first, size_t most)
{
    return (struct portion){
        .first = first, .most = most, .values = first, .ceiling = most};
}

size_t portion_size(struct portion *portion, uint64_t now_ms)
{
    if (portion->forget_ms && now_ms >= portion->forget_ms)
        *portion = portion_of(portion->first, portion->most);
    return portion->values;
}

void portion_accepted(struct portion *portion, size_t count, uint64_t took_ms)
{
    if (count >= portion->values && took_ms <= PORTION_QUICK_MS)
        portion->values = least(2 * portion->values, portion->ceiling);
}

void portion_refused(struct portion *portion, size_t count, uint64_t now_ms)
{
    portion->ceiling = count > 1 ? count / 2 : 1;
    portion->values = least(portion->values, portion->ceiling);
    portion->forget_ms = now_ms + PORTION_MEMORY_MS;
}

void portion_failed(struct portion *portion)
{
    if (portion->values > portion->first)
        portion->values = portion->values / 2 > portion->first ? portion->values / 2
                                                               : portion->first;
}

void portion_pressed(struct portion *portion, uint64_t now_ms)
{
    portion->values = least(2 * portion->values, portion->ceiling);
    portion->forget_ms = now_ms + PORTION_MEMORY_MS;
}
