#include "proto/otlp_field.h"

#define FIELD_ROW(message, constant, number, type, repeated, of, name) \
    {of, name, number, OTLP_FIELD_##type, repeated},

const struct otlp_field otlp_fields[] = {OTLP_FIELDS(FIELD_ROW)};
const size_t otlp_field_count = sizeof otlp_fields / sizeof *otlp_fields;
