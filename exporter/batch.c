#include "exporter/batch.h"

size_t batch_write(const struct batch_entry *entries, size_t count,
                   const struct batch_limits *limits, struct buffer *body)
{
    size_t start = body->len, written = 0;

    buffer_append_char(body, '[');
    while (written < count && (limits->max_values == 0 || written < limits->max_values)) {
        const struct batch_entry *entry = &entries[written];
        size_t before = body->len;

        if (written)
            buffer_append_char(body, ',');
        mackerel_write_value(body, entry->host_id, entry->item->name,
                             entry->item->minute_s, entry->item->value);
        if (written && body->len + 1 - start > limits->max_bytes) {
            body->len = before;
            break;
        }
        written++;
    }
    buffer_append_char(body, ']');
    return written;
}

size_t batch_halve(size_t count)
{
    return count / 2;
}

static bool is_change_of_host(const struct batch_entry *entries, size_t at)
{
    return !slice_equal(entries[at - 1].host_id, entries[at].host_id);
}

size_t batch_host_cut(const struct batch_entry *entries, size_t count)
{
    size_t middle = count / 2;

    for (size_t off = 0; off < count; off++) {
        if (middle >= off + 1 && is_change_of_host(entries, middle - off))
            return middle - off;
        if (middle + off >= 1 && middle + off < count &&
            is_change_of_host(entries, middle + off))
            return middle + off;
    }
    return 0;
}

size_t batch_service_bytes(size_t bytes, unsigned posts)
{
    size_t share = posts ? bytes / posts + 1 : bytes;

    if (share < BATCH_BYTES)
        return BATCH_BYTES;
    return share > BATCH_SERVICE_BYTES_MAX ? BATCH_SERVICE_BYTES_MAX : share;
}
