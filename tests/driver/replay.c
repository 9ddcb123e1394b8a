/*
 * Feeds recorded OTLP to the pipeline (feed.h says how and what is printed).
 *
 *   replay [--watch-start NS] [--grace NS] [--service NAME] [--native-policy TEXT] [--seed N] [--reload N]
 *          [--containers MODE] [--rules TEXT] < index
 *
 * With --reload the pipeline is saved and loaded again before every N-th request.
 *
 * Each line of the index is `receive_ns path coding` with coding `identity` or `gzip`; times rise.
 */
#include "base/memory.h"
#include "pipeline/container_table.h"
#include "proto/gzip.h"
#include "tests/driver/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t NS_PER_S = 1000000000, MAX_INFLATED = 64u << 20;

static struct buffer read_file(const char *path)
{
    struct buffer body = {0};
    FILE *file = fopen(path, "rb");
    size_t got;

    if (!file)
        feed_fail(path, strerror(errno));
    while ((got = fread(buffer_reserve(&body, 65536), 1, 65536, file)) > 0)
        body.len += got;
    fclose(file);
    return body;
}

static void feed_file(struct feed *feed, uint64_t receive_ns, const char *path,
                      bool is_gzip)
{
    struct buffer body = read_file(path);
    struct error err;
    struct slice bytes = buffer_slice(&body);
    char *inflated = NULL;

    if (is_gzip) {
        if (!gzip_inflate(bytes, MAX_INFLATED, &inflated, &bytes.len, &err))
            feed_fail(path, err.text);
        bytes.ptr = inflated;
    }
    feed_request(feed, bytes, receive_ns);
    buffer_release(&body);
    free(inflated);
}

static void run(struct feed *feed)
{
    char path[4096], coding[16];
    uint64_t receive_ns;

    while (scanf("%" SCNu64 " %4095s %15s", &receive_ns, path, coding) == 3)
        feed_file(feed, receive_ns, path, strcmp(coding, "gzip") == 0);
}

int main(int argc, char **argv)
{
    struct pipeline_options options = {.grace_ns = 15 * NS_PER_S,
                                       .lateness_ns = 300 * NS_PER_S};
    struct feed feed = {.seed = 1};

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--watch-start") == 0)
            options.watch_start_ns = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--grace") == 0)
            options.grace_ns = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--service") == 0)
            options.default_service = argv[i + 1];
        else if (strcmp(argv[i], "--containers") == 0)
            options.container_mode = (uint8_t)container_mode_of(slice_of(argv[i + 1]));
        else if (strcmp(argv[i], "--native-policy") == 0)
            options.native_policy = argv[i + 1];
        else if (strcmp(argv[i], "--rules") == 0)
            options.rules = argv[i + 1];
        else if (strcmp(argv[i], "--seed") == 0)
            feed.seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--reload") == 0)
            feed.reload_every = strtoull(argv[i + 1], NULL, 10);
        else
            feed_fail("unknown option", argv[i]);
    }
    feed_begin(&feed, &options);
    run(&feed);
    feed_end(&feed);
    return 0;
}
