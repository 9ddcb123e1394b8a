#include "tests/sim/tally.h"

#include <inttypes.h>
#include <stdio.h>

static void add_verdict(struct oracle_verdict *sum, const struct oracle_verdict *one)
{
    sum->lost += one->lost;
    sum->wrong += one->wrong;
    sum->extra += one->extra;
    sum->expired += one->expired;
    sum->strays += one->strays;
    sum->posted += one->posted;
    sum->checked += one->checked;
    sum->sums += one->sums;
    sum->unbalanced += one->unbalanced;
}

static void add_senders(struct senders_stats *sum, const struct senders_stats *one)
{
    sum->requests += one->requests;
    sum->points += one->points;
    sum->attempts += one->attempts;
    sum->refused += one->refused;
    sum->unheard += one->unheard;
    sum->acknowledged += one->acknowledged;
    sum->given_up += one->given_up;
}

static void add_api(struct fake_api_stats *sum, const struct fake_api_stats *one)
{
    sum->requests += one->requests;
    sum->posts += one->posts;
    sum->values += one->values;
    sum->ignored += one->ignored;
    sum->late += one->late;
    sum->silent += one->silent;
    sum->poisoned += one->poisoned;
    for (size_t i = 0; i < sizeof(sum->refused) / sizeof(sum->refused[0]); i++)
        sum->refused[i] += one->refused[i];
}

static void add_numbers(struct world_result *sum, const struct world_result *one)
{
    sum->simulated_h += one->simulated_h;
    sum->kills += one->kills;
    sum->crashes += one->crashes;
    sum->recovery_kills += one->recovery_kills;
    sum->stops += one->stops;
    sum->lost_records += one->lost_records;
    sum->boots += one->boots;
    sum->acknowledged_points += one->acknowledged_points;
    sum->posted_values += one->posted_values;
    sum->skipped += one->skipped;
    sum->dropped += one->dropped;
    sum->expired += one->expired;
    sum->rejected += one->rejected;
    sum->replaced_records += one->replaced_records;
    sum->disk_calls += one->disk_calls;
    sum->failed_calls += one->failed_calls;
    sum->lost_sectors += one->lost_sectors;
    for (size_t i = 0; i <= REASON_LAST; i++)
        sum->reasons[i] += one->reasons[i];
}

void tally_add(struct tally *tally, const struct world_result *result)
{
    tally->seeds++;
    tally->failed += result->problem[0] != '\0';
    if (result->drain_s > tally->longest_drain_s)
        tally->longest_drain_s = result->drain_s;
    add_verdict(&tally->sum.verdict, &result->verdict);
    add_senders(&tally->sum.senders, &result->senders);
    add_api(&tally->sum.api, &result->api);
    process_add_stats(&tally->sum.process, &result->process);
    add_numbers(&tally->sum, result);
}

static void print(const char *what, uint64_t number)
{
    printf("  %-34s %12" PRIu64 "\n", what, number);
}

static void print_reasons(const struct world_result *sum)
{
    for (int i = 0; i <= REASON_LAST; i++)
        if (sum->reasons[i])
            printf("  %-8s %-25s %12" PRIu64 "\n",
                   reason_class((enum reason)i) == LEDGER_DROPPED ? "dropped" : "skipped",
                   reason_name((enum reason)i), sum->reasons[i]);
}

static void print_gateway(const struct world_result *sum)
{
    print("kills", sum->kills);
    print("  of them with the machine", sum->crashes);
    print("  of them while recovering", sum->recovery_kills);
    print("stops", sum->stops);
    print("starts", sum->boots);
    print("checkpoints written", sum->process.checkpoints);
    print("checkpoints that failed", sum->process.failed_checkpoints);
    print("checkpoints read", sum->process.loaded);
    print("records replayed", sum->process.replayed);
    print("outbox commits that failed", sum->process.failed_commits);
    print("files set aside", sum->process.bad_files);
    print("calls of the disk", sum->disk_calls);
    print("  of them failed", sum->failed_calls);
    print("sectors lost", sum->lost_sectors);
}

static void print_traffic(const struct world_result *sum)
{
    print("requests sent, repeats counted", sum->senders.attempts);
    print("  acknowledged", sum->senders.acknowledged);
    print("  refused, or nobody there", sum->senders.refused);
    print("  unheard (killed meanwhile)", sum->senders.unheard);
    print("bodies given up by senders", sum->senders.given_up);
    print("points acknowledged", sum->acknowledged_points);
    print_reasons(sum);
    print("requests to Mackerel", sum->api.requests);
    print("  without an answer", sum->api.silent);
    print("  that took effect late", sum->api.late);
    print("values delivered", sum->posted_values);
    print("values expired (over 24 h)", sum->expired);
    print("values rejected (poison)", sum->rejected);
}

void tally_print(const struct tally *tally)
{
    const struct world_result *sum = &tally->sum;

    print("seeds", tally->seeds);
    print("  failed", tally->failed);
    printf("  %-34s %12.1f\n", "hours simulated", sum->simulated_h);
    print_gateway(sum);
    print_traffic(sum);
    print("final values right", sum->verdict.posted);
    print("  of them checked by hand as well", sum->verdict.checked);
    print("totals conserved", sum->verdict.sums);
    if (sum->lost_records) {
        print("acknowledged records lost", sum->lost_records);
        print("values closed with them", sum->verdict.strays);
    }
    print("lost", sum->verdict.lost);
    print("doubled or not expected", sum->verdict.extra);
    print("wrong", sum->verdict.wrong);
    print("totals or ledgers off", sum->verdict.unbalanced);
    if (tally->longest_drain_s > 0)
        printf("  %-34s %12.1f\n", "longest drain after an outage, min",
               tally->longest_drain_s / 60);
}
