/*
 * Feeds many short histories, each to a pipeline of its own (feed.h says how and what is printed; the
 * object with the ledger ends each). Standard input has for each history
 *
 *   case WATCH_START_NS RELOAD_EVERY SERVICE|- LEN   and LEN bytes of rules behind the line's end
 *   request RECEIVE_NS LEN      and LEN bytes behind the line's end; any number of them
 *   end
 */
#include "base/memory.h"
#include "tests/driver/feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const uint64_t NS_PER_S = 1000000000;

enum {
    MAX_WORD = 256
};

/* The bytes behind the line that has just been read. */
static void read_bytes(struct buffer *into, size_t len)
{
    into->len = 0;
    if (getchar() != '\n')
        feed_fail("line", "longer than expected");
    if (len > 0 && fread(buffer_reserve(into, len), 1, len, stdin) != len)
        feed_fail("body", "shorter than announced");
    into->len = len;
}

static void read_request(struct feed *feed, struct buffer *body)
{
    uint64_t receive_ns;
    size_t len;

    if (scanf("%" SCNu64 " %zu", &receive_ns, &len) != 2)
        feed_fail("request", "no time and length");
    read_bytes(body, len);
    feed_request(feed, buffer_slice(body), receive_ns);
}

static void run_case(struct buffer *body)
{
    struct pipeline_options options = {.grace_ns = 15 * NS_PER_S,
                                       .lateness_ns = 300 * NS_PER_S};
    struct feed feed = {.seed = 1};
    char word[MAX_WORD], service[MAX_WORD];

    size_t len;

    if (scanf("%" SCNu64 " %" SCNu64 " %255s %zu", &options.watch_start_ns,
              &feed.reload_every, service, &len) != 4)
        feed_fail("case", "not four words");
    read_bytes(body, len);
    buffer_append_char(body, '\0');
    options.rules = body->ptr;
    if (strcmp(service, "-") != 0)
        options.default_service = service;
    feed_begin(&feed, &options);
    while (scanf("%255s", word) == 1 && strcmp(word, "end") != 0) {
        if (strcmp(word, "request") != 0)
            feed_fail("not a request", word);
        read_request(&feed, body);
    }
    feed_end(&feed);
    fflush(stdout);
}

int main(void)
{
    struct buffer body = {0};
    char word[MAX_WORD];

    while (scanf("%255s", word) == 1) {
        if (strcmp(word, "case") != 0)
            feed_fail("not a case", word);
        run_case(&body);
    }
    buffer_release(&body);
    return 0;
}
