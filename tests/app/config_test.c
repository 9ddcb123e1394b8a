#include "app/config.h"

#include "app/config_print.h"
#include "app/config_value.h"
#include "base/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The environment of a test. */
static struct variable {
    const char *name;
    char *value;
} variables[8];

static void set_variable(const char *name, const char *value)
{
    size_t i = 0;

    while (variables[i].name && strcmp(variables[i].name, name) != 0)
        i++;
    variables[i] = (struct variable){name, (char *)(uintptr_t)value};
}

static char *read_variable(const char *name)
{
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        if (variables[i].name && strcmp(variables[i].name, name) == 0)
            return variables[i].value;
    return NULL;
}

static int forget_variables(void **state)
{
    (void)state;
    memset(variables, 0, sizeof(variables));
    return 0;
}

/* Loads a YAML text through an environment variable, as `--config env:TEST_CONFIG` does. */
static size_t load(struct config *config, const char *yaml, char *problems_text,
                   size_t size)
{
    const char *files[] = {"env:TEST_CONFIG"};
    struct problems problems = {0};

    set_variable("TEST_CONFIG", yaml);
    config_load(config,
                &(struct config_sources){
                    .files = files, .file_count = 1, .environment = read_variable},
                &problems);

    size_t count = problems.count;

    snprintf(problems_text, size, "%.*s", SLICE_ARG(problems.text));
    problems_release(&problems);
    return count;
}

static void no_configuration_is_a_complete_configuration(void **state)
{
    struct config config;
    struct problems problems = {0};

    (void)state;
    config_load(&config, &(struct config_sources){.environment = read_variable},
                &problems);
    assert_int_equal(problems.count, 0);
    assert_string_equal(config.grpc_endpoint, "127.0.0.1:4317");
    assert_string_equal(config.apibase, "https://api.mackerelio.com");
    assert_int_equal(config.grace_ns, 15000000000);
    assert_int_equal(config.max_recv_msg_size, 64 << 20);
    assert_true(config.services_create);
    config_release(&config);
}

static void values_are_read_by_their_types(void **state)
{
    struct config config;
    char text[1024];

    (void)state;
    assert_int_equal(load(&config,
                          "minutes: {grace: 1m30s, lateness: 0}\n"
                          "receiver:\n"
                          "  grpc: {endpoint: '[::1]:0', max_recv_msg_size: 4MiB}\n"
                          "services: {create: false, default: shop}\n"
                          "hosts: {create: listed, listed: [web-1, web-2]}\n",
                          text, sizeof(text)),
                     0);
    assert_int_equal(config.grace_ns, 90000000000);
    assert_int_equal(config.lateness_ns, 0);
    assert_string_equal(config.grpc_endpoint, "[::1]:0");
    assert_int_equal(config.max_recv_msg_size, 4 << 20);
    assert_false(config.services_create);
    assert_int_equal(config.hosts_listed.count, 2);
    assert_string_equal(config.hosts_listed.items[1], "web-2");
    config_release(&config);
}

static void all_problems_are_said_at_once_with_their_places(void **state)
{
    struct config config;
    char text[2048];

    (void)state;
    assert_int_equal(load(&config,
                          "minutes:\n"
                          "  grase: 15s\n"
                          "  lateness: soon\n"
                          "servces: {default: shop}\n"
                          "hosts: {create: always}\n",
                          text, sizeof(text)),
                     4);
    assert_non_null(strstr(
        text,
        "env:TEST_CONFIG:2:3: unknown key 'minutes.grase', did you mean 'minutes.grace'?"));
    assert_non_null(
        strstr(text, "env:TEST_CONFIG:3:13: minutes.lateness: 'soon' is not a duration"));
    assert_non_null(strstr(
        text, "env:TEST_CONFIG:4:1: unknown key 'servces', did you mean 'services'?"));
    assert_non_null(strstr(
        text,
        "env:TEST_CONFIG:5:17: hosts.create: 'always' is none of: never, listed, any"));
    config_release(&config);
}

