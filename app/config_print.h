/*
 * The configuration's table, written out: for people, for editors, and as it is in force.
 */
#ifndef APP_CONFIG_PRINT_H
#define APP_CONFIG_PRINT_H

#include "app/config.h"
#include "base/buffer.h"

/* key = value lines, secrets starred. */
void config_print_values(const struct config *config, struct buffer *out);
/* JSON Schema (draft 2020-12) for the YAML file. */
void config_print_schema(struct buffer *out);
/* docs/configuration.md. */
void config_print_docs(struct buffer *out);

#endif
