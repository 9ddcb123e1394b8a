#include "exporter/classify.h"

#include <curl/curl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct judgement status(int status)
{
    return classify(&(struct outcome){.status = status, .had_bytes = true});
}

static struct judgement failure(CURLcode code)
{
    return classify(&(struct outcome){.curl = (int)code});
}

static void every_2xx_is_delivered(void **state)
{
    (void)state;
    assert_int_equal(status(200).verdict, VERDICT_DELIVERED);
    assert_int_equal(status(204).verdict, VERDICT_DELIVERED);
}

static void statuses_have_the_meanings_of_the_api(void **state)
{
    static const struct {
        int status;
        enum verdict verdict;
        bool is_ambiguous;
    } rows[] = {
        {302, VERDICT_RETRY, false},     {400, VERDICT_BAD, false},
        {401, VERDICT_AUTH, false},      {403, VERDICT_AUTH, false},
        {404, VERDICT_NOT_FOUND, false}, {413, VERDICT_SPLIT, false},
        {422, VERDICT_BAD, false},       {429, VERDICT_RETRY_NEXT_MINUTE, false},
        {500, VERDICT_RETRY, false},     {502, VERDICT_RETRY, true},
        {503, VERDICT_RETRY, false},     {504, VERDICT_RETRY, true},
        {100, VERDICT_RETRY, false},     {999, VERDICT_RETRY, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct judgement judgement = status(rows[i].status);

        assert_int_equal(judgement.verdict, rows[i].verdict);
        assert_int_equal(judgement.is_ambiguous, rows[i].is_ambiguous);
    }
}

static void what_was_never_sent_is_not_ambiguous(void **state)
{
    (void)state;
    assert_false(failure(CURLE_COULDNT_RESOLVE_HOST).is_ambiguous);
    assert_false(failure(CURLE_COULDNT_CONNECT).is_ambiguous);
    assert_false(failure(CURLE_PEER_FAILED_VERIFICATION).is_ambiguous);
    assert_int_equal(failure(CURLE_COULDNT_CONNECT).verdict, VERDICT_RETRY);
}

static void what_may_have_arrived_is_ambiguous(void **state)
{
    (void)state;
    assert_true(failure(CURLE_OPERATION_TIMEDOUT).is_ambiguous);
    assert_true(failure(CURLE_UNSUPPORTED_PROTOCOL).is_ambiguous); /* no HTTP came back */
    assert_true(failure(CURLE_RECV_ERROR).is_ambiguous);
    assert_true(failure(CURLE_PARTIAL_FILE).is_ambiguous);
    assert_int_equal(failure(CURLE_OPERATION_TIMEDOUT).verdict, VERDICT_RETRY);
}

static void a_kept_connection_that_dies_silently_is_tried_again_once(void **state)
{
    struct outcome outcome = {.curl = CURLE_GOT_NOTHING, .was_reused = true};

    (void)state;
    assert_int_equal(classify(&outcome).verdict, VERDICT_RESEND_ONCE);
    outcome.is_resend = true;
    assert_int_equal(classify(&outcome).verdict, VERDICT_RETRY);
}

static void a_fresh_connection_or_half_an_answer_is_not_resent_at_once(void **state)
{
    (void)state;
    assert_int_equal(failure(CURLE_GOT_NOTHING).verdict, VERDICT_RETRY);
    assert_int_equal(classify(&(struct outcome){.curl = CURLE_RECV_ERROR,
                                                .was_reused = true,
                                                .had_bytes = true})
                         .verdict,
                     VERDICT_RETRY);
    assert_int_equal(
        classify(&(struct outcome){.curl = CURLE_OPERATION_TIMEDOUT, .was_reused = true})
            .verdict,
        VERDICT_RETRY);
}

static void retry_after_is_read_as_seconds_or_date_and_capped(void **state)
{
    (void)state;
    assert_int_equal(retry_after_s("120", 0), 120);
    assert_int_equal(retry_after_s("99999999999999999999999", 0), RETRY_AFTER_MAX_S);
    /* 784111777 is the date's Unix time (RFC 9110 uses this date in its examples). */
    assert_int_equal(retry_after_s("Sun, 06 Nov 1994 08:49:37 GMT", 784111777 - 30), 30);
    assert_int_equal(retry_after_s("Sun, 06 Nov 1994 08:49:37 GMT", 784111777 + 30), 0);
    assert_int_equal(retry_after_s("soon", 0), 0);
    assert_int_equal(retry_after_s("", 0), 0);
    assert_int_equal(retry_after_s(NULL, 0), 0);
}

static void a_question_wants_json_with_its_2xx(void **state)
{
    struct outcome outcome = {.status = 200, .is_question = true};

    (void)state;
    assert_int_equal(classify(&outcome).verdict, VERDICT_RETRY);
    assert_true(classify(&outcome).is_ambiguous); /* a creation may have taken effect */
    outcome.is_json = true;
    assert_int_equal(classify(&outcome).verdict, VERDICT_DELIVERED);
    outcome = (struct outcome){.status = 404, .is_question = true};
    assert_int_equal(classify(&outcome).verdict, VERDICT_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_2xx_is_delivered),
        cmocka_unit_test(statuses_have_the_meanings_of_the_api),
        cmocka_unit_test(what_was_never_sent_is_not_ambiguous),
        cmocka_unit_test(what_may_have_arrived_is_ambiguous),
        cmocka_unit_test(a_kept_connection_that_dies_silently_is_tried_again_once),
        cmocka_unit_test(a_fresh_connection_or_half_an_answer_is_not_resent_at_once),
        cmocka_unit_test(retry_after_is_read_as_seconds_or_date_and_capped),
        cmocka_unit_test(a_question_wants_json_with_its_2xx),
    };

    return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
