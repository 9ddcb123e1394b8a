/*
 * What an answer of the Mackerel API, or the lack of one, means for the values that were sent.
 * Pure: one table, no state. Sources: Mackerel API documentation (statuses of "Host metrics" and
 * "Service metrics"); where it is silent, what the official agents do.
 */
#ifndef EXPORTER_CLASSIFY_H
#define EXPORTER_CLASSIFY_H

#include <stdbool.h>
#include <stdint.h>

enum verdict {
    VERDICT_DELIVERED,         /* 2xx, whatever the body says */
    VERDICT_RETRY,             /* outage: the same request later, with backoff */
    VERDICT_RETRY_NEXT_MINUTE, /* 429: too many requests in this minute */
    VERDICT_AUTH,      /* 401, 403: the key or the address is refused; pause everything */
    VERDICT_NOT_FOUND, /* 404: the host or the service is gone; find it again */
    VERDICT_SPLIT,     /* 413: halve the request */
    VERDICT_BAD,       /* 400 and other refusals of the content: bisect */
    VERDICT_RESEND_ONCE, /* a kept connection died before answering: again, at once */
};

struct outcome {
    int curl;        /* CURLcode; 0 when an HTTP answer came */
    int status;      /* HTTP status; 0 without an answer */
    bool had_bytes;  /* at least one byte of an answer came */
    bool was_reused; /* the connection had served an earlier request */
    bool is_resend;  /* this request was already sent a second time */
    /* The answer of a question counts only if it can be Mackerel's; 2xx to a post is enough. */
    bool is_question, is_json;
};

struct judgement {
    enum verdict verdict;
    bool is_ambiguous; /* the request may have taken effect, or may do so later */
};

struct judgement classify(const struct outcome *outcome);

enum {
    /* Longest Retry-After that is believed: an hour. Nothing in Mackerel's habits is longer. */
    RETRY_AFTER_MAX_S = 3600,
    /* With an outage (5xx) it silences everything, so less is believed: values are worth most to
     * monitors for 20 minutes. */
    RETRY_AFTER_OUTAGE_MAX_S = 600,
};

/*
 * Seconds to wait for a Retry-After value (RFC 9110, 10.2.3: seconds or an HTTP-date), at most
 * RETRY_AFTER_MAX_S; 0 when there is none or it cannot be read.
 */
uint64_t retry_after_s(const char *value, uint64_t now_s);

#endif
