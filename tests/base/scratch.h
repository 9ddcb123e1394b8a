/*
 * A directory under $TMPDIR for one test, removed with its files when the test is over.
 */
#ifndef TESTS_BASE_SCRATCH_H
#define TESTS_BASE_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

struct scratch {
    char path[256];
};

void scratch_make(struct scratch *scratch);
void scratch_remove(struct scratch *scratch);

/* The path of a file in it; valid until the next call with the same buffer. */
const char *scratch_path(const struct scratch *scratch, const char *name, char *buffer,
                         size_t bytes);

/* How many of its files have a name that ends so. */
size_t scratch_count(const struct scratch *scratch, const char *suffix);

#endif
