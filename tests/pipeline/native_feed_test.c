/*
 * Who feeds native metrics, through the whole pipeline: names that change, sources that take over,
 * cpus and scrapes that are missing, settings that change.
 */
#include "pipeline/native_policy.h"
#include "tests/pipeline/scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct scene_resource COLLECTOR = {.host = "web", .scope = "collector"};
static const struct scene_resource KUBELET = {.host = "web", .scope = "kubelet"};

static const struct scene_metric NETWORK = {&COLLECTOR, SCENE_COUNTER,
                                            "system.network.io"};
static const struct scene_metric NODE_NETWORK = {&KUBELET, SCENE_COUNTER,
                                                 "k8s.node.network.io"};
static const struct scene_metric CPU_TIME = {&COLLECTOR, SCENE_COUNTER,
                                             "system.cpu.time"};
static const struct scene_metric CPU_SHARE = {&COLLECTOR, SCENE_GAUGE,
                                              "system.cpu.utilization"};

static const char RX[] = "interface.eth0.rxBytes.delta";
static const char USER[] = "cpu.user.percentage";

static void say(struct scene *scene, const struct scene_metric *metric,
                struct scene_point point)
{
    scene_send(scene, point.time_s + 0.05, metric, &point, 1);
}

/* A total that rises by `per_s`. */
static struct scene_point total(double time_s, double per_s)
{
    return (struct scene_point){.start_s = 1, .time_s = time_s, .value = per_s * time_s};
}

static struct scene_point received(struct scene_point point, const char *key,
                                   const char *device)
{
    point.key = key;
    point.attribute = device;
    point.key2 = "direction";
    point.attribute2 = "receive";
    return point;
}

static struct scene_point state_of(struct scene_point point, const char *state)
{
    point.key = "state";
    point.attribute = state;
    return point;
}

static void assert_is(const struct scene *scene, const char *name, uint64_t minute,
                      double expected)
{
    double value = scene_value(scene, name, minute);

    if (!(fabs(value - expected) <= 1e-9 * fmax(1, fabs(expected))))
        fail_msg("%s of minute %u: %.17g, not %.17g", name, (unsigned)minute, value,
                 expected);
}

static void assert_none(const struct scene *scene, const char *name, uint64_t minute)
{
    double value = scene_value(scene, name, minute);

    if (!isnan(value))
        fail_msg("%s of minute %u: %.17g, not none", name, (unsigned)minute, value);
}

/* ---- one thing under two names ------------------------------------------------------------ */

/* 60 bytes a second; the old name stops after 320 s, and is not alive any more 12.5 s later. */
static void the_other_name_takes_over_when_the_first_is_silent(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (double time_s = 10; time_s <= 600; time_s += 10) {
        if (time_s <= 320)
            say(scene, &NETWORK, received(total(time_s, 60), "device", "eth0"));
        say(scene, &NETWORK,
            received(total(time_s, 60), "network.interface.name", "eth0"));
    }
    scene_wait_until(scene, 1200);
    for (uint64_t minute = 1; minute < 5; minute++)
        assert_is(scene, RX, minute, 60);
    assert_is(scene, RX, 5,
              40); /* 20 s of the old, 20 s of the new: its baseline is at 340 */
    for (uint64_t minute = 6; minute < 9; minute++)
        assert_is(scene, RX, minute, 60);
    assert_int_equal(scene_reason(scene, REASON_NATIVE_ALTERNATIVE), 33);
    scene_free(scene);
}

/* The host is started anew at 325 s: what counts from there on is another start of the same. */
static void a_new_start_takes_over_at_once(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (double time_s = 10; time_s <= 600; time_s += 10) {
        struct scene_point point = received(total(time_s, 60), "device", "eth0");

        if (time_s > 320) {
            point.start_s = 325;
            point.value = 60 * (time_s - 325);
        }
        say(scene, &NETWORK, point);
    }
    scene_wait_until(scene, 1200);
    assert_is(scene, RX, 4, 60);
    assert_is(scene, RX, 5, 50); /* until 320 s, and from 330 s on */
    assert_is(scene, RX, 6, 60);
    assert_int_equal(scene_reason(scene, REASON_NATIVE_ALTERNATIVE), 0);
    scene_free(scene);
}

/* ---- sources ------------------------------------------------------------------------------ */

static void a_preferred_source_takes_over_from_one_that_is_alive(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (double time_s = 10; time_s <= 600; time_s += 10) {
        say(scene, &NETWORK, received(total(time_s, 60), "device", "eth0"));
        if (time_s > 320)
            say(scene, &NODE_NETWORK, received(total(time_s, 600), "interface", "ens5"));
    }
    scene_wait_until(scene, 1200);
    assert_is(scene, RX, 4, 60);
    assert_none(scene, "interface.ens5.rxBytes.delta", 4);
    for (uint64_t minute = 7; minute < 9; minute++) {
        assert_none(scene, RX, minute);
        assert_is(scene, "interface.ens5.rxBytes.delta", minute, 600);
    }
    scene_free(scene);
}

