#include "app/fold.h"

#include "app/fold_config.h"
#include "base/memory.h"
#include "proto/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gauge.h"

static const uint64_t NS_PER_S = 1000000000, SEED = 7;
static const uint64_t MINUTE_S = UINT64_C(
    1800000000); /* begins a minute: 60 x 30,000,000 */

static const struct pipeline_options OPTIONS = {
    .grace_ns = UINT64_C(15000000000),
    .lateness_ns = UINT64_C(300000000000),
    .default_service = "spare",
    .native_metrics = "auto",
};

static uint64_t at(double seconds)
{
    return MINUTE_S * NS_PER_S + (uint64_t)(int64_t)(seconds * 1e9);
}

/* ---- what comes out ---------------------------------------------------------------------- */

/* Rows as text, one line a value, so that two folds can be compared. */
static void note(void *self, const struct mackerel_row *rows, size_t count,
                 uint64_t tick_lsn)
{
    struct buffer *out = self;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < rows[i].count; j++) {
            const struct mackerel_value *value = &rows[i].values[j];

            buffer_printf(out, "%llu %.*s +%llu %.*s %.17g\n",
                          (unsigned long long)tick_lsn,
                          SLICE_ARG(rows[i].destination.name),
                          (unsigned long long)(rows[i].minute_s - MINUTE_S),
                          SLICE_ARG(value->name), value->value);
        }
}

static struct fold_options options_into(struct buffer *out)
{
    return (struct fold_options){.seed = SEED, .put = note, .self = out};
}

static void assert_text(const struct buffer *out, const char *want)
{
    char *text = memory_copy(buffer_slice(out));

    assert_string_equal(text, want);
    free(text);
}

/* ---- records ----------------------------------------------------------------------------- */

static void configure(struct fold *fold, uint64_t receive_ns,
                      const struct pipeline_options *options)
{
    struct buffer text = {0};

    fold_write_config(options, &text);
    fold_apply(fold,
               &(struct journal_record){.kind = JOURNAL_CONFIG,
                                        .lsn = fold_lsn(fold) + 1,
                                        .receive_ns = receive_ns,
                                        .body = buffer_slice(&text)},
               NULL);
    buffer_release(&text);
}

static void tick(struct fold *fold, uint64_t now_ns)
{
    fold_apply(fold,
               &(struct journal_record){
                   .kind = JOURNAL_TICK, .lsn = fold_lsn(fold) + 1, .receive_ns = now_ns},
               NULL);
}

static void send_body(struct fold *fold, uint64_t receive_ns, struct slice body,
                      enum otlp_coding coding)
{
    fold_apply(fold,
               &(struct journal_record){.kind = JOURNAL_REQUEST,
                                        .lsn = fold_lsn(fold) + 1,
                                        .receive_ns = receive_ns,
                                        .media_type = OTLP_PROTOBUF,
                                        .coding = (uint8_t)coding,
                                        .body = body},
               NULL);
}

static void send(struct fold *fold, uint64_t time_ns, double value)
{
    char body[GAUGE_BYTES];

    gauge_write(body, time_ns, value);
    send_body(fold, time_ns, (struct slice){body, sizeof(body)}, OTLP_IDENTITY);
}

static void send_deflated(struct fold *fold, uint64_t time_ns, double value)
{
    char body[GAUGE_BYTES], *deflated;
    size_t len;

    gauge_write(body, time_ns, value);
    gzip_deflate((struct slice){body, sizeof(body)}, 6, &deflated, &len);
    send_body(fold, time_ns, (struct slice){deflated, len}, OTLP_GZIP);
    free(deflated);
}

static void send_decoded(struct fold *fold, uint64_t time_ns, double value)
{
    struct otlp_batch *batch = otlp_batch_new();
    char body[GAUGE_BYTES];
    struct error err;

    gauge_write(body, time_ns, value);
    assert_true(otlp_decode(batch, (struct slice){body, sizeof(body)}, SEED, NULL, &err));
    fold_apply(fold,
               &(struct journal_record){.kind = JOURNAL_REQUEST,
                                        .lsn = fold_lsn(fold) + 1,
                                        .receive_ns = time_ns},
               batch);
    otlp_batch_free(batch);
}

typedef void send_point(struct fold *fold, uint64_t time_ns, double value);

/* A gauge is its last value of the minute: 7; then one of the next minute. */
static void tell(struct fold *fold, send_point *point)
{
    configure(fold, at(-30), &OPTIONS);
    point(fold, at(10), 3);
    point(fold, at(30), 5);
    point(fold, at(50), 7);
    point(fold, at(70), 11);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void bodies_that_are_read_back_give_what_decoded_ones_gave(void **state)
{
    send_point *const ways[] = {send_decoded, send, send_deflated};

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct buffer out = {0};
        struct fold_options options = options_into(&out);
        struct fold *fold = fold_new(&options);

        tell(fold, ways[i]);
        tick(fold, at(75));
        assert_text(&out, "6 shop +0 queue 7\n");
        assert_int_equal(pipeline_ledger(fold_pipeline(fold))->received, 4);
        assert_int_equal(fold_lsn(fold), 6);
        assert_int_equal(fold_tick_lsn(fold), 6);
        assert_int_equal(fold_receive_ns(fold), at(75));
        assert_int_equal(fold_unreadable(fold), 0);
        fold_free(fold);
        buffer_release(&out);
    }
}

