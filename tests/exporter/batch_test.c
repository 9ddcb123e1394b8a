#include "exporter/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    MINUTE_S = 1795518000,
    MANY = 300
};

static struct outbox_item items[MANY];
static struct batch_entry entries[MANY];
static char names[MANY][24];

/* Entries m0, m1, ... of a host that changes every `run` entries. */
static void fill(size_t count, size_t run)
{
    static const char *const hosts[] = {"hostA", "hostB", "hostC"};

    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "m%zu", i);
        items[i] = (struct outbox_item){
            .minute_s = MINUTE_S,
            .value = 1,
            .name = slice_of(names[i]),
        };
        entries[i] = (struct batch_entry){slice_of(hosts[i / run % 3]), &items[i]};
    }
}

static size_t count_of(const struct buffer *body, const char *word)
{
    size_t count = 0, len = strlen(word);

    for (size_t i = 0; i + len <= body->len; i++)
        count += memcmp(body->ptr + i, word, len) == 0;
    return count;
}

static void a_body_is_an_array_of_values_with_host_ids(void **state)
{
    const char *want =
        "[{\"hostId\":\"hostA\",\"name\":\"m0\",\"time\":1795518000,\"value\":1},"
        "{\"hostId\":\"hostB\",\"name\":\"m1\",\"time\":1795518000,\"value\":1}]";
    struct buffer body = {0};

    (void)state;
    fill(2, 1);
    assert_int_equal(
        batch_write(entries, 2, &(struct batch_limits){100, BATCH_BYTES}, &body), 2);
    assert_int_equal(body.len, strlen(want));
    assert_memory_equal(body.ptr, want, body.len);
    buffer_release(&body);
}

static void at_most_a_hundred_values_go_into_a_body(void **state)
{
    struct buffer body = {0};

    (void)state;
    fill(MANY, 10);
    assert_int_equal(
        batch_write(entries, MANY, &(struct batch_limits){100, BATCH_BYTES}, &body), 100);
    assert_int_equal(count_of(&body, "\"time\""), 100);
    buffer_release(&body);
}

static void a_body_never_exceeds_its_bytes(void **state)
{
    (void)state;
    fill(MANY, 10);
    for (size_t max = 100; max < 4000; max += 37) {
        struct buffer body = {0};
        size_t written = batch_write(entries, MANY, &(struct batch_limits){0, max},
                                     &body);

        assert_true(body.len <= max);
        assert_int_equal(count_of(&body, "\"time\""), written);
        assert_int_equal(body.ptr[0], '[');
        assert_int_equal(body.ptr[body.len - 1], ']');
        buffer_release(&body);
    }
}

static void one_value_always_fits(void **state)
{
    struct buffer body = {0};

    (void)state;
    fill(2, 1);
    assert_int_equal(batch_write(entries, 2, &(struct batch_limits){0, 1}, &body), 1);
    buffer_release(&body);
}

static void a_cut_by_host_is_at_the_change_nearest_to_the_middle(void **state)
{
    (void)state;
    fill(30, 10);
    assert_int_equal(batch_host_cut(entries, 30), 10);
    assert_int_equal(batch_host_cut(entries, 12), 10);
    assert_int_equal(batch_host_cut(entries + 9, 11), 1);
    assert_int_equal(batch_host_cut(entries, 10), 0);
    assert_int_equal(batch_host_cut(entries, 1), 0);
}

static void a_busy_service_gets_larger_bodies_instead_of_more_posts(void **state)
{
    (void)state;
    assert_int_equal(batch_service_bytes(1000, 4), BATCH_BYTES);
    assert_int_equal(batch_service_bytes(400000, 4), 100001);
    assert_int_equal(batch_service_bytes(2000000, 4), 500001);
    assert_int_equal(batch_service_bytes(90000000, 4), BATCH_SERVICE_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_an_array_of_values_with_host_ids),
        cmocka_unit_test(at_most_a_hundred_values_go_into_a_body),
        cmocka_unit_test(a_body_never_exceeds_its_bytes),
        cmocka_unit_test(one_value_always_fits),
        cmocka_unit_test(a_cut_by_host_is_at_the_change_nearest_to_the_middle),
        cmocka_unit_test(a_busy_service_gets_larger_bodies_instead_of_more_posts),
    };

    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
