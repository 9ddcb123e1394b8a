#include "proto/otlp_text.h"

#include "base/number.h"
#include "base/utf8.h"
#include "proto/base64.h"
#include "proto/json_string.h"

#include <inttypes.h>
#include <math.h>

static void append_double(struct buffer *out, double number, const char *quote)
{
    if (isfinite(number)) {
        out->len += number_format(number, buffer_reserve(out, NUMBER_TEXT_MAX));
        return;
    }
    buffer_printf(out, "%s%s%s", quote,
                  isnan(number) ? "NaN"
                  : number > 0  ? "Infinity"
                                : "-Infinity",
                  quote);
}

/*
 * The decoder refuses what nests deeper than its limit, so this bound is never reached by a point
 * that was taken; it keeps the recursion safe by itself.
 */
static void append_json(struct buffer *out, const struct otlp_value *value,
                        unsigned depth);

static void append_array(struct buffer *out, const struct otlp_value *array,
                         unsigned depth)
{
    struct otlp_elements elements = otlp_value_elements(array);
    struct otlp_value value;
    struct slice element;
    const char *separator = "[";

    while (otlp_elements_next(&elements, &element) &&
           otlp_value_of_element(element, &value)) {
        buffer_append_text(out, separator);
        append_json(out, &value, depth + 1);
        separator = ",";
    }
    buffer_append_text(out, *separator == '[' ? "[]" : "]");
}

static void append_map(struct buffer *out, const struct otlp_value *map, unsigned depth)
{
    struct otlp_elements elements = otlp_value_elements(map);
    struct otlp_value value;
    struct slice element, key;
    const char *separator = "{";

    while (otlp_elements_next(&elements, &element) &&
           otlp_value_of_attribute(element, &key, &value)) {
        buffer_append_text(out, separator);
        json_string_append(out, key);
        buffer_append_char(out, ':');
        append_json(out, &value, depth + 1);
        separator = ",";
    }
    buffer_append_text(out, *separator == '{' ? "{}" : "}");
}

static void append_json(struct buffer *out, const struct otlp_value *value,
                        unsigned depth)
{
    if (depth > OTLP_MAX_DEPTH) {
        buffer_append_text(out, "null");
        return;
    }
    switch (value->kind) {
    case OTLP_VALUE_EMPTY: buffer_append_text(out, "null"); break;
    case OTLP_VALUE_STRING: json_string_append(out, value->text); break;
    case OTLP_VALUE_DOUBLE: append_double(out, value->as_double, "\""); break;
    case OTLP_VALUE_ARRAY: append_array(out, value, depth); break;
    case OTLP_VALUE_KVLIST: append_map(out, value, depth); break;
    case OTLP_VALUE_BYTES:
        buffer_append_char(out, '"');
        base64_append(out, value->text, BASE64_PADDED);
        buffer_append_char(out, '"');
        break;
    case OTLP_VALUE_BOOL:
    case OTLP_VALUE_INT: otlp_text_append(out, value); break;
    }
}

void otlp_text_append(struct buffer *out, const struct otlp_value *value)
{
    switch (value->kind) {
    case OTLP_VALUE_EMPTY: break;
    case OTLP_VALUE_STRING: utf8_sanitize(value->text, out); break;
    case OTLP_VALUE_BOOL:
        buffer_append_text(out, value->as_bool ? "true" : "false");
        break;
    case OTLP_VALUE_INT: buffer_printf(out, "%" PRId64, value->as_int); break;
    case OTLP_VALUE_DOUBLE: append_double(out, value->as_double, ""); break;
    case OTLP_VALUE_BYTES: base64_append(out, value->text, BASE64_PADDED); break;
    case OTLP_VALUE_ARRAY:
    case OTLP_VALUE_KVLIST: append_json(out, value, 0); break;
    }
}