static void ticks_that_the_outbox_has_emit_nothing(void **state)
{
    struct buffer out = {0};
    struct fold_options options = options_into(&out);

    (void)state;
    options.outbox_lsn = 6;

    struct fold *fold = fold_new(&options);

    tell(fold, send);
    tick(fold, at(75));
    assert_int_equal(out.len, 0);
    assert_int_equal(fold_tick_lsn(fold), 6);
    tick(fold, at(135));
    assert_text(&out, "7 shop +60 queue 11\n");
    fold_free(fold);
    buffer_release(&out);
}

static void tick_with_nothing_to_close_is_no_tick_that_the_outbox_must_have(void **state)
{
    struct buffer out = {0};
    struct fold_options options = options_into(&out);
    struct fold *fold = fold_new(&options);

    (void)state;
    tell(fold, send);
    tick(fold, at(74));
    assert_int_equal(out.len, 0);
    assert_int_equal(fold_tick_lsn(fold), 0);
    fold_free(fold);
    buffer_release(&out);
}

static void undecodable_body_changes_nothing_and_is_counted(void **state)
{
    struct buffer out = {0};
    struct fold_options options = options_into(&out);
    struct fold *fold = fold_new(&options);
    static const struct slice garbage = SLICE("\xFF\xFF\xFF");

    (void)state;
    configure(fold, at(0), &OPTIONS);
    send_body(fold, at(1), garbage, OTLP_IDENTITY);
    send_body(fold, at(1), garbage, OTLP_GZIP);
    assert_int_equal(fold_unreadable(fold), 2);
    assert_int_equal(fold_lsn(fold), 3);
    assert_int_equal(pipeline_ledger(fold_pipeline(fold))->received, 0);
    fold_free(fold);
    buffer_release(&out);
}

static void configuration_is_in_force_from_its_record_on(void **state)
{
    struct buffer out = {0}, text = {0};
    struct fold_options options = options_into(&out);
    struct fold *fold = fold_new(&options);
    struct pipeline_options patient = OPTIONS;

    (void)state;
    assert_int_equal(fold_config(fold).len, 0);
    patient.grace_ns = 30 * NS_PER_S;
    configure(fold, at(-30), &patient);
    fold_write_config(&patient, &text);
    assert_true(slice_equal(fold_config(fold), buffer_slice(&text)));
    send(fold, at(10), 3);
    assert_int_equal(pipeline_next_due(fold_pipeline(fold)), at(90));
    tick(fold, at(89));
    assert_int_equal(out.len, 0);
    tick(fold, at(90));
    assert_text(&out, "4 shop +0 queue 3\n");
    buffer_release(&text);
    fold_free(fold);
    buffer_release(&out);
}

static void journal_without_its_beginning_goes_by_the_initial_options(void **state)
{
    struct buffer out = {0};
    struct fold_options options = options_into(&out);

    (void)state;
    options.initial = &OPTIONS;

    struct fold *fold = fold_new(&options);

    send(fold, at(10), 3);
    assert_int_equal(pipeline_next_due(fold_pipeline(fold)), at(75));
    assert_int_equal(fold_config(fold).len, 0);
    fold_free(fold);
    buffer_release(&out);
}

/* ---- saving ------------------------------------------------------------------------------ */

static bool append(void *self, struct slice bytes)
{
    buffer_append(self, bytes);
    return true;
}

static bool take(void *self, char *to, size_t len)
{
    struct slice *rest = self;

    if (len > rest->len)
        return false;
    memcpy(to, rest->ptr, len);
    *rest = (struct slice){rest->ptr + len, rest->len - len};
    return true;
}

static void loaded_fold_goes_on_as_the_saved_one_would(void **state)
{
    struct buffer first = {0}, second = {0}, bytes = {0};
    struct fold_options options = options_into(&first);
    struct fold *fold = fold_new(&options);
    struct error err;

    (void)state;
    tell(fold, send);
    tick(fold, at(75));
    assert_true(fold_save(fold, append, &bytes));

    struct slice rest = buffer_slice(&bytes);
    struct fold *again = fold_load(
        &(struct fold_options){
            .seed = SEED, .outbox_lsn = 6, .put = note, .self = &second},
        6, take, &rest, &err);

    assert_non_null(again);
    assert_int_equal(rest.len, 0);
    assert_int_equal(fold_lsn(again), 6);
    assert_int_equal(fold_tick_lsn(again), 6);
    assert_int_equal(fold_receive_ns(again), at(75));
    assert_true(slice_equal(fold_config(again), fold_config(fold)));
    send(again, at(80), 12);
    tick(again, at(135));
    assert_text(&second, "8 shop +60 queue 12\n");
    assert_int_equal(pipeline_ledger(fold_pipeline(again))->received, 5);
    assert_true(point_ledger_balances(pipeline_ledger(fold_pipeline(again))));
    fold_free(again);
    fold_free(fold);
    buffer_release(&first);
    buffer_release(&second);
    buffer_release(&bytes);
}

