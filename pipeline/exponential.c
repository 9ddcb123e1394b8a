#include "pipeline/exponential.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* ---- buckets ------------------------------------------------------------------------------ */

/* Divided by 2^shift and rounded down: the index after `shift` scales less. */
static int64_t shifted(int64_t index, int64_t shift)
{
    enum {
        ALL_BITS = 63
    };

    return index >> (shift < ALL_BITS ? shift : ALL_BITS);
}

static void make_room(struct exponential_side *side, uint32_t len)
{
    uint32_t room = side->room ? side->room : 8;

    if (len <= side->room)
        return;
    while (room < len)
        room *= 2;
    side->count = memory_resize(side->count, room, sizeof(*side->count));
    memset(side->count + side->room, 0, (room - side->room) * sizeof(*side->count));
    side->room = room;
}

static void set_range(struct exponential_side *side, int64_t low, uint32_t len)
{
    make_room(side, len);
    side->low = low;
    side->len = len;
    for (uint32_t i = 0; i < len; i++)
        side->count[i].whole = 0;
}

static void drop_front(struct exponential_side *side, uint32_t gone)
{
    if (gone == 0)
        return;
    memmove(side->count, side->count + gone, (side->len - gone) * sizeof(*side->count));
    side->low += gone;
    side->len -= gone;
}

static void add_tally(union tally *to, union tally more, bool is_whole)
{
    if (is_whole)
        to->whole += more.whole;
    else
        to->part += more.part;
}

static bool is_empty(union tally tally, bool is_whole)
{
    return is_whole ? tally.whole == 0 : !(tally.part > 0);
}

static bool has_buckets(const struct exponential *buckets)
{
    return buckets->positive.len + buckets->negative.len > 0;
}

double exponential_edge(const struct exponential *buckets, double index)
{
    return exp2(ldexp(index, -buckets->scale));
}

/* ---- fewer scales ------------------------------------------------------------------------- */

static void coarsen_side(struct exponential_side *side, int64_t shift, bool is_whole)
{
    int64_t low = shifted(side->low, shift);
    uint32_t len = 0;

    for (uint32_t i = 0; i < side->len; i++) {
        uint32_t at = (uint32_t)(shifted(side->low + i, shift) - low);

        if (at == len)
            side->count[len++] = side->count[i];
        else
            add_tally(&side->count[at], side->count[i], is_whole);
    }
    side->low = low;
    side->len = len;
}

static void coarsen(struct exponential *buckets, int64_t shift)
{
    if (shift == 0)
        return;
    coarsen_side(&buckets->positive, shift, buckets->is_whole);
    coarsen_side(&buckets->negative, shift, buckets->is_whole);
    buckets->scale = (int32_t)(buckets->scale - shift);
}

/* By how many scales so that these are few enough buckets. */
static int64_t shift_for(int64_t first, int64_t last)
{
    int64_t shift = 0;

    while (shifted(last, shift) - shifted(first, shift) >= EXPONENTIAL_BUCKETS)
        shift++;
    return shift;
}