/* The SDK's go on while the collector, whose figures count, pauses: nothing is counted twice then. */
static void a_source_that_comes_back_begins_anew(void **state)
{
    static const struct scene_resource sdk = {.host = "web", .scope = "sdk"};
    const struct scene_metric other = {&sdk, SCENE_COUNTER, "system.network.io"};
    struct scene *scene = scene_new(0);

    (void)state;
    for (double time_s = 10; time_s <= 900; time_s += 10) {
        if (time_s <= 300 || time_s > 480)
            say(scene, &NETWORK, received(total(time_s, 60), "device", "eth0"));
        if (time_s <= 450)
            say(scene, &other, received(total(time_s, 60), "device", "eth0"));
    }
    scene_wait_until(scene, 1500);
    for (uint64_t minute = 1; minute < 14; minute++)
        if (minute != 5 && minute != 7 && minute != 8)
            assert_is(scene, RX, minute, 60);
    assert_is(scene, RX, 5, 40); /* from 320 s on */
    assert_is(scene, RX, 7, 30); /* until 450 s */
    assert_is(scene, RX, 8, 50); /* from 490 s on */
    scene_free(scene);
}

/* One cpu, half of it user: by time, by share, by time again. */
static void shares_of_cpu_time_fill_in_where_the_time_stays_away(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (double time_s = 10; time_s <= 900; time_s += 10) {
        struct scene_point share = {.time_s = time_s, .value = 0.5};

        if (time_s <= 300 || time_s > 600) {
            say(scene, &CPU_TIME, state_of(total(time_s, 0.5), "user"));
            say(scene, &CPU_TIME, state_of(total(time_s, 0.5), "idle"));
        }
        share.key2 = "cpu";
        share.attribute2 = "0";
        say(scene, &CPU_SHARE, state_of(share, "user"));
        say(scene, &CPU_SHARE, state_of(share, "idle"));
    }
    scene_wait_until(scene, 1500);
    for (uint64_t minute = 1; minute < 14; minute++)
        if (minute != 5 && minute != 10) /* in which one of them begins */
            assert_is(scene, USER, minute, 50);
    assert_none(scene, USER, 5);
    assert_none(scene, USER, 10);
    scene_free(scene);
}

/* ---- what is missing ---------------------------------------------------------------------- */

/* Two scrapes come without the idle time, and a third without anything. */
static void scrapes_without_a_state_change_no_percentage(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (double time_s = 7; time_s <= 600; time_s += 10) {
        bool is_lost = time_s > 250 && time_s < 260;
        bool is_partial = time_s > 120 && time_s < 140;

        if (!is_lost)
            say(scene, &CPU_TIME, state_of(total(time_s, 0.25), "user"));
        if (!is_lost && !is_partial)
            say(scene, &CPU_TIME, state_of(total(time_s, 0.75), "idle"));
    }
    scene_wait_until(scene, 1200);
    for (uint64_t minute = 1; minute < 9; minute++)
        assert_is(scene, USER, minute, 25);
    scene_free(scene);
}

static void a_state_that_stays_away_ends_the_percentages(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (double time_s = 7; time_s <= 900; time_s += 10) {
        say(scene, &CPU_TIME, state_of(total(time_s, 0.25), "user"));
        if (time_s < 307)
            say(scene, &CPU_TIME, state_of(total(time_s, 0.75), "idle"));
    }
    scene_wait_until(scene, 1500);
    assert_is(scene, USER, 3, 25);
    for (uint64_t minute = 5; minute < 14; minute++)
        assert_none(scene, USER, minute);
    scene_free(scene);
}

/* A pause of the shares says nothing about the time in it. */
static void shares_after_a_pause_begin_anew(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (double time_s = 10; time_s <= 600; time_s += 10) {
        struct scene_point share = {.time_s = time_s, .value = 0.5};

        if (time_s > 200 && time_s < 260)
            continue;
        share.key2 = "cpu";
        share.attribute2 = "0";
        say(scene, &CPU_SHARE, state_of(share, "user"));
        say(scene, &CPU_SHARE, state_of(share, "idle"));
    }
    scene_wait_until(scene, 1200);
    assert_is(scene, USER, 2, 50);
    assert_is(scene, USER, 3, 50); /* of the 20 s that are known */
    assert_none(scene, USER, 4);
    assert_is(scene, USER, 5, 50);
    scene_free(scene);
}

/* ---- settings ----------------------------------------------------------------------------- */

