#include "proto/rpc_status.h"

#include "base/utf8.h"
#include "proto/base64.h"
#include "proto/json_string.h"

#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>

#include <stdint.h>

#define RETRY_INFO_URL "type.googleapis.com/google.rpc.RetryInfo"

/* RetryInfo{Duration} of any delay: two lengths, two tags, two varints. */
enum {
    RETRY_INFO_MAX = 32
};

static size_t pack_retry_info(unsigned retry_ms, uint8_t packed[static RETRY_INFO_MAX])
{
    Google__Protobuf__Duration delay;
    Google__Rpc__RetryInfo info;

    google__protobuf__duration__init(&delay);
    google__rpc__retry_info__init(&info);
    delay.seconds = retry_ms / 1000;
    delay.nanos = (int32_t)(retry_ms % 1000) * 1000000;
    info.retry_delay = &delay;
    return google__rpc__retry_info__pack(&info, packed);
}

void rpc_status_encode(int code, struct slice text, unsigned retry_ms, struct buffer *out)
{
    Google__Rpc__Status status;
    Google__Protobuf__Any any, *details[] = {&any};
    char url[] = RETRY_INFO_URL;
    uint8_t info[RETRY_INFO_MAX];
    struct buffer clean = {0};

    google__rpc__status__init(&status);
    google__protobuf__any__init(&any);
    utf8_sanitize(text, &clean);
    buffer_append_char(&clean, '\0');
    status.code = code;
    status.message = clean.ptr;
    if (retry_ms) {
        any.type_url = url;
        any.value = (ProtobufCBinaryData){pack_retry_info(retry_ms, info), info};
        status.details = details;
        status.n_details = 1;
    }

    size_t len = google__rpc__status__get_packed_size(&status);

    google__rpc__status__pack(&status, (uint8_t *)buffer_reserve(out, len));
    out->len += len;
    buffer_release(&clean);
}

void rpc_status_base64(int code, struct slice text, unsigned retry_ms, struct buffer *out)
{
    struct buffer packed = {0};

    rpc_status_encode(code, text, retry_ms, &packed);
    base64_append(out, buffer_slice(&packed), BASE64_UNPADDED);
    buffer_release(&packed);
}

void rpc_status_json(int code, struct slice text, unsigned retry_ms, struct buffer *out)
{
    buffer_printf(out, "{\"code\":%d,\"message\":", code);
    json_string_append(out, text);
    if (retry_ms) {
        buffer_append_text(out, ",\"details\":[{\"@type\":\"" RETRY_INFO_URL
                                "\",\"retryDelay\":\"");
        buffer_printf(out, "%u", retry_ms / 1000);
        if (retry_ms % 1000)
            buffer_printf(out, ".%03u", retry_ms % 1000);
        buffer_append_text(out, "s\"}]");
    }
    buffer_append_char(out, '}');
}
