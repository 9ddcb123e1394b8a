/*
 * The log: one line per event on standard error, logfmt or JSON, written with one write(2), so that
 * lines of several threads do not mix. A line has the time (UTC, milliseconds), the level, a
 * constant message that people can search for, and typed fields that carry what varies:
 *
 *     log_event(LOG_WARN, "host not found", LOG_TEXT("name", name), LOG_UINT("hosts", count));
 *     time=2026-01-02T03:04:05.006Z level=warn msg="host not found" name=web-1 hosts=2
 *
 * Field texts may come from anywhere: control characters are escaped, malformed UTF-8 becomes
 * U+FFFD, and what is over LOG_TEXT_MAX bytes is cut. Secrets must not be given to the log.
 *
 * Level and format are set once at start (or by a reload) and may be read by any thread.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/buffer.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
    LOG_ERROR,
    LOG_WARN,
    LOG_INFO,
    LOG_DEBUG
};

enum log_format {
    LOG_LOGFMT,
    LOG_JSON
};

/* Long enough for an answer's body, short enough that a line fits into a pipe in one piece. */
enum {
    LOG_TEXT_MAX = 1024
};

enum log_type {
    LOG_TYPE_TEXT,
    LOG_TYPE_UINT,
    LOG_TYPE_INT,
    LOG_TYPE_DOUBLE,
    LOG_TYPE_BOOL
};

struct log_field {
    const char *key; /* a constant: snake_case */
    enum log_type type;

    union {
        struct slice text;
        uint64_t as_uint;
        int64_t as_int;
        double as_double;
        bool as_bool;
    };
};

static inline struct log_field log_field_slice(const char *key, struct slice text)
{
    return (struct log_field){.key = key, .type = LOG_TYPE_TEXT, .text = text};
}

/* NULL is logged as an empty text. */
static inline struct log_field log_field_text(const char *key, const char *text)
{
    return log_field_slice(key, slice_of(text ? text : ""));
}

/* The value is a struct slice or a C string. */
#define LOG_TEXT(name, value)           \
    _Generic((value), struct slice      \
             : log_field_slice, default \
             : log_field_text)(name, value)
#define LOG_UINT(name, value) \
    ((struct log_field){.key = (name), .type = LOG_TYPE_UINT, .as_uint = (value)})
#define LOG_INT(name, value) \
    ((struct log_field){.key = (name), .type = LOG_TYPE_INT, .as_int = (value)})
#define LOG_DOUBLE(name, value) \
    ((struct log_field){.key = (name), .type = LOG_TYPE_DOUBLE, .as_double = (value)})
#define LOG_BOOL(name, value) \
    ((struct log_field){.key = (name), .type = LOG_TYPE_BOOL, .as_bool = (value)})

void log_set_level(enum log_level level);
void log_set_format(enum log_format format);
bool log_enabled(enum log_level level);

const char *log_level_name(enum log_level level);
/* Reads error, warn, info, debug; false when it is none of them. */
bool log_level_parse(struct slice text, enum log_level *level);
/* Reads auto (which is logfmt), logfmt, json. */
bool log_format_parse(struct slice text, enum log_format *format);

struct log_line {
    uint64_t time_ns; /* Unix time */
    enum log_level level;
    const char *message;
    const struct log_field *fields;
    size_t count;
};

/* Appends the line with its newline. Pure. */
void log_render(const struct log_line *line, enum log_format format, struct buffer *out);

/* Writes if the level is enabled; use log_event(). */
void log_write(enum log_level level, const char *message, const struct log_field *fields,
               size_t count);

/* An event with at least one field. */
#define log_event(level, message, ...)                                 \
    log_write(level, message, (const struct log_field[]){__VA_ARGS__}, \
              sizeof((const struct log_field[]){__VA_ARGS__}) /        \
                  sizeof(struct log_field))

/* An event without fields. */
static inline void log_message(enum log_level level, const char *message)
{
    log_write(level, message, NULL, 0);
}

/*
 * For events that a peer can cause as often as it likes: at most `burst` lines in each interval.
 * Lives in the object that logs; one thread.
 */
struct log_limit {
    uint64_t interval_ns;
    unsigned burst;
    unsigned used;
    uint64_t since_ns; /* monotonic start of the interval; 0: none yet */
    uint64_t held_back;
};

/*
 * May this event be logged? If so, *suppressed says how many were not since the last one; log it as
 * a field when it is not 0.
 */
bool log_limit_allows(struct log_limit *limit, uint64_t monotonic_ns,
                      uint64_t *suppressed);

#endif
