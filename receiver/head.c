#include "receiver/head.h"

#include <stddef.h>
#include <string.h>

static const struct {
    struct slice name;
    size_t offset;
} fields[] = {
    {SLICE(":method"), offsetof(struct head, method)},
    {SLICE(":path"), offsetof(struct head, path)},
    {SLICE("content-type"), offsetof(struct head, content_type)},
    {SLICE("content-encoding"), offsetof(struct head, content_encoding)},
    {SLICE("content-length"), offsetof(struct head, content_length)},
    {SLICE("expect"), offsetof(struct head, expect)},
    {SLICE("grpc-encoding"), offsetof(struct head, grpc_encoding)},
    {SLICE("grpc-timeout"), offsetof(struct head, grpc_timeout)},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool equal_lower(struct slice value, struct slice wanted)
{
    if (value.len != wanted.len)
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (lower(value.ptr[i]) != wanted.ptr[i])
            return false;
    return true;
}

bool head_is(struct slice value, const char *wanted)
{
    return equal_lower(value, slice_of(wanted));
}

void head_value_append(struct head_value *value, struct slice text)
{
    size_t room = HEAD_VALUE_MAX - value->len;

    value->present = true;
    if (text.len > room) {
        value->cut = true;
        text.len = room;
    }
    if (text.len == 0)
        return;
    memcpy(value->text + value->len, text.ptr, text.len);
    value->len = (uint16_t)(value->len + text.len);
}

static struct slice trim(struct slice text)
{
    while (text.len > 0 && (*text.ptr == ' ' || *text.ptr == '\t'))
        text = (struct slice){text.ptr + 1, text.len - 1};
    while (text.len > 0 &&
           (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

void head_add(struct head *head, struct slice name, struct slice value)
{
    if (head_is(name, "host") || slice_is(name, ":authority")) {
        head->host_count++;
        return;
    }
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (!equal_lower(name, fields[i].name))
            continue;

        struct head_value *place = (void *)((char *)head + fields[i].offset);

        if (place->present)
            head_value_append(place, (struct slice)SLICE(", "));
        head_value_append(place, trim(value));
        return;
    }
}

bool head_content_length(const struct head *head, uint64_t *length)
{
    struct slice text = head_slice(&head->content_length);
    uint64_t value = 0;

    if (!head->content_length.present)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || value > UINT64_MAX / 20) {
            value = UINT64_MAX;
            break;
        }
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *length = text.len == 0 ? UINT64_MAX : value;
    return true;
}
