#include "app/explain_command.h"

#include "app/config_pipeline.h"
#include "app/exit_code.h"
#include "app/explain.h"
#include "app/mapping_test.h"

#include <stdio.h>

static bool explain_file(struct rehearsal *rehearsal, const char *path,
                         struct buffer *body, struct buffer *out, struct error *err)
{
    struct error why;

    buffer_reset(body);
    if (!rehearsal_read_file(path, body, err))
        return false;
    if (!rehearsal_take(rehearsal, buffer_slice(body), &why))
        return FAIL(err, why.kind, "%s is no OTLP request in protobuf: %s", path,
                    why.text);
    explain_request(rehearsal, out);
    return true;
}

static int print(struct buffer *out)
{
    if (out->len)
        fwrite(out->ptr, 1, out->len, stdout);
    buffer_release(out);
    return fflush(stdout) == 0 ? EXIT_FINE : EXIT_INTERNAL;
}

int explain_command(const struct config *config, const char *const *files, size_t count)
{
    const struct pipeline_options options = config_pipeline(config);
    struct rehearsal *rehearsal = rehearsal_new(&options, NULL, NULL);
    struct buffer body = {0}, out = {0};
    struct error err;
    size_t i = 0;

    while (i < count && explain_file(rehearsal, files[i], &body, &out, &err))
        i++;
    if (i == count)
        explain_cost(rehearsal_pipeline(rehearsal), &out);
    else
        fprintf(stderr, "explain: %s\n", err.text);
    rehearsal_free(rehearsal);
    buffer_release(&body);

    int code = print(&out);

    return i == count ? code : EXIT_USAGE;
}

int mapping_test_command(const struct config *config, const char *const *files,
                         size_t count)
{
    const struct pipeline_options options = config_pipeline(config);
    struct mapping_results results = {0};
    struct buffer out = {0};
    struct error err;
    bool is_run = true;

    for (size_t i = 0; i < count && is_run; i++)
        is_run = mapping_test_run(files[i], &options, &results, &out, &err);
    if (is_run)
        buffer_printf(&out, "%zu passed, %zu failed\n", results.passed, results.failed);
    else
        fprintf(stderr, "test: %s\n", err.text);

    int code = print(&out);

    if (!is_run)
        return EXIT_USAGE;
    return results.failed ? EXIT_UNHEALTHY : code;
}
