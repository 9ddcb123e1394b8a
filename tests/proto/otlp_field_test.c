#include "proto/otlp_field.h"

#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every message that a request or a response can hold, by walking the generated descriptors. */
enum {
    MESSAGES_MAX = 64
};

struct messages {
    const ProtobufCMessageDescriptor *all[MESSAGES_MAX];
    size_t count;
};

static void collect(struct messages *messages, const ProtobufCMessageDescriptor *message)
{
    for (size_t i = 0; i < messages->count; i++) {
        if (messages->all[i] == message)
            return;
    }
    assert_true(messages->count < MESSAGES_MAX);
    messages->all[messages->count++] = message;
    for (unsigned i = 0; i < message->n_fields; i++) {
        if (message->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
            collect(messages, message->fields[i].descriptor);
    }
}

static struct messages collect_all(void)
{
    struct messages messages = {0};

    collect(
        &messages,
        &opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__descriptor);
    collect(
        &messages,
        &opentelemetry__proto__collector__metrics__v1__export_metrics_service_response__descriptor);
    return messages;
}

/* "opentelemetry.proto.metrics.v1.Metric" -> "Metric" */
static const char *name_in_package(const ProtobufCMessageDescriptor *message)
{
    size_t package = strlen(message->package_name);

    assert_memory_equal(message->name, message->package_name, package);
    return message->name + package + 1;
}

static const struct otlp_field *find_row(const char *message, const char *name)
{
    for (size_t i = 0; i < otlp_field_count; i++) {
        if (strcmp(otlp_fields[i].message, message) == 0 &&
            strcmp(otlp_fields[i].name, name) == 0)
            return &otlp_fields[i];
    }
    return NULL;
}

static const struct {
    enum otlp_field_type ours;
    ProtobufCType generated;
} types[] = {
    {OTLP_FIELD_MESSAGE, PROTOBUF_C_TYPE_MESSAGE},
    {OTLP_FIELD_STRING, PROTOBUF_C_TYPE_STRING},
    {OTLP_FIELD_BYTES, PROTOBUF_C_TYPE_BYTES},
    {OTLP_FIELD_BOOL, PROTOBUF_C_TYPE_BOOL},
    {OTLP_FIELD_ENUM, PROTOBUF_C_TYPE_ENUM},
    {OTLP_FIELD_INT32, PROTOBUF_C_TYPE_INT32},
    {OTLP_FIELD_INT64, PROTOBUF_C_TYPE_INT64},
    {OTLP_FIELD_SINT32, PROTOBUF_C_TYPE_SINT32},
    {OTLP_FIELD_UINT32, PROTOBUF_C_TYPE_UINT32},
    {OTLP_FIELD_UINT64, PROTOBUF_C_TYPE_UINT64},
    {OTLP_FIELD_FIXED64, PROTOBUF_C_TYPE_FIXED64},
    {OTLP_FIELD_SFIXED64, PROTOBUF_C_TYPE_SFIXED64},
    {OTLP_FIELD_DOUBLE, PROTOBUF_C_TYPE_DOUBLE},
};

static bool is_type(enum otlp_field_type ours, ProtobufCType generated)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].ours == ours)
            return types[i].generated == generated;
    }
    return false;
}

static void every_generated_field_is_in_the_table(void **state)
{
    (void)state;
    struct messages messages = collect_all();

    for (size_t i = 0; i < messages.count; i++) {
        const ProtobufCMessageDescriptor *message = messages.all[i];

        for (unsigned j = 0; j < message->n_fields; j++) {
            const ProtobufCFieldDescriptor *field = &message->fields[j];
            const struct otlp_field *row = find_row(name_in_package(message),
                                                    field->name);

            if (!row) {
                fail_msg("%s.%s is not in the table", message->name, field->name);
                return;
            }
            assert_int_equal(row->number, field->id);
            assert_true(is_type(row->type, field->type));
            assert_int_equal(row->repeated, field->label == PROTOBUF_C_LABEL_REPEATED);
        }
    }
}

static void the_table_has_no_other_fields(void **state)
{
    (void)state;
    struct messages messages = collect_all();
    size_t fields = 0;

    for (size_t i = 0; i < messages.count; i++)
        fields += messages.all[i]->n_fields;
    assert_int_equal(otlp_field_count, fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_generated_field_is_in_the_table),
        cmocka_unit_test(the_table_has_no_other_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
