#include "pipeline/details.h"

#include <stdlib.h>

void details_drop_exponential(struct pipeline *p, uint32_t index)
{
    if (index == POOL_NONE)
        return;
    exponential_release(state_exponential(p, index));
    pool_give(&p->exponentials, index);
}

void details_drop_quantiles(struct pipeline *p, uint32_t index)
{
    struct quantiles *quantiles;

    if (index == POOL_NONE)
        return;
    quantiles = state_quantiles(p, index);
    free(quantiles->value);
    *quantiles = (struct quantiles){0};
    pool_give(&p->quantiles, index);
}
