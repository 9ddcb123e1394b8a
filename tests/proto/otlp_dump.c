/*
 * Prints what the decoder makes of OTLP bodies, one JSON object a line: for each file what was
 * counted, then every accepted point with everything that a batch says about it. Doubles are
 * printed as the hexadecimal bits, so that nothing is lost. For comparison with other parsers.
 *
 * Usage: otlp_dump [--gzip] file...
 */
#include "base/buffer.h"
#include "proto/gzip.h"
#include "proto/json_string.h"
#include "proto/otlp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MAX_BYTES = 64 << 20,
    SEED = 7
};

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void put_double(struct buffer *out, double value)
{
    buffer_printf(out, "\"%016" PRIx64 "\"", bits_of(value));
}

static void put_hash(struct buffer *out, const char *name, struct hash128 hash)
{
    buffer_printf(out, ",\"%s\":\"%016" PRIx64 "%016" PRIx64 "\"", name, hash.high,
                  hash.low);
}

static void put_hex(struct buffer *out, struct slice bytes)
{
    buffer_append_char(out, '"');
    for (size_t i = 0; i < bytes.len; i++)
        buffer_printf(out, "%02x", (unsigned char)bytes.ptr[i]);
    buffer_append_char(out, '"');
}

static void put_value(struct buffer *out, const struct otlp_attribute *attribute)
{
    struct buffer text = {0};

    switch (attribute->kind) {
    case OTLP_VALUE_EMPTY: buffer_append_text(out, "null"); break;
    case OTLP_VALUE_BOOL:
        buffer_append_text(out, attribute->as_bool ? "true" : "false");
        break;
    case OTLP_VALUE_INT: buffer_printf(out, "\"%" PRId64 "\"", attribute->as_int); break;
    case OTLP_VALUE_DOUBLE: put_double(out, attribute->as_double); break;
    case OTLP_VALUE_STRING: json_string_append(out, attribute->text); break;
    case OTLP_VALUE_BYTES: put_hex(out, attribute->text); break;
    case OTLP_VALUE_ARRAY:
    case OTLP_VALUE_KVLIST:
        otlp_attribute_text(attribute, &text);
        json_string_append(out, buffer_slice(&text));
        buffer_release(&text);
        break;
    }
}

static void put_attributes(struct buffer *out, const char *name,
                           struct otlp_attributes walk)
{
    struct otlp_attribute attribute;
    const char *separator = "";

    buffer_printf(out, ",\"%s\":[", name);
    while (otlp_attributes_next(&walk, &attribute)) {
        buffer_printf(out, "%s[", separator);
        json_string_append(out, attribute.key);
        buffer_printf(out, ",%d,", (int)attribute.kind);
        put_value(out, &attribute);
        buffer_append_char(out, ']');
        separator = ",";
    }
    buffer_append_char(out, ']');
}

static void put_text(struct buffer *out, const char *name, struct slice text)
{
    buffer_printf(out, ",\"%s\":", name);
    json_string_append(out, text);
}

static void put_optional(struct buffer *out, const char *name, bool has, double value)
{
    if (!has)
        return;
    buffer_printf(out, ",\"%s\":", name);
    put_double(out, value);
}

static void put_histogram(struct buffer *out, const struct otlp_histogram *histogram)
{
    put_optional(out, "sum", histogram->has_sum, histogram->sum);
    put_optional(out, "min", histogram->has_min, histogram->min);
    put_optional(out, "max", histogram->has_max, histogram->max);
    buffer_append_text(out, ",\"buckets\":[");
    for (uint32_t i = 0; i < histogram->bucket_count; i++)
        buffer_printf(out, "%s%" PRIu64, i ? "," : "", otlp_bucket(histogram, i));
    buffer_append_text(out, "],\"bounds\":[");
    for (uint32_t i = 0; i < histogram->bound_count; i++) {
        if (i)
            buffer_append_char(out, ',');
        put_double(out, otlp_bound(histogram, i));
    }
    buffer_append_char(out, ']');
}

/* Pairs of index and count; empty buckets are left out. */
static void put_side(struct buffer *out, const char *name,
                     const struct otlp_buckets *buckets)
{
    struct otlp_buckets_walk walk = otlp_buckets_walk(buckets);
    struct otlp_bucket bucket;
    const char *separator = "";

    buffer_printf(out, ",\"%s\":[%" PRIu32 ",[", name, buckets->count);
    while (otlp_buckets_next(&walk, &bucket)) {
        buffer_printf(out, "%s[%" PRId64 ",%" PRIu64 "]", separator, bucket.index,
                      bucket.count);
        separator = ",";
    }
    buffer_append_text(out, "]]");
}

static void put_exponential(struct buffer *out,
                            const struct otlp_exponential *exponential)
{
    put_optional(out, "sum", exponential->has_sum, exponential->sum);
    put_optional(out, "min", exponential->has_min, exponential->min);
    put_optional(out, "max", exponential->has_max, exponential->max);
    put_optional(out, "zero_threshold", true, exponential->zero_threshold);
    buffer_printf(out, ",\"scale\":%" PRId32 ",\"zero_count\":%" PRIu64,
                  exponential->scale, exponential->zero_count);
    put_side(out, "positive", &exponential->positive);
    put_side(out, "negative", &exponential->negative);
}

