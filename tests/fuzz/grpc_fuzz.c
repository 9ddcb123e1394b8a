/* Any bytes as gRPC prefix, timeout and status text. */
#include "proto/grpc.h"
#include "proto/rpc_status.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(struct slice text)
{
    struct buffer out = {0};

    grpc_message_encode(text, &out);
    if (out.len > GRPC_MESSAGE_MAX)
        abort();
    for (size_t i = 0; i < out.len; i++) {
        if (out.ptr[i] < 0x20 || out.ptr[i] > 0x7E)
            abort();
    }
    rpc_status_base64(3, text, 1500, &out);
    rpc_status_json(3, text, 1500, &out);
    buffer_release(&out);
}

static void check_prefix(const char *bytes)
{
    struct grpc_prefix prefix;
    char written[GRPC_PREFIX_BYTES];

    if (!grpc_prefix_read(bytes, &prefix, NULL))
        return;
    grpc_prefix_write(written, &prefix);
    if (memcmp(bytes, written, sizeof written) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    uint64_t timeout_ns = 0;

    if (size >= GRPC_PREFIX_BYTES)
        check_prefix(text.ptr);
    if (grpc_timeout_parse(text, &timeout_ns) && (size < 2 || size > 9))
        abort();
    check_message(text);
    return 0;
}
