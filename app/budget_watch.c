#include "app/budget_watch.h"

static const uint64_t INTERVAL_NS = UINT64_C(600) * 1000000000;

/* Has it risen since the last look, and may it be said? */
static bool is_news(struct budget_watch *watch, enum budget_news news, uint64_t value,
                    uint64_t monotonic_ns)
{
    bool has_risen = value > watch->seen[news];
    uint64_t held_back;

    watch->seen[news] = value;
    watch->limits[news].interval_ns = INTERVAL_NS;
    watch->limits[news].burst = 1;
    return has_risen && log_limit_allows(&watch->limits[news], monotonic_ns, &held_back);
}

static void say_near(const struct pipeline_budget_use *use)
{
    const struct pipeline_near *near = &use->near[0];

    log_event(
        LOG_WARN, "a destination has 80 % of the metric names that its budget allows",
        LOG_TEXT("kind", near->is_host ? "host" : "service"),
        LOG_TEXT("name", near->destination), LOG_UINT("names", near->names),
        LOG_UINT("budget", near->budget), LOG_UINT("destinations", use->near_count));
}

static void say_reason(const struct point_ledger *ledger, enum reason reason,
                       const char *message)
{
    log_event(LOG_WARN, message, LOG_TEXT("metric", ledger->reasons[reason].example),
              LOG_UINT("points", ledger->reasons[reason].count));
}

static void say(enum budget_news news, const struct pipeline_budget_use *use,
                const struct pipeline_counts *counts, const struct point_ledger *ledger)
{
    switch (news) {
    case BUDGET_NEAR: say_near(use); break;
    case BUDGET_OVER:
        say_reason(ledger, REASON_OVER_BUDGET,
                   "new metric names are over budget and not posted (budgets.*)");
        break;
    case BUDGET_COLLAPSED:
        log_event(LOG_WARN,
                  "new values of kept attributes go to `other`: there are too many",
                  LOG_UINT("series", counts->collapsed));
        break;
    case BUDGET_COLLISION:
        say_reason(ledger, REASON_NAME_COLLISION,
                   "two metrics would be posted under one name: the later one is not");
        break;
    }
}

unsigned budget_watch_look(struct budget_watch *watch,
                           const struct pipeline_budget_use *use,
                           const struct pipeline_counts *counts,
                           const struct point_ledger *ledger, uint64_t monotonic_ns)
{
    const uint64_t values[] = {
        [BUDGET_NEAR] = use->near_count,
        [BUDGET_OVER] = ledger->reasons[REASON_OVER_BUDGET].count,
        [BUDGET_COLLAPSED] = counts->collapsed,
        [BUDGET_COLLISION] = ledger->reasons[REASON_NAME_COLLISION].count,
    };
    unsigned said = 0;

    for (int news = 0; news <= BUDGET_NEWS_LAST; news++)
        if (is_news(watch, (enum budget_news)news, values[news], monotonic_ns)) {
            say((enum budget_news)news, use, counts, ledger);
            said |= 1U << news;
        }
    return said;
}
