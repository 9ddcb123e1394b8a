#include "receiver/mailbox.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void count_wake(void *self)
{
    ++*(int *)self;
}

static void *post(void *ticket)
{
    mailbox_post(ticket, ERROR_BUSY);
    return NULL;
}

static void post_elsewhere(struct ticket *ticket)
{
    pthread_t thread;

    pthread_create(&thread, NULL, post, ticket);
    pthread_join(thread, NULL);
}

static void tickets_come_in_the_order_of_their_posting(void **state)
{
    int wakes = 0, owners[3];
    struct mailbox *mailbox = mailbox_new(count_wake, &wakes);
    struct ticket *tickets[3], *next;
    int seen = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        tickets[i] = mailbox_issue(mailbox, &owners[i]);
    mailbox_post(tickets[2], ERROR_NONE);
    mailbox_post(tickets[0], ERROR_BUSY);
    mailbox_post(tickets[1], ERROR_NONE);

    const int order[] = {2, 0, 1};

    for (struct ticket *ticket = mailbox_take(mailbox); ticket; ticket = next) {
        next = ticket->next;
        assert_ptr_equal(ticket->owner, &owners[order[seen]]);
        assert_int_equal(ticket->kind, seen == 1 ? ERROR_BUSY : ERROR_NONE);
        free(ticket);
        seen++;
    }
    assert_int_equal(seen, 3);
    assert_null(mailbox_take(mailbox));
    mailbox_close(mailbox);
}

static void only_the_first_post_from_elsewhere_wakes(void **state)
{
    int wakes = 0;
    struct mailbox *mailbox = mailbox_new(count_wake, &wakes);
    struct ticket *first, *second, *own = mailbox_issue(mailbox, NULL);

    (void)state;
    mailbox_post(own, ERROR_NONE);
    assert_int_equal(wakes, 0);
    free(mailbox_take(mailbox));
    first = mailbox_issue(mailbox, NULL);
    second = mailbox_issue(mailbox, NULL);
    post_elsewhere(first);
    post_elsewhere(second);
    assert_int_equal(wakes, 1);
    mailbox_close(mailbox);
}

static void answers_after_the_end_are_ignored(void **state)
{
    int wakes = 0;
    struct mailbox *mailbox = mailbox_new(count_wake, &wakes);
    struct ticket *early = mailbox_issue(mailbox, NULL),
                  *late = mailbox_issue(mailbox, NULL);

    (void)state;
    mailbox_post(early, ERROR_NONE);
    mailbox_close(mailbox);
    post_elsewhere(late);
    assert_int_equal(wakes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_come_in_the_order_of_their_posting),
        cmocka_unit_test(only_the_first_post_from_elsewhere_wakes),
        cmocka_unit_test(answers_after_the_end_are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
