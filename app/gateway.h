/*
 * The program while it runs: wires receiver, engine, outbox, delivery and admin server together,
 * waits for a signal and takes them down in the order in which data flows, so that what was
 * accepted is applied, what is over is closed, and what is closed is posted while there is time.
 *
 * Ready when it has written "ready grpc=... http=... admin=..." on standard error.
 * SIGTERM, SIGINT and SIGHUP stop it; a second signal ends the process at once.
 */
#ifndef APP_GATEWAY_H
#define APP_GATEWAY_H

#include "app/config.h"
#include "app/exit_code.h"

/* Runs until a signal. */
enum exit_code gateway_run(const struct config *config);

#endif
