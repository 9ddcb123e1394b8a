#include "app/journal_watch.h"

#include "base/log.h"

void journal_watch_look(struct journal_watch *watch, const struct journal_stats *stats)
{
    if (stats->is_refusing && !watch->was_refusing)
        log_event(LOG_ERROR, "the journal takes no requests: senders shall try again",
                  LOG_TEXT("reason", stats->last_error));
    else if (!stats->is_refusing && watch->was_refusing)
        log_event(LOG_INFO, "the journal takes requests again",
                  LOG_UINT("refused", stats->refused));
    watch->was_refusing = stats->is_refusing;
}
