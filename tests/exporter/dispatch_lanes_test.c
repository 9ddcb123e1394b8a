#include "dispatch_rig.h"

static void after_an_outage_the_newest_minutes_go_first(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    const char *newest, *oldest;

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S - 3600, "custom.old");
    rig_put(rig, &rig_web, MINUTE_S, "custom.new");
    rig_settle(rig);
    buffer_append_char(&rig->posted, '\0');
    newest = strstr(rig->posted.ptr, "custom.new");
    oldest = strstr(rig->posted.ptr, "custom.old");
    assert_true(newest && oldest && newest < oldest);
    assert_int_equal(rig->posts, 2);
    rig_free(rig);
}

static void a_service_gets_at_most_four_posts_in_any_minute(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    unsigned counts[600];
    char name[32];

    (void)state;
    for (uint64_t second = 0; second < 600; second++) {
        snprintf(name, sizeof(name), "m%d", (int)(second % 50));
        rig_put(rig, &rig_shop, MINUTE_S + second / 60 * 60, name);
        rig_pass(rig, 1);
        counts[second] = rig->service_posts;
        if (second >= 60)
            assert_true(counts[second] - counts[second - 60] <= 4);
    }
    rig_pass(rig, 60);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_an_outage_the_newest_minutes_go_first),
        cmocka_unit_test(a_service_gets_at_most_four_posts_in_any_minute),
    };

    return cmocka_run_group_tests_name("dispatch_lanes", tests, NULL, NULL);
}
