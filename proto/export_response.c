#include "proto/export_response.h"

#include "base/utf8.h"

#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb-c.h>

void export_response_encode(uint64_t rejected, struct slice text, struct buffer *out)
{
    Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceResponse response;
    Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsPartialSuccess partial;
    struct buffer clean = {0};

    if (rejected == 0 && text.len == 0)
        return;
    opentelemetry__proto__collector__metrics__v1__export_metrics_service_response__init(
        &response);
    opentelemetry__proto__collector__metrics__v1__export_metrics_partial_success__init(
        &partial);
    utf8_sanitize(text, &clean);
    buffer_append_char(&clean, '\0');
    partial.rejected_data_points = (int64_t)rejected;
    partial.error_message = clean.ptr;
    response.partial_success = &partial;

    size_t len = protobuf_c_message_get_packed_size(&response.base);

    protobuf_c_message_pack(&response.base, (uint8_t *)buffer_reserve(out, len));
    out->len += len;
    buffer_release(&clean);
}
