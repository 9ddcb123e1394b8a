#include "base/log.h"

#include "base/clock.h"
#include "base/number.h"
#include "base/utf8.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};
static_assert(sizeof(level_names) / sizeof(level_names[0]) == LOG_DEBUG + 1,
              "all levels");

/* The permitted globals (style.md): a log line may come from anywhere. */
static _Atomic int current_level = LOG_INFO;
static _Atomic int current_format = LOG_LOGFMT;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&current_level, (int)level, memory_order_relaxed);
}

void log_set_format(enum log_format format)
{
    atomic_store_explicit(&current_format, (int)format, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&current_level, memory_order_relaxed);
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

bool log_level_parse(struct slice text, enum log_level *level)
{
    for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
        if (slice_is(text, level_names[i])) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_format_parse(struct slice text, enum log_format *format)
{
    if (slice_is(text, "json"))
        *format = LOG_JSON;
    else if (slice_is(text, "logfmt") || slice_is(text, "auto"))
        *format = LOG_LOGFMT;
    else
        return false;
    return true;
}

static void put_codepoint(struct buffer *out, struct slice bytes, uint32_t codepoint)
{
    /* C0, DEL, C1 and the two line separators: what a terminal or a viewer may act on. */
    bool is_control = codepoint < 0x20 || (codepoint >= 0x7F && codepoint < 0xA0) ||
                      codepoint == 0x2028 || codepoint == 0x2029;

    if (codepoint == '"' || codepoint == '\\')
        buffer_printf(out, "\\%c", (char)codepoint);
    else if (codepoint == '\n')
        buffer_append_text(out, "\\n");
    else if (codepoint == '\t')
        buffer_append_text(out, "\\t");
    else if (is_control)
        buffer_printf(out, "\\u%04" PRIx32, codepoint);
    else
        utf8_sanitize(bytes, out); /* a malformed part becomes U+FFFD */
}

static void put_quoted(struct buffer *out, struct slice text)
{
    size_t len = text.len < LOG_TEXT_MAX ? text.len : LOG_TEXT_MAX;
    struct slice rest = {text.ptr, len};
    uint32_t codepoint;

    buffer_append_char(out, '"');
    for (struct slice before = rest; utf8_next(&rest, &codepoint); before = rest)
        put_codepoint(out, (struct slice){before.ptr, (size_t)(rest.ptr - before.ptr)},
                      codepoint);
    if (len < text.len)
        buffer_append_text(out, "...");
    buffer_append_char(out, '"');
}

/* Can logfmt do without quotes? */
static bool is_bare(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || strchr("\"=\\", text.ptr[i]))
            return false;
    return text.len > 0 && text.len <= LOG_TEXT_MAX;
}

static void put_double(struct buffer *out, double value)
{
    char text[NUMBER_TEXT_MAX];

    if (isfinite(value))
        buffer_append(out, (struct slice){text, number_format(value, text)});
    else
        buffer_append_text(out, isnan(value) ? "\"NaN\""
                                : value > 0  ? "\"+Inf\""
                                             : "\"-Inf\"");
}

static void put_text(struct buffer *out, struct slice text, enum log_format format)
{
    if (format == LOG_LOGFMT && is_bare(text))
        buffer_append(out, text);
    else
        put_quoted(out, text);
}

static void put_value(struct buffer *out, const struct log_field *field,
                      enum log_format format)
{
    switch (field->type) {
    case LOG_TYPE_TEXT: put_text(out, field->text, format); return;
    case LOG_TYPE_UINT: buffer_printf(out, "%" PRIu64, field->as_uint); return;
    case LOG_TYPE_INT: buffer_printf(out, "%" PRId64, field->as_int); return;
    case LOG_TYPE_DOUBLE: put_double(out, field->as_double); return;
    case LOG_TYPE_BOOL:
        buffer_append_text(out, field->as_bool ? "true" : "false");
        return;
    }
}

static void put_time(struct buffer *out, uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / 1000000000);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    buffer_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", utc.tm_year + 1900,
                  utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                  (unsigned)(time_ns / 1000000 % 1000));
}

void log_render(const struct log_line *line, enum log_format format, struct buffer *out)
{
    bool is_json = format == LOG_JSON;

    buffer_append_text(out, is_json ? "{\"time\":\"" : "time=");
    put_time(out, line->time_ns);
    buffer_printf(out, is_json ? "\",\"level\":\"%s\",\"msg\":" : " level=%s msg=",
                  level_names[line->level]);
    put_text(out, slice_of(line->message), format);
    for (size_t i = 0; i < line->count; i++) {
        buffer_printf(out, is_json ? ",\"%s\":" : " %s=", line->fields[i].key);
        put_value(out, &line->fields[i], format);
    }
    buffer_append_text(out, is_json ? "}\n" : "\n");
}

void log_write(enum log_level level, const char *message, const struct log_field *fields,
               size_t count)
{
    if (!log_enabled(level))
        return;

    struct log_line line = {clock_now_ns(), level, message, fields, count};
    struct buffer out = {0};
    int saved = errno;

    log_render(&line, (enum log_format)atomic_load(&current_format), &out);
    /* A log that cannot be written has nobody to tell. */
    ssize_t ignored = write(STDERR_FILENO, out.ptr, out.len);

    (void)ignored;
    buffer_release(&out);
    errno = saved;
}

bool log_limit_allows(struct log_limit *limit, uint64_t monotonic_ns,
                      uint64_t *suppressed)
{
    if (limit->since_ns == 0 || monotonic_ns - limit->since_ns >= limit->interval_ns) {
        limit->since_ns = monotonic_ns;
        limit->used = 0;
    }
    if (limit->used >= limit->burst) {
        limit->held_back++;
        return false;
    }
    limit->used++;
    *suppressed = limit->held_back;
    limit->held_back = 0;
    return true;
}
