#include "pipeline/whole.h"

#include <math.h>

/* amount x passed / of, bit by bit of the amount: the product may have 128 bits. */
static uint64_t divide(uint64_t amount, uint64_t passed, uint64_t of, bool *is_exact)
{
    uint64_t quotient = 0, rest = 0;

    for (int bit = 63; bit >= 0; bit--) {
        quotient <<= 1;
        rest <<= 1;
        if (rest >= of) {
            rest -= of;
            quotient++;
        }
        if (!(amount >> bit & 1))
            continue;
        rest += passed;
        if (rest >= of) {
            rest -= of;
            quotient++;
        }
    }
    *is_exact = rest == 0;
    return quotient;
}

double whole_until(double amount, uint64_t passed, uint64_t of)
{
    double size = fabs(amount);
    bool is_exact;

    if (size >= 0x1p63 || trunc(size) < size)
        return passed == of ? amount : amount * ((double)passed / (double)of);

    uint64_t part = divide((uint64_t)size, passed, of, &is_exact);

    /* Down is away from zero where the total falls. */
    return amount < 0 ? -(double)(part + !is_exact) : (double)part;
}
