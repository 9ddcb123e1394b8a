#include "app/admin_request.h"

static const struct {
    const char *path;
    enum admin_page page;
} pages[] = {
    {"/livez", ADMIN_LIVE},
    {"/readyz", ADMIN_READY},
    /* What probes that are made for the OpenTelemetry Collector's health_check ask for. */
    {"/", ADMIN_READY},
    {"/metrics", ADMIN_METRICS},
    {"/status", ADMIN_STATUS},
};

/* Cuts off what comes before the space; false when there is none. */
static bool take_word(struct slice *line, struct slice *word)
{
    const char *space = line->len ? memchr(line->ptr, ' ', line->len) : NULL;

    if (!space)
        return false;
    *word = (struct slice){line->ptr, (size_t)(space - line->ptr)};
    line->ptr = space + 1;
    line->len -= word->len + 1;
    return word->len > 0;
}

static bool find_page(struct slice target, enum admin_page *page)
{
    const char *query = target.len ? memchr(target.ptr, '?', target.len) : NULL;

    if (query)
        target.len = (size_t)(query - target.ptr);
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (slice_is(target, pages[i].path)) {
            *page = pages[i].page;
            return true;
        }
    }
    return false;
}

static bool is_complete(struct slice head)
{
    return head.len >= 4 && memmem(head.ptr, head.len, "\r\n\r\n", 4);
}

static int parse_line(struct slice line, struct admin_request *request)
{
    struct slice method, target;
    enum admin_page page;

    if (!take_word(&line, &method) || !take_word(&line, &target))
        return 400;
    if (!slice_starts_with(line, "HTTP/"))
        return 400;
    if (!slice_starts_with(line, "HTTP/1."))
        return 505;
    if (!find_page(target, &page))
        return 404;
    if (!slice_is(method, "GET") && !slice_is(method, "HEAD"))
        return 405;
    *request = (struct admin_request){.page = page, .is_head = slice_is(method, "HEAD")};
    return 200;
}

int admin_request_parse(struct slice head, struct admin_request *request)
{
    const char *end;

    if (!is_complete(head))
        return head.len >= ADMIN_HEAD_MAX ? 431 : 0;
    end = memmem(head.ptr, head.len, "\r\n", 2);
    return parse_line((struct slice){head.ptr, (size_t)(end - head.ptr)}, request);
}
