/*
 * The command line: verbs, options, exit codes.
 *
 * Exit codes follow sysexits.h where it has one: 0 fine, 1 unhealthy (healthcheck), 64 usage,
 * 69 cannot bind, 70 internal, 75 stopped with values still queued, 78 configuration.
 */
#ifndef APP_CLI_H
#define APP_CLI_H

enum exit_code {
    EXIT_FINE = 0,
    EXIT_UNHEALTHY = 1,
    EXIT_USAGE = 64,
    EXIT_UNAVAILABLE = 69,
    EXIT_INTERNAL = 70,
    EXIT_QUEUED = 75,
    EXIT_CONFIG = 78,
};

int cli_main(int argc, char **argv);

#endif
