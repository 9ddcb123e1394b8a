#include "app/config_print.h"

#include "app/config_value.h"
#include "proto/mackerel.h"

void config_print_values(const struct config *config, struct buffer *out)
{
    for (size_t i = 0; i < config_key_count; i++) {
        buffer_printf(out, "%s = ", config_keys[i].path);
        config_value_print(config, &config_keys[i], out);
        buffer_append_char(out, '\n');
    }
}

/* ---- schema -------------------------------------------------------------------------------- */

static void print_leaf(const struct config_key *key, struct buffer *out)
{
    static const char *const types[] = {
        [CONFIG_TEXT] = "\"string\"",
        [CONFIG_SECRET] = "\"string\"",
        [CONFIG_BOOL] = "\"boolean\"",
        [CONFIG_SIZE] = "[\"string\",\"integer\"]",
        [CONFIG_DURATION] = "\"string\"",
        [CONFIG_COUNT] = "\"integer\"",
        [CONFIG_ENDPOINT] = "\"string\"",
        [CONFIG_CHOICE] = "\"string\"",
        [CONFIG_LIST] = "\"array\",\"items\":{\"type\":\"string\"}",
        [CONFIG_RULES] = "\"array\",\"items\":{\"type\":\"object\"}",
        [CONFIG_REGEX] = "\"string\"",
        [CONFIG_MAP] = "\"object\",\"additionalProperties\":{\"type\":\"string\"}",
    };

    buffer_printf(out, "{\"type\":%s,\"description\":", types[key->type]);
    mackerel_write_string(out, slice_of(key->help));
    if (key->type == CONFIG_CHOICE) {
        buffer_append_text(out, ",\"enum\":[");
        for (size_t i = 0; i < CONFIG_CHOICES && key->choices[i]; i++)
            buffer_printf(out, "%s\"%s\"", i ? "," : "", key->choices[i]);
        if (!*key->fallback) /* not set */
            buffer_append_text(out, ",\"\"");
        buffer_append_char(out, ']');
    }
    buffer_append_char(out, '}');
}

static bool shares_prefix(const char *path, struct slice prefix)
{
    return strlen(path) > prefix.len && memcmp(path, prefix.ptr, prefix.len) == 0;
}

/* The keys from `at` on that begin with the prefix, as the properties of one object. Keys of a
 * section stand together in the table. Returns the first key behind them. */
static size_t print_section(size_t at, struct slice prefix, struct buffer *out)
{
    const char *comma = "";

    buffer_append_text(
        out, "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
    while (at < config_key_count && shares_prefix(config_keys[at].path, prefix)) {
        const char *path = config_keys[at].path, *name = path + prefix.len;
        const char *dot = strchr(name, '.');
        size_t len = dot ? (size_t)(dot - name) : strlen(name);

        buffer_printf(out, "%s\"%.*s\":", comma, (int)len, name);
        comma = ",";
        if (dot)
            at = print_section(at, (struct slice){path, prefix.len + len + 1}, out);
        else
            print_leaf(&config_keys[at++], out);
    }
    buffer_append_text(out, "}}");
    return at;
}

void config_print_schema(struct buffer *out)
{
    print_section(0, (struct slice)SLICE(""), out);
    buffer_append_char(out, '\n');
}

/* ---- docs ---------------------------------------------------------------------------------- */

static void print_choices(const struct config_key *key, struct buffer *out)
{
    for (size_t i = 0; i < CONFIG_CHOICES && key->choices[i]; i++)
        buffer_printf(out, "%s`%s`", i ? ", " : "", key->choices[i]);
}

static void print_row(const struct config_key *key, struct buffer *out)
{
    buffer_printf(out, "| `%s` | ", key->path);
    if (key->type == CONFIG_CHOICE)
        print_choices(key, out);
    else
        buffer_append_text(out, config_type_name(key->type));
    if (*key->fallback)
        buffer_printf(out, " | `%s` | %s", key->fallback, key->help);
    else
        buffer_printf(out, " | | %s", key->help);
    if (key->environment)
        buffer_printf(out, " Environment: `%s`.", key->environment);
    buffer_append_text(out, " |\n");
}

void config_print_docs(struct buffer *out)
{
    buffer_append_text(
        out,
        "# Configuration\n\n"
        "One YAML file, every key optional; `mackerel-otel-gateway config docs` prints this page.\n\n"
        "The later wins: defaults, environment, `--config` (a file, `env:NAME`, or `-`; may be "
        "given several times), `--set key=value`. Without `--config` the text in "
        "`MACKEREL_GATEWAY_CONFIG` is read if there is one. `${env:VAR}` and "
        "`${env:VAR:-default}` are expanded in values; `$$` is a dollar. Unknown keys are errors. "
        "`validate` says everything that is wrong at once, with file, line and column.\n\n"
        "```yaml\n"
        "mackerel: {apikey_file: /etc/mackerel-otel-gateway/apikey}\n"
        "receiver:\n"
        "  grpc: {endpoint: 0.0.0.0:4317}\n"
        "  http: {endpoint: 0.0.0.0:4318}\n"
        "services: {default: my-service}\n"
        "```\n\n"
        "| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < config_key_count; i++)
        print_row(&config_keys[i], out);
}