static void bytes_that_are_no_fold_are_refused(void **state)
{
    struct buffer out = {0}, bytes = {0};
    struct fold_options options = options_into(&out);
    struct fold *fold = fold_new(&options);
    struct error err;

    (void)state;
    tell(fold, send);
    assert_true(fold_save(fold, append, &bytes));
    for (size_t len = 0; len < bytes.len; len += len < 200 ? 1 : 97) {
        struct slice rest = {bytes.ptr, len};

        err.kind = ERROR_NONE;
        assert_null(fold_load(&options, 5, take, &rest, &err));
        assert_int_equal(err.kind, ERROR_INVALID);
    }

    struct slice other_lsn = buffer_slice(&bytes), damaged = other_lsn;

    assert_null(fold_load(&options, 4, take, &other_lsn, &err));
    bytes.ptr[0] ^= 1;
    assert_null(fold_load(&options, 5, take, &damaged, &err));
    fold_free(fold);
    buffer_release(&out);
    buffer_release(&bytes);
}

/* ---- the text of options ----------------------------------------------------------------- */

static void options_come_back_from_their_text(void **state)
{
    struct pipeline_options odd = OPTIONS;
    struct buffer text = {0}, again = {0};
    struct fold_config config;

    (void)state;
    odd.default_service = "two\nlines 9 x";
    odd.max_streams = 12345;
    odd.budgets = (struct pipeline_budgets){.host_metrics = 1,
                                            .service_metrics = 2,
                                            .all_service_metrics = 3,
                                            .hosts = 4,
                                            .attribute_values = 5,
                                            .refuses = 1};
    odd.native_metrics = NULL;
    odd.native_policy = "disks.ignore ^a\n";
    fold_write_config(&odd, &text);
    assert_true(fold_config_read(buffer_slice(&text), &config));
    assert_int_equal(config.options.grace_ns, odd.grace_ns);
    assert_int_equal(config.options.lateness_ns, odd.lateness_ns);
    assert_int_equal(config.options.max_streams, 12345);
    assert_int_equal(config.options.budgets.host_metrics, 1);
    assert_int_equal(config.options.budgets.service_metrics, 2);
    assert_int_equal(config.options.budgets.all_service_metrics, 3);
    assert_int_equal(config.options.budgets.hosts, 4);
    assert_int_equal(config.options.budgets.attribute_values, 5);
    assert_int_equal(config.options.budgets.refuses, 1);
    assert_string_equal(config.options.default_service, "two\nlines 9 x");
    assert_string_equal(config.options.native_metrics, "");
    assert_string_equal(config.options.native_policy, "disks.ignore ^a\n");
    fold_write_config(&config.options, &again);
    assert_true(slice_equal(buffer_slice(&text), buffer_slice(&again)));
    fold_config_release(&config);
    buffer_release(&text);
    buffer_release(&again);
}

static void options_of_a_newer_program_are_read_as_far_as_known(void **state)
{
    static const struct slice text = SLICE("colour 4 blue\ngrace_ns 3 123\n");
    struct fold_config config;

    (void)state;
    assert_true(fold_config_read(text, &config));
    assert_int_equal(config.options.grace_ns, 123);
    assert_int_equal(config.options.lateness_ns, 0);
    fold_config_release(&config);
}

static void text_that_is_no_options_is_refused(void **state)
{
    static const char *const texts[] = {
        "grace_ns",
        "grace_ns 3",
        "grace_ns 3 12",
        "grace_ns 3 123",
        "grace_ns 3 123x",
        "grace_ns 3 12x\n",
        "grace_ns 0 \n",
        "grace_ns -1 1\n",
        "grace_ns 20 18446744073709551616\n",
        "grace_ns 99999999999999999999 1\n",
        "default_service 4 shop\ngrace_ns 1 x\n",
    };
    struct fold_config config;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(fold_config_read(slice_of(texts[i]), &config));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_that_are_read_back_give_what_decoded_ones_gave),
        cmocka_unit_test(ticks_that_the_outbox_has_emit_nothing),
        cmocka_unit_test(tick_with_nothing_to_close_is_no_tick_that_the_outbox_must_have),
        cmocka_unit_test(undecodable_body_changes_nothing_and_is_counted),
        cmocka_unit_test(configuration_is_in_force_from_its_record_on),
        cmocka_unit_test(journal_without_its_beginning_goes_by_the_initial_options),
        cmocka_unit_test(loaded_fold_goes_on_as_the_saved_one_would),
        cmocka_unit_test(bytes_that_are_no_fold_are_refused),
        cmocka_unit_test(options_come_back_from_their_text),
        cmocka_unit_test(options_of_a_newer_program_are_read_as_far_as_known),
        cmocka_unit_test(text_that_is_no_options_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
