/*
 * The command line: verbs and options.
 */
#ifndef APP_CLI_H
#define APP_CLI_H

#include "app/exit_code.h"

/* Runs the program; what it returns is its exit code (app/exit_code.h). */
int cli_main(int argc, char **argv);

#endif