static void put_summary(struct buffer *out, const struct otlp_summary *summary)
{
    struct otlp_quantiles_walk walk = otlp_quantiles_walk(summary);
    struct otlp_quantile quantile;
    const char *separator = "";

    put_optional(out, "sum", true, summary->sum);
    buffer_append_text(out, ",\"quantiles\":[");
    while (otlp_quantiles_next(&walk, &quantile)) {
        buffer_printf(out, "%s[", separator);
        put_double(out, quantile.quantile);
        buffer_append_char(out, ',');
        put_double(out, quantile.value);
        buffer_append_char(out, ']');
        separator = ",";
    }
    buffer_append_char(out, ']');
}

static void put_number(struct buffer *out, const struct otlp_point *point)
{
    buffer_printf(out, ",\"type\":%d", point->value_type);
    if (point->value_type == OTLP_INT) {
        buffer_printf(out, ",\"value\":%" PRId64, point->as_int);
    } else if (point->value_type == OTLP_DOUBLE) {
        buffer_append_text(out, ",\"value\":");
        put_double(out, point->as_double);
    }
}

static void put_point(struct buffer *out, const struct otlp_batch *batch,
                      const struct otlp_point *point)
{
    const struct otlp_metric *metric = &batch->metrics[point->metric];
    const struct otlp_scope *scope = &batch->scopes[metric->scope];

    buffer_printf(out, "{\"start\":%" PRIu64 ",\"time\":%" PRIu64 ",\"flags\":%d",
                  point->start_ns, point->time_ns, point->flags);
    buffer_printf(out, ",\"kind\":%d,\"temporality\":%d,\"monotonic\":%s", metric->kind,
                  metric->temporality, metric->monotonic ? "true" : "false");
    put_text(out, "name", metric->name);
    put_text(out, "unit", metric->unit);
    put_text(out, "description", metric->description);
    put_text(out, "scope", scope->name);
    put_text(out, "version", scope->version);
    put_hash(out, "stream", point->stream);
    put_hash(out, "family", metric->hash);
    put_attributes(out, "resource",
                   otlp_resource_attributes(&batch->resources[scope->resource]));
    put_attributes(out, "scope_attributes", otlp_scope_attributes(scope));
    put_attributes(out, "attributes", otlp_point_attributes(point, metric->kind));
    if (metric->kind == OTLP_GAUGE || metric->kind == OTLP_SUM)
        put_number(out, point);
    else
        buffer_printf(out, ",\"count\":%" PRIu64, point->count);
    if (metric->kind == OTLP_HISTOGRAM)
        put_histogram(out, &batch->histograms[point->detail]);
    else if (metric->kind == OTLP_EXPONENTIAL_HISTOGRAM)
        put_exponential(out, &batch->exponentials[point->detail]);
    else if (metric->kind == OTLP_SUMMARY)
        put_summary(out, &batch->summaries[point->detail]);
    buffer_append_text(out, "}\n");
}

static void put_batch(struct buffer *out, const struct otlp_batch *batch)
{
    const char *separator = "";

    buffer_printf(out,
                  "{\"ok\":true,\"total\":%" PRIu64 ",\"rejected\":%" PRIu64
                  ",\"unknown\":%" PRIu64 ",\"points\":%zu,\"refused\":{",
                  batch->total, batch->rejected, batch->unknown_metrics,
                  batch->point_count);
    for (unsigned i = 0; i <= REASON_LAST; i++) {
        if (batch->refused[i]) {
            buffer_printf(out, "%s\"%s\":%" PRIu32, separator,
                          reason_name((enum reason)i), batch->refused[i]);
            separator = ",";
        }
    }
    buffer_append_text(out, "}}\n");
    for (size_t i = 0; i < batch->point_count; i++)
        put_point(out, batch, &batch->points[i]);
}

static struct buffer read_file(const char *path)
{
    enum {
        CHUNK_BYTES = 65536
    };
    struct buffer content = {0};
    FILE *file = fopen(path, "rb");
    size_t got;

    if (!file) {
        perror(path);
        exit(1);
    }
    while ((got = fread(buffer_reserve(&content, CHUNK_BYTES), 1, CHUNK_BYTES, file)) > 0)
        content.len += got;
    fclose(file);
    return content;
}

static void dump(struct otlp_batch *batch, struct slice body, struct buffer *out)
{
    struct error err;

    if (otlp_decode(batch, body, SEED, NULL, &err))
        put_batch(out, batch);
    else
        buffer_append_text(out, "{\"ok\":false}\n");
}

static void dump_gzip(struct otlp_batch *batch, struct slice packed, struct buffer *out)
{
    char *body;
    size_t len;
    struct error err;

    if (!gzip_inflate(packed, MAX_BYTES, &body, &len, &err)) {
        buffer_append_text(out, "{\"ok\":false}\n");
        return;
    }
    dump(batch, (struct slice){body, len}, out);
    free(body);
}

int main(int argc, char **argv)
{
    struct otlp_batch *batch = otlp_batch_new();
    bool gzip = argc > 1 && strcmp(argv[1], "--gzip") == 0;

    for (int i = gzip ? 2 : 1; i < argc; i++) {
        struct buffer content = read_file(argv[i]), out = {0};

        if (gzip)
            dump_gzip(batch, buffer_slice(&content), &out);
        else
            dump(batch, buffer_slice(&content), &out);
        fwrite(out.ptr, 1, out.len, stdout);
        buffer_release(&content);
        buffer_release(&out);
    }
    otlp_batch_free(batch);
    return 0;
}
