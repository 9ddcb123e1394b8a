/* Any bytes as an answer of the Mackerel API: every reader gets them. */
#include "proto/json_reader.h"
#include "proto/mackerel.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore_name(void *self, struct slice name)
{
    *(size_t *)self += name.len;
}

static void read_everything(struct slice json)
{
    struct mackerel_host hosts[2];
    size_t count = 0;
    uint64_t time = 0;
    char text[64];
    bool taken = mackerel_read_hosts(json, hosts, 2, &count, NULL);

    taken |= mackerel_read_services(json, ignore_name, &count, NULL);
    taken |= mackerel_read_id(json, text, sizeof text, NULL);
    taken |= mackerel_read_latest_time(json, &time, NULL);
    taken |= mackerel_read_error(json, text, sizeof text);

    /* What any reader takes is JSON. */
    struct json_reader reader;

    json_reader_init(&reader, json);
    if (taken && !(json_reader_skip(&reader) && json_reader_end(&reader)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice json = {(const char *)data, size};
    struct json_reader reader;
    struct slice raw;
    struct buffer text = {0};

    read_everything(json);
    json_reader_init(&reader, json);
    if (json_reader_string(&reader, &raw))
        json_unescape(raw, &text);
    buffer_release(&text);
    return 0;
}
