/*
 * Any bytes as a saved pipeline. What loads must be usable: it goes on with requests and ticks, and
 * can be saved before and after.
 */
#include "pipeline/checkpoint.h"
#include "tests/pipeline/story.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool cut(void *self, char *to, size_t len)
{
    struct slice *rest = self;

    if (rest->len < len)
        return false;
    if (len)
        memcpy(to, rest->ptr, len);
    *rest = (struct slice){rest->ptr + len, rest->len - len};
    return true;
}

static bool count(void *self, struct slice bytes)
{
    *(size_t *)self += bytes.len;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct error err;
    size_t bytes = 0;
    struct pipeline *pipeline = pipeline_load(cut, &rest, &err);

    if (!pipeline)
        return 0;
    if (!pipeline_save(pipeline, count, &bytes) || bytes == 0)
        abort();
    story_survive(pipeline);
    return 0;
}
