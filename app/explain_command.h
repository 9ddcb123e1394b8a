/*
 * The verbs that rehearse: `explain FILE|-` and `test FILE...`.
 */
#ifndef APP_EXPLAIN_COMMAND_H
#define APP_EXPLAIN_COMMAND_H

#include "app/config.h"

#include <stddef.h>

/* Prints what the configuration makes of the requests in the files; returns an exit code. */
int explain_command(const struct config *config, const char *const *files, size_t count);

/* Runs the tests in the files; EXIT_FINE when all pass. */
int mapping_test_command(const struct config *config, const char *const *files,
                         size_t count);

#endif
