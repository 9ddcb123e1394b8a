#include "receiver/mailbox.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdlib.h>

struct mailbox {
    pthread_mutex_t lock;
    pthread_t taker;
    void (*wake)(void *self);
    void *self;
    struct ticket *first, *last; /* posted */
    size_t references;           /* tickets that are out, and the worker */
    bool closed;
};

struct mailbox *mailbox_new(void (*wake)(void *self), void *self)
{
    struct mailbox *mailbox = memory_new(1, sizeof(*mailbox));

    pthread_mutex_init(&mailbox->lock, NULL);
    mailbox->taker = pthread_self();
    mailbox->wake = wake;
    mailbox->self = self;
    mailbox->references = 1;
    return mailbox;
}

void mailbox_bind(struct mailbox *mailbox)
{
    mailbox->taker = pthread_self();
}

struct ticket *mailbox_issue(struct mailbox *mailbox, void *owner)
{
    struct ticket *ticket = memory_new(1, sizeof(*ticket));

    ticket->mailbox = mailbox;
    ticket->owner = owner;
    pthread_mutex_lock(&mailbox->lock);
    mailbox->references++;
    pthread_mutex_unlock(&mailbox->lock);
    return ticket;
}

/* Unlocks, and frees when that was the last reference. */
static void let_go(struct mailbox *mailbox)
{
    bool last = --mailbox->references == 0;

    pthread_mutex_unlock(&mailbox->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

void mailbox_post(void *self, enum error_kind kind)
{
    struct ticket *ticket = self;
    struct mailbox *mailbox = ticket->mailbox;

    ticket->kind = kind;
    pthread_mutex_lock(&mailbox->lock);
    if (mailbox->closed) {
        free(ticket);
        let_go(mailbox);
        return;
    }

    bool was_empty = !mailbox->first;

    if (was_empty)
        mailbox->first = ticket;
    else
        mailbox->last->next = ticket;
    mailbox->last = ticket;
    if (was_empty && !pthread_equal(pthread_self(), mailbox->taker))
        mailbox->wake(mailbox->self);
    let_go(mailbox);
}

struct ticket *mailbox_take(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);

    struct ticket *first = mailbox->first;

    mailbox->first = NULL;
    pthread_mutex_unlock(&mailbox->lock);
    return first;
}

void mailbox_close(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    mailbox->closed = true;
    while (mailbox->first) {
        struct ticket *next = mailbox->first->next;

        free(mailbox->first);
        mailbox->first = next;
    }
    let_go(mailbox);
}