static void devices_of_hosts_are_set_as_texts_and_a_map(void **state)
{
    struct config config;
    char text[1024];

    (void)state;
    assert_int_equal(load(&config,
                          "hosts:\n"
                          "  interfaces: {ignore: '^(cali|cni)'}\n"
                          "  filesystems: {name: mountpoint, ignore: /dev/ram.*}\n"
                          "  devices: {rename: {dm-0: mapper_vg-root, dm-1: data}}\n"
                          "  kubelet: {memory: true}\n",
                          text, sizeof(text)),
                     0);
    assert_string_equal(config.interfaces_ignore, "^(cali|cni)");
    assert_string_equal(config.filesystems_ignore, "/dev/ram.*");
    assert_string_equal(config.filesystems_name, "mountpoint");
    assert_string_equal(config.disks_ignore, "");
    assert_int_equal(config.devices_rename.count, 2);
    assert_string_equal(config.devices_rename.items[0], "dm-0=mapper_vg-root");
    assert_string_equal(config.devices_rename.items[1], "dm-1=data");
    assert_true(config.kubelet_network);
    assert_true(config.kubelet_memory);
    config_release(&config);
}

static void devices_that_are_set_wrongly_have_a_place(void **state)
{
    struct config config;
    char text[2048];

    (void)state;
    assert_int_equal(load(&config,
                          "hosts:\n"
                          "  interfaces: {ignore: '('}\n"
                          "  disks: {ignore: \"a\\nb\"}\n"
                          "  devices: {rename: [dm-0]}\n",
                          text, sizeof(text)),
                     3);
    assert_non_null(strstr(text, "env:TEST_CONFIG:2:24: hosts.interfaces.ignore: "));
    assert_non_null(
        strstr(text, "env:TEST_CONFIG:3:19: hosts.disks.ignore: must be one line"));
    assert_non_null(
        strstr(text, "env:TEST_CONFIG:4:21: hosts.devices.rename: must be a map"));
    config_release(&config);
}

static void durability_may_be_left_to_the_directory(void **state)
{
    struct config config;
    char text[1024];

    (void)state;
    assert_int_equal(load(&config, "", text, sizeof(text)), 0);
    assert_string_equal(config.durability, "");
    config_release(&config);
    assert_int_equal(load(&config, "state: {durability: ''}\n", text, sizeof(text)), 0);
    config_release(&config);
    assert_int_equal(load(&config, "state: {durability: fsync}\n", text, sizeof(text)),
                     0);
    assert_string_equal(config.durability, "fsync");
    config_release(&config);
    assert_int_equal(load(&config,
                          "state:\n"
                          "  durability: disk\n"
                          "  journal: {max_size: 1MiB}\n",
                          text, sizeof(text)),
                     2);
    assert_non_null(strstr(text, "'disk' is none of: fsync, process, memory"));
    assert_non_null(strstr(text, "state.journal.max_size: '1MiB' is out of range"));
    config_release(&config);
}

static void variables_expand_in_values_once(void **state)
{
    struct config config;
    char text[1024];

    (void)state;
    set_variable("TEST_SERVICE", "shop-${env:HOME}");
    assert_int_equal(load(&config,
                          "services: {default: '${env:TEST_SERVICE}'}\n"
                          "log: {level: '${env:TEST_MISSING:-debug}'}\n"
                          "mackerel: {ca_file: 'a$$b'}\n",
                          text, sizeof(text)),
                     0);
    assert_string_equal(config.services_default, "shop-${env:HOME}");
    assert_string_equal(config.log_level, "debug");
    assert_string_equal(config.ca_file, "a$b");
    config_release(&config);
    assert_int_equal(
        load(&config, "services: {default: '${env:TEST_MISSING}'}\n", text, sizeof(text)),
        1);
    assert_non_null(strstr(text, "TEST_MISSING is not set"));
    config_release(&config);
}

