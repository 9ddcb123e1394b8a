/*
 * Rules as one canonical text: what pipeline options carry, the journal keeps and the checkpoint holds,
 * so that replay and restore follow the same rules. It is JSON, which is YAML: a list of the
 * user's rules and behind it those of the packs that are on. A rule without a name gets one.
 */
#ifndef PIPELINE_RULE_TEXT_H
#define PIPELINE_RULE_TEXT_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/yaml.h"
#include "pipeline/rule.h"

/* A text is begun, gets rules from a tree (NULL: none; prefix: see rule_read()) and is ended. */
void rule_text_begin(struct buffer *out);
void rule_text_add(struct buffer *out, const struct yaml_node *list, const char *prefix);
/* False when there is no pack of that name. */
bool rule_text_add_pack(struct buffer *out, const char *name) MUST_CHECK;
void rule_text_end(struct buffer *out);

/* The packs that are on without any configuration. */
void rule_text_default(struct buffer *out);

/* The rules of a canonical text; "" and what does not compile (a newer program wrote it) are the
 * default. */
struct rules *rule_text_compile(const char *text);

#endif
