#include "app/journal_watch.h"

#include "base/log.h"

static const uint64_t CALM_NS = UINT64_C(10) * 1000000000;

enum journal_news journal_watch_look(struct journal_watch *watch,
                                     const struct journal_stats *stats,
                                     uint64_t monotonic_ns)
{
    bool refuses = stats->is_refusing || stats->refused != watch->refused;

    watch->refused = stats->refused;
    if (refuses) {
        watch->calm_from_ns = monotonic_ns;
        if (watch->is_refusing)
            return JOURNAL_NO_NEWS;
        watch->is_refusing = true;
        log_event(LOG_ERROR, "the journal takes no requests: senders shall try again",
                  LOG_TEXT("reason", stats->last_error));
        return JOURNAL_REFUSES;
    }
    if (!watch->is_refusing || monotonic_ns - watch->calm_from_ns < CALM_NS)
        return JOURNAL_NO_NEWS;
    watch->is_refusing = false;
    log_event(LOG_INFO, "the journal takes requests again",
              LOG_UINT("refused", stats->refused));
    return JOURNAL_TAKES_AGAIN;
}
