#include "pipeline/roles.h"

#include "pipeline/name.h"

/* What surrounds a member: blanks, and an array's brackets and quotes. */
static bool is_around(char c)
{
    return c == ' ' || c == '\t' || c == '[' || c == ']' || c == '"';
}

static struct slice trim(struct slice text)
{
    while (text.len && is_around(text.ptr[0]))
        text = (struct slice){text.ptr + 1, text.len - 1};
    while (text.len && is_around(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* Cuts what stands before the first `end`, or all, off the text. */
static struct slice cut(struct slice *text, char end)
{
    const char *at = text->len ? memchr(text->ptr, end, text->len) : NULL;
    struct slice head = {text->ptr, at ? (size_t)(at - text->ptr) : text->len};
    size_t taken = head.len + (at ? 1 : 0);

    *text = (struct slice){text->ptr + taken, text->len - taken};
    return head;
}

void roles_append_one(struct buffer *out, struct slice service, struct slice role)
{
    if (service.len == 0 || role.len == 0)
        return;
    name_append_service(out, service);
    buffer_append_char(out, ':');
    name_append_service(out, role);
}

void roles_append(struct buffer *out, struct slice list)
{
    size_t begin = out->len;

    while (list.len) {
        struct slice role = cut(&list, ',');
        struct slice service = trim(cut(&role, ':'));
        size_t before = out->len;

        if (before > begin)
            buffer_append_char(out, ',');
        roles_append_one(out, service, trim(role));
        if (out->len == before + (before > begin))
            out->len = before;
    }
}
