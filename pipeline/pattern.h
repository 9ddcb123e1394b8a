/*
 * Patterns of rules, compiled once and matched on first sight of a family or a stream.
 *
 *   a*b?   `*` is any run of characters, `?` is one character (a code point)
 *   /ab+/  a regular expression (PCRE2), anchored nowhere
 *   ab     equality
 *
 * Case matters. A regular expression that needs more steps than MATCH_LIMIT does not match and is
 * counted: attribute values are input, and some expressions take exponential time. Globs take at most
 * pattern x text steps.
 *
 * A compiled pattern lives in the arena that it was made in.
 */
#ifndef PIPELINE_PATTERN_H
#define PIPELINE_PATTERN_H

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Long enough for any name; bounds what compiling and matching can cost. */
enum {
    PATTERN_MAX_BYTES = 512
};

enum pattern_kind {
    PATTERN_EQUAL,
    PATTERN_GLOB,
    PATTERN_REGEX,
};

struct pattern {
    enum pattern_kind kind;
    struct slice
        text;   /* as written; of a regular expression what is between the slashes */
    void *code; /* PATTERN_REGEX */
};

struct pattern_list {
    struct pattern *items;
    size_t count;
};

/* What matching needs; one per thread. */
struct pattern_run;

struct pattern_run *pattern_run_new(void);
void pattern_run_free(struct pattern_run *run);
/* Counts there how often a limit was hit; NULL: nowhere. */
void pattern_run_count_in(struct pattern_run *run, uint64_t *limits);

/* Copies the text. ERROR_INVALID when it is too long or no regular expression. */
bool pattern_compile(struct pattern *pattern, struct slice text, struct arena *arena,
                     struct error *err) MUST_CHECK;

bool pattern_matches(const struct pattern *pattern, struct slice text,
                     struct pattern_run *run);

/* Does any of them match? */
bool pattern_list_matches(const struct pattern_list *list, struct slice text,
                          struct pattern_run *run);

#endif