static void changed_settings_hold_for_devices_that_are_known(void **state)
{
    struct pipeline_options options = {.grace_ns = 15000000000u,
                                       .lateness_ns = 300000000000u};
    struct scene *scene = scene_open(&options);

    (void)state;
    options.native_policy = "interfaces.ignore ^eth1\n";
    for (double time_s = 10; time_s <= 600; time_s += 10) {
        if (time_s > 310 && time_s < 330)
            scene_configure(scene, 315, &options);
        say(scene, &NETWORK, received(total(time_s, 60), "device", "eth0"));
        say(scene, &NETWORK, received(total(time_s, 6), "device", "eth1"));
    }
    scene_wait_until(scene, 1200);
    assert_is(scene, "interface.eth1.rxBytes.delta", 3, 6);
    assert_is(scene, RX, 3, 60);
    for (uint64_t minute = 6; minute < 9; minute++) {
        assert_none(scene, "interface.eth1.rxBytes.delta", minute);
        assert_is(scene, RX, minute, 60);
    }
    scene_free(scene);
}

/* ---- the text of settings ----------------------------------------------------------------- */

static struct native_policy policy_of(const struct native_settings *settings)
{
    struct native_policy policy = {0};
    struct buffer text = {0};

    native_policy_write(settings, &text);
    buffer_append_char(&text, '\0');
    native_policy_read(&policy, text.ptr);
    buffer_release(&text);
    return policy;
}

static void settings_come_back_from_their_text(void **state)
{
    static const char *const renames[] = {"dm-0=mapper_vg-root", "a b=c=d"};
    struct native_policy policy = policy_of(&(struct native_settings){
        .interfaces_ignore = "^(cali|cni)",
        .filesystems_ignore = "/dev/ram.*",
        .by_mountpoint = true,
        .node_memory = true,
        .renames = renames,
        .rename_count = 2,
    });

    (void)state;
    assert_true(policy.by_mountpoint);
    assert_true(policy.node_memory);
    assert_false(policy.node_network);
    assert_true(native_policy_ignores(&policy, NATIVE_NETWORK, slice_of("cali12ab34")));
    assert_false(native_policy_ignores(&policy, NATIVE_NETWORK, slice_of("xcali")));
    assert_true(native_policy_ignores(&policy, NATIVE_FILESYSTEM, slice_of("/dev/ram1")));
    assert_false(native_policy_ignores(&policy, NATIVE_DISK, slice_of("cali12ab34")));
    assert_true(
        slice_is(native_policy_rename(&policy, slice_of("dm-0")), "mapper_vg-root"));
    assert_true(slice_is(native_policy_rename(&policy, slice_of("a b")), "c=d"));
    assert_int_equal(native_policy_rename(&policy, slice_of("dm-1")).len, 0);
    native_policy_release(&policy);
}

static void no_settings_are_the_defaults_and_no_text(void **state)
{
    struct native_policy policy = {0};
    struct buffer text = {0};

    (void)state;
    native_policy_write(&(struct native_settings){.node_network = true}, &text);
    assert_int_equal(text.len, 0);
    native_policy_read(&policy, NULL);
    assert_true(policy.node_network);
    assert_false(policy.node_memory);
    assert_false(policy.by_mountpoint);
    assert_false(native_policy_ignores(&policy, NATIVE_NETWORK, slice_of("eth0")));
    native_policy_release(&policy);
}

static void a_text_that_is_not_sound_is_passed_over(void **state)
{
    struct native_policy policy = {0};

    (void)state;
    native_policy_read(&policy, "interfaces.ignore (\nrename x\n\ndisks.ignore ^a\nodd");
    assert_false(native_policy_ignores(&policy, NATIVE_NETWORK, slice_of("(")));
    assert_true(native_policy_ignores(&policy, NATIVE_DISK, slice_of("ab")));
    assert_int_equal(policy.rename_count, 0);
    native_policy_release(&policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_other_name_takes_over_when_the_first_is_silent),
        cmocka_unit_test(a_new_start_takes_over_at_once),
        cmocka_unit_test(a_preferred_source_takes_over_from_one_that_is_alive),
        cmocka_unit_test(a_source_that_comes_back_begins_anew),
        cmocka_unit_test(shares_of_cpu_time_fill_in_where_the_time_stays_away),
        cmocka_unit_test(scrapes_without_a_state_change_no_percentage),
        cmocka_unit_test(a_state_that_stays_away_ends_the_percentages),
        cmocka_unit_test(shares_after_a_pause_begin_anew),
        cmocka_unit_test(changed_settings_hold_for_devices_that_are_known),
        cmocka_unit_test(settings_come_back_from_their_text),
        cmocka_unit_test(no_settings_are_the_defaults_and_no_text),
        cmocka_unit_test(a_text_that_is_not_sound_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
