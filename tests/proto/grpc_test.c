#include "proto/grpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_prefix_is_a_flag_and_a_big_endian_length(void **state)
{
    (void)state;
    struct grpc_prefix prefix;
    struct error err;

    assert_true(grpc_prefix_read("\x01\x00\x01\x02\x03", &prefix, &err));
    assert_true(prefix.compressed);
    assert_int_equal(prefix.length, 0x010203);
    assert_true(grpc_prefix_read("\x00\xff\xff\xff\xff", &prefix, &err));
    assert_false(prefix.compressed);
    assert_true(prefix.length == UINT32_MAX);
}

static void other_flags_are_corrupt(void **state)
{
    (void)state;
    struct grpc_prefix prefix;
    struct error err;

    assert_false(grpc_prefix_read("\x02\x00\x00\x00\x00", &prefix, &err));
    assert_int_equal(err.kind, ERROR_CORRUPT);
}

static void a_written_prefix_reads_back(void **state)
{
    (void)state;
    char bytes[GRPC_PREFIX_BYTES];
    const struct grpc_prefix wanted = {true, 0xA1B2C3D4};
    struct grpc_prefix read;
    struct error err;

    grpc_prefix_write(bytes, &wanted);
    assert_memory_equal(bytes, "\x01\xA1\xB2\xC3\xD4", GRPC_PREFIX_BYTES);
    assert_true(grpc_prefix_read(bytes, &read, &err));
    assert_true(read.compressed && read.length == wanted.length);
}

static void assert_message(struct slice text, const char *wanted)
{
    struct buffer out = {0};

    grpc_message_encode(text, &out);
    buffer_append_char(&out, '\0');
    assert_string_equal(out.ptr, wanted);
    buffer_release(&out);
}

static void messages_are_percent_encoded(void **state)
{
    (void)state;
    assert_message((struct slice)SLICE("plain text ~!"), "plain text ~!");
    assert_message((struct slice)SLICE("100%"), "100%25");
    assert_message((struct slice)SLICE("a\nb\x7f"), "a%0Ab%7F");
    assert_message((struct slice)SLICE("\xE6\x97\xA5"), "%E6%97%A5");
    /* The text of the interoperability test special_status_message. */
    assert_message(
        (struct slice)SLICE("\t\ntest with whitespace\r\nand Unicode BMP \xE2\x98\xBA "
                            "and non-BMP \xF0\x9F\x98\x88\t\n"),
        "%09%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA "
        "and non-BMP %F0%9F%98%88%09%0A");
}

static void invalid_utf8_is_replaced_before_it_is_encoded(void **state)
{
    (void)state;
    assert_message((struct slice)SLICE("a\xff"), "a%EF%BF%BD");
}

static void long_messages_end_behind_a_whole_character(void **state)
{
    (void)state;
    struct buffer text = {0}, out = {0};

    for (unsigned i = 0; i < 200; i++)
        buffer_append_text(&text, "\xE6\x97\xA5"); /* 9 bytes encoded; 113 of them fit */
    grpc_message_encode(buffer_slice(&text), &out);
    assert_int_equal(out.len, 113 * 9);
    buffer_release(&text);
    buffer_release(&out);
}

static void timeouts_are_read_in_every_unit(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        uint64_t ns;
    } rows[] = {
        {"1H", 3600000000000u},
        {"2M", 120000000000u},
        {"5S", 5000000000u},
        {"9972m", 9972000000u},
        {"4999572u", 4999572000u},
        {"1n", 1},
        {"0S", 0},
        {"00000001S", 1000000000u},
        /* 99999999 hours are 3.6e20 ns, more than 64 bits hold */
        {"99999999H", UINT64_MAX},
        {"99999999M", 5999999940000000000u},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t ns = 7;

        assert_true(grpc_timeout_parse(slice_of(rows[i].text), &ns));
        assert_true(ns == rows[i].ns);
    }
}

static void malformed_timeouts_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",    "S",    "5",          "5s",  "5 S", "-5S",
                                        "+5S", "5.0S", "123456789S", "5SS", "H5"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint64_t ns = 7;

        assert_false(grpc_timeout_parse(slice_of(texts[i]), &ns));
        assert_true(ns == 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_is_a_flag_and_a_big_endian_length),
        cmocka_unit_test(other_flags_are_corrupt),
        cmocka_unit_test(a_written_prefix_reads_back),
        cmocka_unit_test(messages_are_percent_encoded),
        cmocka_unit_test(invalid_utf8_is_replaced_before_it_is_encoded),
        cmocka_unit_test(long_messages_end_behind_a_whole_character),
        cmocka_unit_test(timeouts_are_read_in_every_unit),
        cmocka_unit_test(malformed_timeouts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
