#include "app/config_value.h"

#include "base/memory.h"
#include "base/number.h"
#include "pipeline/native_policy.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"B", 1},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
    {"KB", UINT64_C(1000)},
    {"MB", UINT64_C(1000000)},
    {"GB", UINT64_C(1000000000)},
    {NULL, 0},
};

static const struct unit duration_units[] = {
    {"ms", UINT64_C(1000000)},
    {"s", UINT64_C(1000000000)},
    {"m", UINT64_C(60000000000)},
    {"h", UINT64_C(3600000000000)},
    {NULL, 0},
};

static void *field(const struct config *config, const struct config_key *key)
{
    return (char *)(uintptr_t)config + key->offset;
}

static bool take_digits(struct slice *text, uint64_t *number)
{
    size_t len = 0;

    *number = 0;
    while (len < text->len && text->ptr[len] >= '0' && text->ptr[len] <= '9') {
        uint64_t digit = (uint64_t)(text->ptr[len] - '0');

        if (*number > (UINT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
        len++;
    }
    *text = (struct slice){text->ptr + len, text->len - len};
    return len > 0;
}

static const struct unit *take_unit(struct slice *text, const struct unit *units)
{
    size_t len = 0;

    while (len < text->len && (text->ptr[len] < '0' || text->ptr[len] > '9'))
        len++;
    for (; units->name; units++) {
        if (!slice_is((struct slice){text->ptr, len}, units->name))
            continue;
        *text = (struct slice){text->ptr + len, text->len - len};
        return units;
    }
    return NULL;
}

/* A sum of numbers with units, 1h30m; a plain number has the factor 1 where `plain` is allowed. */
static bool read_quantity(struct slice text, const struct unit *units, bool plain,
                          uint64_t *quantity)
{
    uint64_t sum = 0, number;

    do {
        if (!take_digits(&text, &number))
            return false;
        if (text.len == 0 && (plain || number == 0)) {
            *quantity = sum + number;
            return true;
        }

        const struct unit *unit = take_unit(&text, units);

        if (!unit || number > (UINT64_MAX - sum) / unit->factor)
            return false;
        sum += number * unit->factor;
    } while (text.len);
    *quantity = sum;
    return true;
}

static void set_count(struct config *config, const struct config_key *key,
                      struct slice text, struct place place, struct problems *problems)
{
    uint64_t count;

    if (!number_parse(text, &count))
        problems_add(problems, place, "%s: '%.*s' is not a number", key->path,
                     SLICE_ARG(text));
    else if (count < key->min || count > key->max)
        problems_add(problems, place, "%s: '%.*s' is out of range", key->path,
                     SLICE_ARG(text));
    else
        *(uint64_t *)field(config, key) = count;
}

static void set_quantity(struct config *config, const struct config_key *key,
                         struct slice text, struct place place, struct problems *problems)
{
    bool is_size = key->type == CONFIG_SIZE;
    uint64_t quantity;

    if (!read_quantity(text, is_size ? size_units : duration_units, is_size, &quantity))
        problems_add(
            problems, place, "%s: '%.*s' is not a %s", key->path, SLICE_ARG(text),
            is_size ? "size (64MiB, 1GB, 4096)" : "duration (15s, 5m, 1h30m, 500ms)");
    else if (quantity < key->min || quantity > key->max)
        problems_add(problems, place, "%s: '%.*s' is out of range", key->path,
                     SLICE_ARG(text));
    else
        *(uint64_t *)field(config, key) = quantity;
}

static void set_text(struct config *config, const struct config_key *key,
                     struct slice text)
{
    char **to = field(config, key);

    free(*to);
    *to = memory_copy(text);
}

static void set_bool(struct config *config, const struct config_key *key,
                     struct slice text, struct place place, struct problems *problems)
{
    if (!slice_is(text, "true") && !slice_is(text, "false"))
        problems_add(problems, place, "%s: '%.*s' is neither true nor false", key->path,
                     SLICE_ARG(text));
    else
        *(bool *)field(config, key) = slice_is(text, "true");
}

static void set_choice(struct config *config, const struct config_key *key,
                       struct slice text, struct place place, struct problems *problems)
{
    struct buffer known = {0};

    if (slice_is(text, key->fallback)) { /* which may be none of them: not set */
        set_text(config, key, text);
        return;
    }
    for (size_t i = 0; i < CONFIG_CHOICES && key->choices[i]; i++) {
        if (slice_is(text, key->choices[i])) {
            set_text(config, key, text);
            buffer_release(&known);
            return;
        }
        buffer_printf(&known, "%s%s", i ? ", " : "", key->choices[i]);
    }
    problems_add(problems, place, "%s: '%.*s' is none of: %.*s", key->path,
                 SLICE_ARG(text), SLICE_ARG(known));
    buffer_release(&known);
}

static void set_regex(struct config *config, const struct config_key *key,
                      struct slice text, struct place place, struct problems *problems)
{
    struct error err = {0};

    if (text.len && !native_policy_check(text, &err))
        problems_add(problems, place, "%s: %s", key->path, err.text);
    else
        set_text(config, key, text);
}

/* host:port or [address]:port, with a port of at most 65535. */
static bool is_endpoint(struct slice text)
{
    size_t colon = text.len;
    uint64_t port;

    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return false;

    struct slice digits = {text.ptr + colon, text.len - colon};
    struct slice host = {text.ptr, colon - 1};
    bool is_bracketed = host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';

    return take_digits(&digits, &port) && digits.len == 0 && port <= UINT16_MAX &&
           (is_bracketed || !memchr(host.ptr, ':', host.len));
}

static void set_endpoint(struct config *config, const struct config_key *key,
                         struct slice text, struct place place, struct problems *problems)
{
    if (is_endpoint(text))
        set_text(config, key, text);
    else
        problems_add(problems, place, "%s: '%.*s' is not host:port", key->path,
                     SLICE_ARG(text));
}

void config_value_clear_list(struct config *config, const struct config_key *key)
{
    struct config_list *list = field(config, key);

    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct config_list){0};
}

void config_value_append(struct config *config, const struct config_key *key,
                         struct slice text)
{
    struct config_list *list = field(config, key);

    list->items = memory_resize(list->items, list->count + 1, sizeof(*list->items));
    list->items[list->count++] = memory_copy(text);
}

bool config_value_is_choice(const struct config_key *key, struct slice text,
                            struct place place, struct problems *problems)
{
    for (size_t i = 0; i < CONFIG_CHOICES && key->choices[i]; i++)
        if (slice_is(text, key->choices[i]))
            return true;
    if (key->choices[0])
        problems_add(problems, place, "%s: there is no '%.*s'", key->path,
                     SLICE_ARG(text));
    return !key->choices[0];
}

/* One item; where items are choices, several with commas. */
static void set_list(struct config *config, const struct config_key *key,
                     struct slice text, struct place place, struct problems *problems)
{
    config_value_clear_list(config, key);
    while (text.len) {
        const char *comma = key->choices[0] ? memchr(text.ptr, ',', text.len) : NULL;
        size_t len = comma ? (size_t)(comma - text.ptr) : text.len;
        struct slice item = {text.ptr, len};

        if (config_value_is_choice(key, item, place, problems))
            config_value_append(config, key, item);
        text = comma ? (struct slice){comma + 1, text.len - len - 1}
                     : (struct slice){text.ptr + len, 0};
    }
}

/* One member of a map, given as key=value. */
static void set_member(struct config *config, const struct config_key *key,
                       struct slice text, struct place place, struct problems *problems)
{
    config_value_clear_list(config, key);
    if (text.len && !memchr(text.ptr, '=', text.len))
        problems_add(problems, place, "%s: '%.*s' is not key=value", key->path,
                     SLICE_ARG(text));
    else if (text.len)
        config_value_append(config, key, text);
}

void config_value_set(struct config *config, const struct config_key *key,
                      struct slice text, struct place place, struct problems *problems)
{
    switch (key->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET: set_text(config, key, text); break;
    case CONFIG_BOOL: set_bool(config, key, text, place, problems); break;
    case CONFIG_SIZE:
    case CONFIG_DURATION: set_quantity(config, key, text, place, problems); break;
    case CONFIG_COUNT: set_count(config, key, text, place, problems); break;
    case CONFIG_ENDPOINT: set_endpoint(config, key, text, place, problems); break;
    case CONFIG_CHOICE: set_choice(config, key, text, place, problems); break;
    case CONFIG_LIST: set_list(config, key, text, place, problems); break;
    case CONFIG_RULES: break; /* app/config_rules.h */
    case CONFIG_REGEX: set_regex(config, key, text, place, problems); break;
    case CONFIG_MAP: set_member(config, key, text, place, problems); break;
    }
}

void config_value_release(struct config *config, const struct config_key *key)
{
    switch (key->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
    case CONFIG_ENDPOINT:
    case CONFIG_RULES:
    case CONFIG_REGEX:
    case CONFIG_CHOICE: free(*(char **)field(config, key)); break;
    case CONFIG_LIST:
    case CONFIG_MAP: config_value_clear_list(config, key); break;
    case CONFIG_BOOL:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
    case CONFIG_COUNT: break;
    }
}

/* The largest unit that divides it, so that 15s does not print as 15000ms. */
static void print_quantity(uint64_t quantity, const struct unit *units,
                           struct buffer *out)
{
    const struct unit *best = NULL;

    for (const struct unit *unit = units; unit->name; unit++)
        if (quantity && quantity % unit->factor == 0 &&
            (!best || unit->factor > best->factor))
            best = unit;
    if (best)
        buffer_printf(out, "%" PRIu64 "%s", quantity / best->factor, best->name);
    else
        buffer_printf(out, "%" PRIu64, quantity);
}

static void print_items(const struct config_list *list, struct buffer *out)
{
    for (size_t i = 0; i < list->count; i++)
        buffer_printf(out, "%s%s", i ? ", " : "", list->items[i]);
}

void config_value_print(const struct config *config, const struct config_key *key,
                        struct buffer *out)
{
    const void *at = field(config, key);

    switch (key->type) {
    case CONFIG_SECRET:
        buffer_append_text(out, **(const char *const *)at ? "****" : "");
        break;
    case CONFIG_TEXT:
    case CONFIG_ENDPOINT:
    case CONFIG_RULES:
    case CONFIG_REGEX:
    case CONFIG_CHOICE: buffer_append_text(out, *(const char *const *)at); break;
    case CONFIG_BOOL:
        buffer_append_text(out, *(const bool *)at ? "true" : "false");
        break;
    case CONFIG_SIZE: print_quantity(*(const uint64_t *)at, size_units, out); break;
    case CONFIG_DURATION:
        print_quantity(*(const uint64_t *)at, duration_units, out);
        break;
    case CONFIG_COUNT: buffer_printf(out, "%" PRIu64, *(const uint64_t *)at); break;
    case CONFIG_LIST:
    case CONFIG_MAP:
        buffer_append_char(out, key->type == CONFIG_LIST ? '[' : '{');
        print_items(at, out);
        buffer_append_char(out, key->type == CONFIG_LIST ? ']' : '}');
        break;
    }
}

const char *config_type_name(enum config_type type)
{
    static const char *const names[] = {
        [CONFIG_TEXT] = "text",
        [CONFIG_SECRET] = "secret",
        [CONFIG_BOOL] = "boolean",
        [CONFIG_SIZE] = "size",
        [CONFIG_DURATION] = "duration",
        [CONFIG_ENDPOINT] = "host:port",
        [CONFIG_CHOICE] = "choice",
        [CONFIG_LIST] = "list",
        [CONFIG_REGEX] = "regular expression",
        [CONFIG_RULES] = "list of rules",
        [CONFIG_MAP] = "map",
        [CONFIG_COUNT] = "number",
    };

    static_assert(sizeof(names) / sizeof(names[0]) == CONFIG_MAP + 1,
                  "one name per type");
    return names[type];
}

/* ---- ${env:VAR} ---------------------------------------------------------------------------- */

static struct slice cut(struct slice text, size_t from)
{
    return (struct slice){text.ptr + from, text.len - from};
}

static const char *find(struct slice text, const char *needle)
{
    return memmem(text.ptr, text.len, needle, strlen(needle));
}

static bool expand_variable(const struct config_expansion *expansion, struct slice inside,
                            struct buffer *out)
{
    const char *dash = find(inside, ":-");
    size_t name_len = dash ? (size_t)(dash - inside.ptr) : inside.len;
    char *name = memory_copy((struct slice){inside.ptr, name_len});
    const char *value = expansion->environment(name);

    if (value)
        buffer_append_text(out, value);
    else if (dash)
        buffer_append(out, cut(inside, name_len + 2));
    else
        problems_add(expansion->problems, expansion->place,
                     "environment variable %s is not set", name);
    free(name);
    return value || dash;
}

bool config_value_expand(const struct config_expansion *expansion, struct slice text,
                         struct buffer *out)
{
    static const char opening[] = "${env:";
    const size_t inside_at = sizeof(opening) - 1;
    bool ok = true;

    while (text.len) {
        const char *end = slice_starts_with(text, opening) ? find(text, "}") : NULL;

        if (slice_starts_with(text, "$$")) {
            buffer_append_char(out, '$');
            text = cut(text, 2);
        } else if (end) {
            size_t len = (size_t)(end - text.ptr);
            struct slice inside = {text.ptr + inside_at, len - inside_at};

            ok &= expand_variable(expansion, inside, out);
            text = cut(text, len + 1);
        } else {
            buffer_append_char(out, *text.ptr);
            text = cut(text, 1);
        }
    }
    return ok;
}
