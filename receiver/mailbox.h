/*
 * How answers get back to a worker. A request that is given away carries a ticket; whoever decides
 * about it posts the ticket, on any thread, and the worker takes posted tickets in batches.
 *
 * The sender may be gone by then: the worker clears ticket->owner when it forgets the request,
 * and only the worker's thread reads or writes that field, so nothing dangles. The mailbox itself
 * is counted by its tickets and outlives its worker until the last one is posted.
 *
 * Wake-ups coalesce: only a post into an empty box wakes the worker, and a post by the worker
 * itself (an intake that answers inside submit) wakes nobody; so the worker must take until
 * the box is empty after each event that may have submitted.
 */
#ifndef RECEIVER_MAILBOX_H
#define RECEIVER_MAILBOX_H

#include "base/error.h"

#include <stdbool.h>

struct mailbox;

struct ticket {
    struct ticket *next;
    struct mailbox *mailbox;
    void *owner; /* the request that waits; NULL: nobody waits any more */
    enum error_kind kind;
};

/* `wake` may be called from any thread, under the mailbox's lock, until mailbox_close(). */
struct mailbox *mailbox_new(void (*wake)(void *self), void *self);

/* Declares the calling thread to be the one that takes. */
void mailbox_bind(struct mailbox *mailbox);

struct ticket *mailbox_issue(struct mailbox *mailbox, void *owner);

/* Any thread; fits intake_request.answer; self is the ticket. The ticket is gone afterwards. */
void mailbox_post(void *self, enum error_kind kind);

/* All posted tickets, first posted first, linked by next; the caller frees each with free(). */
struct ticket *mailbox_take(struct mailbox *mailbox);

/* Ends waking, frees what was posted and lets the last ticket free the box. */
void mailbox_close(struct mailbox *mailbox);

#endif
