/*
 * Templates of rules: a text with attributes in braces, `{a|b}` being the first of them that is there
 * (and not empty).
 *
 *   for names of metrics   attributes of the point, else of the scope, else of the resource; each is one
 *                          segment, `_` where it is missing; {metric} and {unit} are the metric's
 *   for everything else    attributes of the resource, as they are; nothing where one is missing
 *
 * What stands between the braces of a metric's name must be allowed in one, so that a mistake
 * is found when the configuration is read. A compiled template lives in the arena it was made in.
 */
#ifndef PIPELINE_TEMPLATE_H
#define PIPELINE_TEMPLATE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "proto/otlp.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    TEMPLATE_MAX_PARTS = 32
};

/* One of the keys of a piece, or what stands between two pieces. */
struct template_part {
    bool is_literal;
    struct slice *keys; /* each with a NUL behind it; the text, if it is literal */
    size_t key_count;
};

struct template
{
    struct template_part *parts;
    size_t count;
};

/* Where attributes come from; point and scope may be NULL. */
struct template_source {
    const struct otlp_metric *metric;
    const struct otlp_point *point;
    const struct otlp_scope *scope;
    const struct otlp_resource *resource;
};

bool template_compile(struct template *template, struct slice text, struct arena *arena,
                      struct error *err) MUST_CHECK;
/* Also checks that it can be (part of) the name of a metric. */
bool template_compile_name(struct template *template, struct slice text,
                           struct arena *arena, struct error *err) MUST_CHECK;

/* Appends the text; false, with nothing appended, where an attribute is missing. */
bool template_append(const struct template *template,
                     const struct template_source *source, struct buffer *out) MUST_CHECK;

/* Appends the name of a metric. */
void template_append_name(const struct template *template,
                          const struct template_source *source, struct buffer *out);

/* Does the name depend on more than the metric? */
bool template_has_attributes(const struct template *template);

/* Appends the value of that key, point before scope before resource; false where there is none. */
bool template_look_up(const struct template_source *source, const char *key,
                      struct buffer *out);

#endif
