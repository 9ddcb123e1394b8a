/*
 * What the process ends with; 64 and above follow sysexits.h where it has a name for it.
 */
#ifndef APP_EXIT_CODE_H
#define APP_EXIT_CODE_H

enum exit_code {
    EXIT_FINE = 0,
    EXIT_UNHEALTHY = 1,    /* healthcheck */
    EXIT_USAGE = 64,       /* command line */
    EXIT_UNAVAILABLE = 69, /* cannot bind, or the state directory is in use */
    EXIT_INTERNAL = 70,
    EXIT_QUEUED = 75, /* stopped with values that are in memory only */
    EXIT_CONFIG = 78,
};

#endif
