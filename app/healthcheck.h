/*
 * The verb `healthcheck`: asks a running gateway's admin server whether it is alive or ready, for
 * images that have no shell.
 */
#ifndef APP_HEALTHCHECK_H
#define APP_HEALTHCHECK_H

#include <stdbool.h>

/*
 * GETs /livez, or /readyz, of the admin server at this endpoint; an endpoint on all addresses is
 * asked on loopback. False, with the reason on standard error, unless it answers 200 within 3 s.
 */
bool healthcheck_run(const char *endpoint, bool ready);

#endif
