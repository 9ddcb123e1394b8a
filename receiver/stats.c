#include "receiver/stats.h"

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void stats_sum(const struct stats *stats, struct receiver_stats *sum)
{
    sum->connections_open += read_counter(&stats->connections_open);
    sum->connections_total += read_counter(&stats->connections_total);
    sum->connections_refused += read_counter(&stats->connections_refused);
    for (int transport = 0; transport < RECEIVER_TRANSPORTS; transport++)
        for (int outcome = 0; outcome < RECEIVER_OUTCOMES; outcome++)
            sum->requests[transport][outcome] += read_counter(
                &stats->requests[transport][outcome]);
    sum->partial_successes += read_counter(&stats->partial_successes);
    sum->cancelled += read_counter(&stats->cancelled);
    sum->body_bytes += read_counter(&stats->body_bytes);
    sum->inflated_bytes += read_counter(&stats->inflated_bytes);
    sum->protocol_errors += read_counter(&stats->protocol_errors);
    sum->timeouts += read_counter(&stats->timeouts);
    sum->tls_hellos += read_counter(&stats->tls_hellos);
    sum->other_signals += read_counter(&stats->other_signals);
}
