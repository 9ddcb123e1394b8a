/*
 * What Mackerel must hold in the end, found in two ways, and what it does hold.
 *
 * The reference is a second, faultless run: the same records at the same receive times through a
 * fold that nothing happens to. Whatever it emits must be in Mackerel, value for value, and nothing
 * else; the gateway's two ledgers must say what the reference's do, each tick counted once.
 *
 * The truth (tests/sim/truth.h) knows no pipeline: it reads the senders' points.
 *
 * Where losses of power take records, the reference is the run of what survived. Mackerel may hold
 * instead, exactly, what had been closed with what is lost; the truth is not asked.
 */
#ifndef TESTS_SIM_ORACLE_H
#define TESTS_SIM_ORACLE_H

#include "base/ledger.h"
#include "pipeline/options.h"
#include "tests/sim/history.h"
#include "tests/sim/puts.h"
#include "tests/sim/senders.h"
#include "tests/sim/value_map.h"

#include <stdbool.h>
#include <stdint.h>

struct oracle_case {
    const struct history *history;
    const struct puts *puts; /* NULL: no record may be lost */
    const struct senders *senders;
    const struct value_map *mackerel;
    const struct point_ledger *points; /* as the gateway has them in the end */
    const struct value_ledger *values;
    const struct pipeline_options *options;
    uint64_t seed; /* of hashes */
    /* Minutes up to this one had no chance to be posted in time; 0: all had. Unix seconds. */
    uint64_t expired_until_s;
};

struct oracle_verdict {
    uint64_t lost, wrong,
        extra;        /* values: missing, other than they should be, not expected */
    uint64_t expired; /* missing, and rightly so */
    uint64_t unseen;  /* corrections to the same value: they may have expired as well */
    uint64_t strays;  /* closed with what a loss of power took */
    uint64_t posted;  /* right */
    uint64_t checked; /* against the truth as well */
    uint64_t sums;    /* totals that were compared over all minutes */
    uint64_t unbalanced; /* sums and ledgers that do not agree */
    char first[512];     /* the first finding in words; empty: all is right */
};

void oracle_judge(const struct oracle_case *given, struct oracle_verdict *verdict);

/* Notes a finding: the first one is kept. */
void oracle_find(struct oracle_verdict *verdict, uint64_t *count, const char *format, ...)
    PRINTF_LIKE(3, 4);

bool oracle_is_close(double a, double b);

#endif