static int64_t more(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- the zero bucket ---------------------------------------------------------------------- */

/* Moves the buckets of one side that begin below the width; gives the width that covers them. */
static double fold_side(struct exponential *buckets, struct exponential_side *side,
                        double width)
{
    uint32_t gone = 0;

    for (; gone < side->len; gone++) {
        double index = (double)(side->low + gone);

        if (!(exponential_edge(buckets, index) < width))
            break;
        if (is_empty(side->count[gone], buckets->is_whole))
            continue;
        add_tally(&buckets->zero, side->count[gone], buckets->is_whole);
        width = fmax(width, exponential_edge(buckets, index + 1));
    }
    drop_front(side, gone);
    return width;
}

static double fold(struct exponential *buckets, double width)
{
    return fold_side(buckets, &buckets->negative,
                     fold_side(buckets, &buckets->positive, width));
}

/* The end of a bucket is where others begin, so that the width rises but once. */
static void share_zero(struct exponential *a, struct exponential *b)
{
    double width = fmax(a->zero_threshold, b->zero_threshold);

    for (int round = 0; width > 0 && round < 2; round++)
        width = fold(b, fold(a, width));
    a->zero_threshold = b->zero_threshold = width;
}

static void align(struct exponential *a, struct exponential *b)
{
    if (!has_buckets(a))
        a->scale = b->scale;
    else if (!has_buckets(b))
        b->scale = a->scale;
    coarsen(a, more(0, (int64_t)a->scale - b->scale));
    coarsen(b, more(0, (int64_t)b->scale - a->scale));
    share_zero(a, b);
}

/* ---- reading ------------------------------------------------------------------------------ */

struct range {
    int64_t first, last;
    bool any;
};

static struct range range_of(const struct otlp_buckets *buckets)
{
    struct otlp_buckets_walk walk = otlp_buckets_walk(buckets);
    struct otlp_bucket bucket;
    struct range range = {0};

    while (otlp_buckets_next(&walk, &bucket)) {
        if (!range.any)
            range.first = bucket.index;
        range.last = bucket.index;
        range.any = true;
    }
    return range;
}

static void read_side(struct exponential_side *to, const struct otlp_buckets *from,
                      const struct range *range, int64_t shift)
{
    struct otlp_buckets_walk walk = otlp_buckets_walk(from);
    struct otlp_bucket bucket;
    int64_t low = shifted(range->first, shift);

    set_range(to, low,
              range->any ? (uint32_t)(shifted(range->last, shift) - low + 1) : 0);
    while (otlp_buckets_next(&walk, &bucket))
        to->count[shifted(bucket.index, shift) - low].whole += bucket.count;
}

void exponential_read(struct exponential *to, const struct otlp_exponential *from)
{
    struct range positive = range_of(&from->positive);
    struct range negative = range_of(&from->negative);
    int32_t scale = from->scale < EXPONENTIAL_MIN_SCALE ? (int32_t)EXPONENTIAL_MIN_SCALE
                                                        : from->scale;
    int64_t shift = more(shift_for(positive.first, positive.last),
                         shift_for(negative.first, negative.last));

    read_side(&to->positive, &from->positive, &positive, shift);
    read_side(&to->negative, &from->negative, &negative, shift);
    to->zero.whole = from->zero_count;
    to->zero_threshold = from->zero_threshold;
    to->sum = from->sum;
    to->has_sum = from->has_sum;
    to->is_whole = true;
    to->sent_scale = scale;
    to->scale = (int32_t)(scale - shift);
}

static void copy_side(struct exponential_side *to, const struct exponential_side *from)
{
    make_room(to, from->len);
    to->low = from->low;
    to->len = from->len;
    if (from->len)
        memcpy(to->count, from->count, from->len * sizeof(*from->count));
}

void exponential_copy(struct exponential *to, const struct exponential *from)
{
    struct exponential_side positive = to->positive, negative = to->negative;

    copy_side(&positive, &from->positive);
    copy_side(&negative, &from->negative);
    *to = *from;
    to->positive = positive;
    to->negative = negative;
}

/* ---- rising ------------------------------------------------------------------------------- */

static bool subtract(struct exponential_side *from, const struct exponential_side *what)
{
    for (uint32_t i = 0; i < what->len; i++) {
        int64_t at = what->low + i - from->low;

        if (what->count[i].whole == 0)
            continue;
        if (at < 0 || at >= from->len || from->count[at].whole < what->count[i].whole)
            return false;
        from->count[at].whole -= what->count[i].whole;
    }
    return true;
}

/* Without what is empty at either end, which would only cost scale. */
static void trim(struct exponential_side *side)
{
    uint32_t gone = 0;

    while (side->len && side->count[side->len - 1].whole == 0)
        side->len--;
    while (gone < side->len && side->count[gone].whole == 0)
        gone++;
    drop_front(side, gone);
}

static bool is_merged_from(const struct exponential *now, const struct exponential *last)
{
    return (now->sent_scale <= last->sent_scale || !has_buckets(last)) &&
           (now->zero_threshold >= last->zero_threshold || last->zero.whole == 0);
}

bool exponential_rise(struct exponential *rise, const struct exponential *last,
                      const struct exponential *now, struct exponential *scratch)
{
    if (!is_merged_from(now, last))
        return false;
    exponential_copy(rise, now);
    exponential_copy(scratch, last);
    align(rise, scratch);
    if (rise->zero.whole < scratch->zero.whole ||
        !subtract(&rise->positive, &scratch->positive) ||
        !subtract(&rise->negative, &scratch->negative))
        return false;
    rise->zero.whole -= scratch->zero.whole;
    trim(&rise->positive);
    trim(&rise->negative);
    return true;
}

/* ---- adding ------------------------------------------------------------------------------- */

static int64_t end_of(const struct exponential_side *side)
{
    return side->low + side->len;
}

/* By how many scales so that both fit into one window. */
static int64_t shift_for_both(const struct exponential_side *a,
                              const struct exponential_side *b)
{
    if (a->len == 0 || b->len == 0)
        return 0;
    return shift_for(a->low < b->low ? a->low : b->low, more(end_of(a), end_of(b)) - 1);
}

/* Makes the window reach over that of the other as well. */
static void widen(struct exponential_side *side, const struct exponential_side *other)
{
    int64_t low = side->len && side->low < other->low ? side->low : other->low;
    int64_t end = more(side->len ? end_of(side) : low, end_of(other));
    uint32_t front = side->len ? (uint32_t)(side->low - low) : 0;
    uint32_t len = side->len;

    if (other->len == 0)
        return;
    make_room(side, (uint32_t)(end - low));
    side->low = low;
    side->len = (uint32_t)(end - low);
    memmove(side->count + front, side->count, len * sizeof(*side->count));
    for (uint32_t i = 0; i < side->len; i++)
        if (i < front || i >= front + len)
            side->count[i].part = 0;
}

struct span {
    double before, until; /* shares of the whole */
};

static double share(struct span span, uint64_t whole)
{
    return (double)whole * span.until - (double)whole * span.before;
}

static void add_side(struct exponential_side *to, const struct exponential_side *from,
                     struct span span)
{
    widen(to, from);
    for (uint32_t i = 0; i < from->len; i++)
        to->count[from->low + i - to->low].part += share(span, from->count[i].whole);
}

void exponential_add(struct exponential *to, const struct exponential *increase,
                     double before, double until, struct exponential *scratch)
{
    struct span span = {before, until};
    int64_t shift;

    exponential_copy(scratch, increase);
    align(to, scratch);
    shift = more(shift_for_both(&to->positive, &scratch->positive),
                 shift_for_both(&to->negative, &scratch->negative));
    if (shift) {
        coarsen(to, shift);
        coarsen(scratch, shift);
        share_zero(to, scratch);
    }
    add_side(&to->positive, &scratch->positive, span);
    add_side(&to->negative, &scratch->negative, span);
    to->zero.part += share(span, scratch->zero.whole);
}

void exponential_release(struct exponential *buckets)
{
    free(buckets->positive.count);
    free(buckets->negative.count);
    *buckets = (struct exponential){0};
}