static void set_wins_over_the_file_and_the_file_over_the_environment(void **state)
{
    const char *files[] = {"env:TEST_CONFIG"};
    const char *sets[] = {"services.default=from-set", "minutes.grcae=1s"};
    struct config config;
    struct problems problems = {0};

    (void)state;
    set_variable("TEST_CONFIG",
                 "mackerel: {apibase: 'http://file'}\nservices: {default: from-file}\n");
    set_variable("MACKEREL_APIBASE", "http://environment");
    config_load(&config,
                &(struct config_sources){.files = files,
                                         .file_count = 1,
                                         .sets = sets,
                                         .set_count = 2,
                                         .environment = read_variable},
                &problems);
    assert_string_equal(config.services_default, "from-set");
    assert_string_equal(config.apibase, "http://file");
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.text.ptr,
                           "--set: unknown key 'minutes.grcae', did you mean "
                           "'minutes.grace'?"));
    problems_release(&problems);
    config_release(&config);
}

static void secrets_are_starred_when_printed(void **state)
{
    struct config config;
    struct buffer printed = {0};
    char text[256];

    (void)state;
    assert_int_equal(load(&config, "mackerel: {apikey: sesame-42}\n", text, sizeof(text)),
                     0);
    config_print_values(&config, &printed);
    buffer_append_char(&printed, '\0');
    assert_null(strstr(printed.ptr, "sesame-42"));
    assert_non_null(strstr(printed.ptr, "mackerel.apikey = ****"));
    buffer_release(&printed);
    config_release(&config);
}

static void two_keys_at_once_are_refused(void **state)
{
    struct config config;
    char text[256];

    (void)state;
    assert_int_equal(
        load(&config, "mackerel: {apikey: a, apikey_file: b}\n", text, sizeof(text)), 1);
    config_release(&config);
}

static void every_default_is_a_value_of_its_key(void **state)
{
    struct config config = {0};
    struct problems problems = {0};

    (void)state;
    for (size_t i = 0; i < config_key_count; i++) {
        config_value_set(&config, &config_keys[i], slice_of(config_keys[i].fallback),
                         (struct place){"default", 0, 0}, &problems);
        assert_true(config_find(slice_of(config_keys[i].path)) == &config_keys[i]);
        assert_true(strlen(config_keys[i].help) > 10);
    }
    assert_int_equal(problems.count, 0);
    config_release(&config);
}

static void distance_counts_edits(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance(slice_of("kitten"), slice_of("sitting")), 3);
    assert_int_equal(suggest_distance(slice_of(""), slice_of("abc")), 3);
    assert_int_equal(suggest_distance(slice_of("same"), slice_of("same")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(devices_of_hosts_are_set_as_texts_and_a_map,
                               forget_variables),
        cmocka_unit_test_setup(devices_that_are_set_wrongly_have_a_place,
                               forget_variables),
        cmocka_unit_test_setup(no_configuration_is_a_complete_configuration,
                               forget_variables),
        cmocka_unit_test_setup(values_are_read_by_their_types, forget_variables),
        cmocka_unit_test_setup(all_problems_are_said_at_once_with_their_places,
                               forget_variables),
        cmocka_unit_test_setup(durability_may_be_left_to_the_directory, forget_variables),
        cmocka_unit_test_setup(variables_expand_in_values_once, forget_variables),
        cmocka_unit_test_setup(set_wins_over_the_file_and_the_file_over_the_environment,
                               forget_variables),
        cmocka_unit_test_setup(secrets_are_starred_when_printed, forget_variables),
        cmocka_unit_test_setup(two_keys_at_once_are_refused, forget_variables),
        cmocka_unit_test_setup(every_default_is_a_value_of_its_key, forget_variables),
        cmocka_unit_test_setup(distance_counts_edits, forget_variables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
