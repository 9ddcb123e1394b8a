#include "dispatch_rig.h"

static void draining_ends_when_only_hopeless_values_are_left(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig->hosts = "{\"hosts\":[]}";
    rig_put(rig, &rig_shop, MINUTE_S, "a");
    rig_settle(rig);
    rig_put(rig, &rig_shop, MINUTE_S + 60, "a");
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    dispatch_drain(rig->dispatch);
    rig_settle(rig);
    assert_int_equal(rig_queued(rig), 1);
    assert_true(dispatch_is_drained(rig->dispatch, rig_now(rig)));
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draining_ends_when_only_hopeless_values_are_left),
    };

    return cmocka_run_group_tests_name("dispatch_drain", tests, NULL, NULL);
}
