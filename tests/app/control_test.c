#include "app/control.h"

#include "base/clock.h"

#include <linux/sockios.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct spot {
    char directory[32], path[64];
};

static int set_up(void **state)
{
    struct spot *place = calloc(1, sizeof(*place));

    snprintf(place->directory, sizeof(place->directory), "/tmp/control-XXXXXX");
    *state = place;
    if (!mkdtemp(place->directory))
        return -1;
    snprintf(place->path, sizeof(place->path), "%s/admin.sock", place->directory);
    return 0;
}

static int tear_down(void **state)
{
    struct spot *place = *state;

    unlink(place->path);
    rmdir(place->directory);
    free(place);
    return 0;
}

/* Answers with the command; refuses "no". */
static bool echo(void *self, struct slice command, struct buffer *answer)
{
    (void)self;
    buffer_append(answer, command);
    return !slice_is(command, "no");
}

static struct control *start(const struct spot *place)
{
    struct error err = {0};
    struct control *control = control_start(
        &(struct control_options){.path = place->path, .execute = echo}, &err);

    if (!control)
        fail_msg("%s", err.text);
    return control;
}

static void a_command_is_answered(void **state)
{
    const struct spot *place = *state;
    struct control *control = start(place);
    struct buffer answer = {0};
    struct error err;

    assert_true(control_ask(place->path, "outbox ls", &answer, &err));
    assert_true(slice_is(buffer_slice(&answer), "outbox ls"));
    buffer_release(&answer);
    control_free(control);
}

static void a_refusal_is_an_error_with_its_text(void **state)
{
    const struct spot *place = *state;
    struct control *control = start(place);
    struct buffer answer = {0};
    struct error err = {0};

    assert_false(control_ask(place->path, "no", &answer, &err));
    assert_string_equal(err.text, "no");
    buffer_release(&answer);
    control_free(control);
}

static void only_the_owner_may_open_the_socket(void **state)
{
    const struct spot *place = *state;
    struct control *control = start(place);
    struct stat file;

    assert_int_equal(stat(place->path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    control_free(control);
    assert_int_equal(stat(place->path, &file), -1);
}

static void socket_of_a_dead_process_is_replaced(void **state)
{
    const struct spot *place = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct buffer answer = {0};
    struct error err;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, place->path, strlen(place->path));
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);

    struct control *control = start(place);

    assert_true(control_ask(place->path, "x", &answer, &err));
    buffer_release(&answer);
    control_free(control);
}

static void file_that_is_no_socket_is_left_alone(void **state)
{
    const struct spot *place = *state;
    struct error err = {0};
    FILE *file = fopen(place->path, "w");
    struct control *control;

    fputs("precious", file);
    fclose(file);
    control = control_start(
        &(struct control_options){.path = place->path, .execute = echo}, &err);
    assert_null(control);
    assert_non_null(strstr(err.text, place->path));
    assert_int_equal(access(place->path, F_OK), 0);
}

static void nobody_there_is_said(void **state)
{
    const struct spot *place = *state;
    struct buffer answer = {0};
    struct error err = {0};

    assert_false(control_ask(place->path, "x", &answer, &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.text, place->path));
    buffer_release(&answer);
}

static void line_that_is_too_long_is_not_executed(void **state)
{
    const struct spot *place = *state;
    struct control *control = start(place);
    struct buffer answer = {0};
    struct error err;
    char line[CONTROL_LINE_MAX + 8192];

    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    assert_false(control_ask(place->path, line, &answer, &err));
    buffer_reset(&answer);
    assert_true(control_ask(place->path, "still there", &answer, &err));
    buffer_release(&answer);
    control_free(control);
}

static void path_that_fits_no_address_is_refused(void **state)
{
    char path[200];
    struct error err = {0};

    (void)state;
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_null(
        control_start(&(struct control_options){.path = path, .execute = echo}, &err));
    assert_int_equal(err.kind, ERROR_INVALID);
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Until the other side has read what was sent. */
static void wait_until_read(int fd)
{
    int unread = 1;

    while (unread > 0) {
        assert_int_equal(ioctl(fd, SIOCOUTQ, &unread), 0);
        sched_yield();
    }
}

static void who_never_ends_its_line_does_not_hold_up_the_end(void **state)
{
    const struct spot *place = *state;
    struct control *control = start(place);
    int fd = connect_to(place->path);

    assert_int_equal(write(fd, "x", 1), 1);
    wait_until_read(fd);

    uint64_t begun_ns = clock_monotonic_ns();

    control_free(control);
    assert_true(clock_monotonic_ns() - begun_ns < CONTROL_TIMEOUT_S / 2 * 1000000000ULL);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_command_is_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_is_an_error_with_its_text, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_the_owner_may_open_the_socket, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(socket_of_a_dead_process_is_replaced, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(file_that_is_no_socket_is_left_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nobody_there_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(line_that_is_too_long_is_not_executed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_never_ends_its_line_does_not_hold_up_the_end,
                                        set_up, tear_down),
        cmocka_unit_test(path_that_fits_no_address_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
