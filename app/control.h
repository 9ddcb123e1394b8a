/*
 * The control socket: commands from the command line to a running gateway. A Unix socket that only
 * its owner may open (mode 0600); a connection carries one command, a line of words, and gets one
 * answer, a first line "ok" or "failed" and text for people behind it. One connection at a time,
 * CONTROL_TIMEOUT_S for all of it: who holds it up only delays other commands, and not the end.
 *
 * The admin server (app/admin.h) takes no input and changes nothing; whatever does, is here.
 */
#ifndef APP_CONTROL_H
#define APP_CONTROL_H

#include "app/config.h"
#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>

struct control;

enum {
    CONTROL_LINE_MAX = 1024,
    CONTROL_TIMEOUT_S = 10
};

/* Where the socket is: admin.socket, else admin.sock in the state directory. Free it. */
char *control_path(const struct config *config);

struct control_options {
    const char
        *path; /* of the socket; what is left there of a dead process is replaced */
    /* Executes the command and writes its answer; on the control thread. */
    bool (*execute)(void *self, struct slice command, struct buffer *answer);
    void *self;
};

/* Begins to serve. NULL when the path cannot be bound. */
struct control *control_start(const struct control_options *options,
                              struct error *err) MUST_CHECK;
/* Ends the thread and removes the socket. NULL is fine. */
void control_free(struct control *control);

/*
 * The other end: sends the command and reads the answer's text. False with the reason when nobody
 * listens (ERROR_NOT_FOUND) or the command failed (ERROR_INVALID, with its answer).
 */
bool control_ask(const char *path, const char *command, struct buffer *answer,
                 struct error *err) MUST_CHECK;

#endif
