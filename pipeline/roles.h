/*
 * Lists of Mackerel's roles ("service:role", separated by commas) as Mackerel accepts them: both names
 * by the rules for names of services (reference: Mackerel API, "Services"; roles have the same
 * grammar). Pure functions from text to text.
 */
#ifndef PIPELINE_ROLES_H
#define PIPELINE_ROLES_H

#include "base/buffer.h"
#include "base/slice.h"

/* Appends the roles of a list; also of one that is the text of an array. What is no service:role is
 * left out. */
void roles_append(struct buffer *out, struct slice list);

/* Appends service:role; nothing where one of them is empty. */
void roles_append_one(struct buffer *out, struct slice service, struct slice role);

#endif
