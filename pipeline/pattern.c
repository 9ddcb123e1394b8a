#include "pipeline/pattern.h"

#include "base/memory.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>

/*
 * Sensible expressions take a few steps per byte: a thousand steps for a long attribute value. Ten times
 * that is about 0.2 ms, which a flood of new streams can cost each.
 */
enum {
    MATCH_LIMIT = 10000,
    HEAP_LIMIT_KIB = 1024,
    PARENS_LIMIT = 50
};

struct pattern_run {
    pcre2_match_context *context;
    pcre2_match_data *data;
    uint64_t *limits; /* NULL: nobody counts */
};

/* ---- regular expressions ------------------------------------------------------------------ */

static void *allocate(PCRE2_SIZE bytes, void *arena)
{
    return arena_alloc(arena, bytes);
}

/* What lies in an arena ends with it. */
static void keep(void *piece, void *arena)
{
    (void)piece;
    (void)arena;
}

static void *need(void *made)
{
    if (!made)
        abort(); /* out of memory */
    return made;
}

static bool compile_regex(struct pattern *pattern, struct arena *arena, struct error *err)
{
    pcre2_general_context *memory = need(
        pcre2_general_context_create(allocate, keep, arena));
    pcre2_compile_context *context = need(pcre2_compile_context_create(memory));
    PCRE2_SIZE offset;
    int number;

    pcre2_set_parens_nest_limit(context, PARENS_LIMIT);
    pattern->code = pcre2_compile((PCRE2_SPTR)pattern->text.ptr, pattern->text.len,
                                  PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
                                      PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE,
                                  &number, &offset, context);
    if (pattern->code)
        return true;

    char why[128];

    pcre2_get_error_message(number, (PCRE2_UCHAR *)why, sizeof(why));
    return FAIL(err, ERROR_INVALID, "'/%.*s/' is no regular expression: %s (at byte %zu)",
                SLICE_ARG(pattern->text), why, (size_t)offset);
}

static bool regex_matches(const struct pattern *pattern, struct slice text,
                          struct pattern_run *run)
{
    int found = pcre2_match(pattern->code, (PCRE2_SPTR)text.ptr, text.len, 0, 0,
                            run->data, run->context);

    if (found < 0 && found != PCRE2_ERROR_NOMATCH && run->limits)
        ++*run->limits;
    return found >= 0;
}

struct pattern_run *pattern_run_new(void)
{
    struct pattern_run *run = memory_new(1, sizeof(*run));

    run->context = need(pcre2_match_context_create(NULL));
    run->data = need(pcre2_match_data_create(1, NULL));
    pcre2_set_match_limit(run->context, MATCH_LIMIT);
    pcre2_set_heap_limit(run->context, HEAP_LIMIT_KIB);
    return run;
}

void pattern_run_free(struct pattern_run *run)
{
    if (!run)
        return;
    pcre2_match_data_free(run->data);
    pcre2_match_context_free(run->context);
    free(run);
}

void pattern_run_count_in(struct pattern_run *run, uint64_t *limits)
{
    run->limits = limits;
}

/* ---- globs -------------------------------------------------------------------------------- */

/* The place behind the code point at `at`; stray continuation bytes are one each. */
static size_t behind(struct slice text, size_t at)
{
    bool is_lead = ((unsigned char)text.ptr[at++] & 0xC0) == 0xC0;

    while (is_lead && at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80)
        at++;
    return at;
}

/* Only the last star needs to be tried again: what an earlier one could take, it can take too. */
static bool glob_matches(struct slice glob, struct slice text)
{
    size_t g = 0, t = 0, star = glob.len, again = 0;

    while (t < text.len) {
        if (g < glob.len && glob.ptr[g] == '*') {
            star = g++;
            again = t;
        } else if (g < glob.len && glob.ptr[g] == '?') {
            g++;
            t = behind(text, t);
        } else if (g < glob.len && glob.ptr[g] == text.ptr[t]) {
            g++;
            t++;
        } else if (star < glob.len) {
            g = star + 1;
            t = again = behind(text, again);
        } else {
            return false;
        }
    }
    while (g < glob.len && glob.ptr[g] == '*')
        g++;
    return g == glob.len;
}

/* ---- all ---------------------------------------------------------------------------------- */

static struct slice copy(struct arena *arena, const char *ptr, size_t len)
{
    char *to = arena_alloc(arena, len + 1);

    if (len)
        memcpy(to, ptr, len);
    return (struct slice){to, len};
}

bool pattern_compile(struct pattern *pattern, struct slice text, struct arena *arena,
                     struct error *err)
{
    bool is_regex = text.len > 1 && text.ptr[0] == '/' && text.ptr[text.len - 1] == '/';

    if (text.len > PATTERN_MAX_BYTES)
        return FAIL(err, ERROR_INVALID, "a pattern of over %d bytes", PATTERN_MAX_BYTES);
    *pattern = (struct pattern){.kind = PATTERN_EQUAL};
    if (is_regex) {
        pattern->kind = PATTERN_REGEX;
        pattern->text = copy(arena, text.ptr + 1, text.len - 2);
        return compile_regex(pattern, arena, err);
    }
    if (text.len && (memchr(text.ptr, '*', text.len) || memchr(text.ptr, '?', text.len)))
        pattern->kind = PATTERN_GLOB;
    pattern->text = copy(arena, text.ptr, text.len);
    return true;
}

bool pattern_matches(const struct pattern *pattern, struct slice text,
                     struct pattern_run *run)
{
    switch (pattern->kind) {
    case PATTERN_EQUAL: return slice_equal(pattern->text, text);
    case PATTERN_GLOB: return glob_matches(pattern->text, text);
    case PATTERN_REGEX: return regex_matches(pattern, text, run);
    }
    return false;
}

bool pattern_list_matches(const struct pattern_list *list, struct slice text,
                          struct pattern_run *run)
{
    for (size_t i = 0; i < list->count; i++)
        if (pattern_matches(&list->items[i], text, run))
            return true;
    return false;
}
