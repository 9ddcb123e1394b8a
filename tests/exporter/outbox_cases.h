/*
 * What every outbox does, whatever store stands behind it.
 */
#ifndef TESTS_EXPORTER_OUTBOX_CASES_H
#define TESTS_EXPORTER_OUTBOX_CASES_H

#include "exporter/outbox.h"

struct outbox_rig {
    struct outbox *(*make)(size_t max_bytes); /* a new, empty one */
    size_t room_for_a_dozen; /* bytes of about so many rows of one value */
    unsigned games;          /* random sequences to play */
};

/* Returns how many failed. */
int outbox_cases_run(const char *name, struct outbox_rig *rig);

#endif
