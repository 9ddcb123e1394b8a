#include "tests/sim/oracle.h"

#include "app/fold.h"
#include "tests/sim/truth.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

struct reference {
    struct value_map values;
    uint64_t closed; /* values, each time */
};

void oracle_find(struct oracle_verdict *verdict, uint64_t *count, const char *format, ...)
{
    va_list args;

    ++*count;
    if (verdict->first[0])
        return;
    va_start(args, format);
    vsnprintf(verdict->first, sizeof(verdict->first), format, args);
    va_end(args);
}

bool oracle_is_close(double a, double b)
{
    return fabs(a - b) <= 1e-9 * (1 + fabs(a) + fabs(b));
}

/* ---- the reference ----------------------------------------------------------------------- */

static void put(void *self, const struct mackerel_row *rows, size_t count,
                uint64_t tick_lsn)
{
    struct reference *reference = self;
    char destination[VALUE_MAP_DESTINATION_MAX];

    (void)tick_lsn;
    for (size_t i = 0; i < count; i++) {
        value_map_name(&rows[i].destination, destination);
        for (size_t j = 0; j < rows[i].count; j++)
            value_map_put(&reference->values, destination, rows[i].values[j].name,
                          rows[i].minute_s, rows[i].values[j].value);
        reference->closed += rows[i].count;
    }
}

static struct journal_record record_of(const struct history_record *kept, uint64_t lsn)
{
    return (struct journal_record){
        .kind = kept->kind,
        .lsn = lsn,
        .receive_ns = kept->receive_ns,
        .body = kept->request ? buffer_slice(&kept->request->body)
                              : buffer_slice(&kept->config),
    };
}

static struct fold *run(const struct oracle_case *given, struct reference *reference)
{
    struct fold *fold = fold_new(&(struct fold_options){
        .seed = given->seed,
        .initial = given->options,
        .put = put,
        .self = reference,
    });

    for (uint64_t lsn = 1; lsn <= given->history->last_lsn; lsn++) {
        const struct history_record *kept = history_at(given->history, lsn);

        if (kept) {
            struct journal_record record = record_of(kept, lsn);

            fold_apply(fold, &record, NULL);
        }
    }
    return fold;
}

/* ---- comparing --------------------------------------------------------------------------- */

/* Does a loss of power explain that `want` is missing (got is NULL) or another value? */
static bool is_excused(const struct oracle_case *given, const struct value_entry *want,
                       const struct value_entry *got)
{
    if (!given->puts)
        return false;
    if (!got)
        return puts_has_stray_row(given->puts, want);
    return got->value != want->value && puts_has_stray(given->puts, got);
}

static bool is_poison(const char *name)
{
    return strstr(name, "poison") != NULL;
}

static void compare_entry(const struct oracle_case *given, const struct value_entry *want,
                          struct oracle_verdict *verdict)
{
    const struct value_entry *got = value_map_find(given->mackerel, want->destination,
                                                   slice_of(want->name), want->minute_s);

    if (is_poison(want->name)) {
        if (got)
            oracle_find(verdict, &verdict->extra, "poison was taken");
    } else if (want->minute_s <= given->expired_until_s &&
               (!got || got->value != want->value)) {
        verdict->expired++;
    } else if (is_excused(given, want, got)) {
        verdict->strays++;
    } else if (!got) {
        oracle_find(verdict, &verdict->lost, "lost: %s %s %" PRIu64 " should be %.17g",
                    want->destination, want->name, want->minute_s, want->value);
    } else if (got->value != want->value) {
        oracle_find(verdict, &verdict->wrong,
                    "wrong: %s %s %" PRIu64 " is %.17g, should be %.17g",
                    want->destination, want->name, want->minute_s, got->value,
                    want->value);
    } else {
        verdict->posted++;
        /* Of a correction that changed nothing Mackerel shows no trace. */
        if (want->minute_s <= given->expired_until_s && want->writes > got->writes)
            verdict->unseen += want->writes - got->writes;
    }
}

static void compare_values(const struct oracle_case *given,
                           const struct value_map *wanted, struct oracle_verdict *verdict)
{
    for (size_t i = 0; i < wanted->count; i++)
        compare_entry(given, &wanted->entries[i], verdict);
    for (size_t i = 0; i < given->mackerel->count; i++) {
        const struct value_entry *got = &given->mackerel->entries[i];

        if (value_map_find(wanted, got->destination, slice_of(got->name), got->minute_s))
            continue;
        if (given->puts && puts_has_stray(given->puts, got))
            verdict->strays++;
        else
            oracle_find(verdict, &verdict->extra,
                        "extra: %s %s %" PRIu64 " is %.17g, should not be there",
                        got->destination, got->name, got->minute_s, got->value);
    }
}

static void compare_count(struct oracle_verdict *verdict, const char *what, uint64_t got,
                          uint64_t want)
{
    if (got != want)
        oracle_find(verdict, &verdict->unbalanced,
                    "ledger: %s is %" PRIu64 ", should be %" PRIu64, what, got, want);
}

static void compare_ledgers(const struct oracle_case *given,
                            const struct point_ledger *points, uint64_t closed,
                            struct oracle_verdict *verdict)
{
    const struct value_ledger *values = given->values;

    compare_count(verdict, "received", given->points->received, points->received);
    compare_count(verdict, "merged", given->points->merged, points->merged);
    compare_count(verdict, "pending", given->points->pending, points->pending);
    for (int i = 0; i <= REASON_LAST; i++)
        compare_count(verdict, reason_name((enum reason)i),
                      given->points->reasons[i].count, points->reasons[i].count);
    if (!given
             ->puts) /* strays were closed as well, as often as the outbox committed them */
        compare_count(verdict, "closed", values->closed, closed);
    compare_count(verdict, "queued", values->queued, 0);
    for (int i = 0; i <= WITHHELD_LAST; i++)
        compare_count(verdict, withheld_name((enum withheld)i), values->withheld[i].count,
                      0);
    if (values->expired < verdict->expired ||
        values->expired > verdict->expired + verdict->unseen)
        oracle_find(verdict, &verdict->unbalanced,
                    "ledger: expired is %" PRIu64 ", should be %" PRIu64 " to %" PRIu64,
                    values->expired, verdict->expired,
                    verdict->expired + verdict->unseen);
}

void oracle_judge(const struct oracle_case *given, struct oracle_verdict *verdict)
{
    struct reference reference = {0};
    struct fold *fold = run(given, &reference);

    *verdict = (struct oracle_verdict){0};
    compare_values(given, &reference.values, verdict);
    compare_ledgers(given, pipeline_ledger(fold_pipeline(fold)), reference.closed,
                    verdict);
    if (!given->puts)
        truth_compare(given, verdict);
    fold_free(fold);
    value_map_release(&reference.values);
}
