#include "app/fold_config.h"

#include "base/memory.h"
#include "base/number.h"
#include "pipeline/container_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    NUMBER_MAX = 20 /* digits of 2^64 */
};

/* ---- writing ----------------------------------------------------------------------------- */

static void put_text(struct buffer *out, const char *name, const char *value)
{
    struct slice text = slice_of(value ? value : "");

    buffer_printf(out, "%s %zu ", name, text.len);
    buffer_append(out, text);
    buffer_append_char(out, '\n');
}

static void put_number(struct buffer *out, const char *name, uint64_t value)
{
    char text[NUMBER_MAX + 1];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    put_text(out, name, text);
}

static const struct {
    const char *name;
    size_t at;
} budgets[] = {
    {"host_metrics", offsetof(struct pipeline_budgets, host_metrics)},
    {"service_metrics", offsetof(struct pipeline_budgets, service_metrics)},
    {"all_service_metrics", offsetof(struct pipeline_budgets, all_service_metrics)},
    {"hosts", offsetof(struct pipeline_budgets, hosts)},
    {"attribute_values", offsetof(struct pipeline_budgets, attribute_values)},
};

static void put_budgets(struct buffer *out, const struct pipeline_budgets *of)
{
    for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
        uint32_t number;

        memcpy(&number, (const char *)of + budgets[i].at, sizeof(number));
        put_number(out, budgets[i].name, number);
    }
    put_number(out, "budgets_refuse", of->refuses);
}

void fold_config_write(const struct pipeline_options *options, struct buffer *out)
{
    put_number(out, "grace_ns", options->grace_ns);
    put_number(out, "lateness_ns", options->lateness_ns);
    put_number(out, "max_streams", options->max_streams);
    put_budgets(out, &options->budgets);
    put_text(out, "default_service", options->default_service);
    put_text(out, "native_metrics", options->native_metrics);
    put_text(out, "rules", options->rules);
    put_text(out, "native_policy", options->native_policy);
    put_text(out, "container_mode",
             container_mode_name((enum container_mode)options->container_mode));
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Cuts what stands before the first `end` off the text. */
static bool cut(struct slice *text, char end, struct slice *head)
{
    const char *at = text->len ? memchr(text->ptr, end, text->len) : NULL;

    if (!at)
        return false;
    head->ptr = text->ptr;
    head->len = (size_t)(at - text->ptr);
    text->len -= head->len + 1;
    text->ptr = at + 1;
    return true;
}

static bool cut_field(struct slice *text, struct slice *name, struct slice *value)
{
    struct slice digits;
    uint64_t len;

    if (!cut(text, ' ', name) || !cut(text, ' ', &digits) ||
        !number_parse(digits, &len) || len >= text->len || text->ptr[len] != '\n')
        return false;
    *value = (struct slice){text->ptr, (size_t)len};
    text->ptr += len + 1;
    text->len -= (size_t)len + 1;
    return true;
}

static void take_text(char **place, struct slice value)
{
    free(*place);
    *place = memory_copy(value);
}

static bool take_size(struct slice value, size_t *size)
{
    uint64_t number;

    if (!number_parse(value, &number) || number > SIZE_MAX)
        return false;
    *size = (size_t)number;
    return true;
}

/* What a newer program has larger is as large as we can have it. */
static void take_budget(struct fold_config *config, struct slice name, struct slice value)
{
    uint64_t number;
    uint32_t narrow;

    if (!number_parse(value, &number))
        return;
    narrow = number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
    for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++)
        if (slice_is(name, budgets[i].name))
            memcpy((char *)&config->options.budgets + budgets[i].at, &narrow,
                   sizeof(narrow));
    if (slice_is(name, "budgets_refuse"))
        config->options.budgets.refuses = number != 0;
}

static bool take_field(struct fold_config *config, struct slice name, struct slice value)
{
    if (slice_is(name, "grace_ns"))
        return number_parse(value, &config->options.grace_ns);
    if (slice_is(name, "lateness_ns"))
        return number_parse(value, &config->options.lateness_ns);
    if (slice_is(name, "max_streams"))
        return take_size(value, &config->options.max_streams);
    if (slice_is(name, "default_service"))
        take_text(&config->default_service, value);
    if (slice_is(name, "rules"))
        take_text(&config->rules, value);
    if (slice_is(name, "native_metrics"))
        take_text(&config->native_metrics, value);
    if (slice_is(name, "native_policy"))
        take_text(&config->native_policy, value);
    if (slice_is(name, "container_mode"))
        config->options.container_mode = (uint8_t)container_mode_of(value);
    take_budget(config, name, value);
    return true;
}

bool fold_config_read(struct slice text, struct fold_config *config)
{
    struct slice name, value;

    *config = (struct fold_config){0};
    while (text.len > 0)
        if (!cut_field(&text, &name, &value) || !take_field(config, name, value)) {
            fold_config_release(config);
            return false;
        }
    config->options.default_service = config->default_service;
    config->options.native_metrics = config->native_metrics;
    config->options.rules = config->rules;
    config->options.native_policy = config->native_policy;
    return true;
}

void fold_config_release(struct fold_config *config)
{
    free(config->default_service);
    free(config->native_metrics);
    free(config->rules);
    free(config->native_policy);
    *config = (struct fold_config){0};
}
