#include "receiver/intake.h"

#include <stdlib.h>

void intake_request_free(struct intake_request *request)
{
    if (!request)
        return;
    if (request->inflated != request->body)
        free(request->inflated);
    free(request->body);
    otlp_batch_free(request->batch);
    free(request);
}
