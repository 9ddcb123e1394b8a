#include "base/number.h"
#include "proto/json_string.h"
#include "proto/mackerel.h"

#include <inttypes.h>

static bool destination_slices_equal(const struct mackerel_destination *a,
                                     const struct mackerel_destination *b)
{
    return slice_equal(a->name, b->name) && slice_equal(a->host_id, b->host_id) &&
           slice_equal(a->custom_identifier, b->custom_identifier);
}

bool mackerel_destination_equal(const struct mackerel_destination *a,
                                const struct mackerel_destination *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind == MACKEREL_SERVICE ? slice_equal(a->name, b->name)
                                       : destination_slices_equal(a, b);
}

void mackerel_write_string(struct buffer *out, struct slice text)
{
    json_string_append(out, text);
}

void mackerel_write_value(struct buffer *out, struct slice host_id, struct slice name,
                          uint64_t time_s, double value)
{
    buffer_append_char(out, '{');
    if (host_id.len) {
        buffer_append_text(out, "\"hostId\":");
        mackerel_write_string(out, host_id);
        buffer_append_char(out, ',');
    }
    buffer_append_text(out, "\"name\":");
    mackerel_write_string(out, name);
    buffer_printf(out, ",\"time\":%" PRIu64 ",\"value\":", time_s);
    out->len += number_format(value, buffer_reserve(out, NUMBER_TEXT_MAX));
    buffer_append_char(out, '}');
}

void mackerel_write_service(struct buffer *out, struct slice name)
{
    buffer_append_text(out, "{\"name\":");
    mackerel_write_string(out, name);
    buffer_append_text(out, ",\"memo\":\"\"}");
}

/* The members of a comma list, blanks around them cut, as a JSON array. */
static void append_list(struct buffer *out, struct slice list)
{
    const char *separator = "";

    buffer_append_char(out, '[');
    while (list.len) {
        const char *comma = memchr(list.ptr, ',', list.len);
        size_t len = comma ? (size_t)(comma - list.ptr) : list.len;
        struct slice one = {list.ptr, len};

        while (one.len && one.ptr[0] == ' ')
            one = (struct slice){one.ptr + 1, one.len - 1};
        while (one.len && one.ptr[one.len - 1] == ' ')
            one.len--;
        if (one.len) {
            buffer_append_text(out, separator);
            mackerel_write_string(out, one);
            separator = ",";
        }
        list = (struct slice){list.ptr + len, list.len - len};
        if (comma)
            list = (struct slice){list.ptr + 1, list.len - 1};
    }
    buffer_append_char(out, ']');
}

void mackerel_write_host(struct buffer *out, const struct mackerel_destination *host)
{
    buffer_append_text(out, "{\"name\":");
    mackerel_write_string(out, host->name);
    buffer_append_text(out, ",\"meta\":{");
    buffer_append(out, host->meta);
    buffer_append_char(out, '}');
    if (host->custom_identifier.len) {
        buffer_append_text(out, ",\"customIdentifier\":");
        mackerel_write_string(out, host->custom_identifier);
    }
    if (host->roles.len) {
        buffer_append_text(out, ",\"roleFullnames\":");
        append_list(out, host->roles);
    }
    buffer_append_char(out, '}');
}
