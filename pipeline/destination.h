/*
 * Where metrics of a resource go: what it says itself (pipeline/identity.h), or the templates of a rule.
 */
#ifndef PIPELINE_DESTINATION_H
#define PIPELINE_DESTINATION_H

#include "pipeline/rule.h"
#include "pipeline/state.h"

/* The destinations that a resource leads to without rules; POOL_NONE where there is none. */
uint32_t destination_of_host(struct pipeline *p, const struct identity *identity);
uint32_t destination_of_service(struct pipeline *p, const struct identity *identity);

/* Sets the family's destination by the rule, wants_host and follows_service. */
void destination_choose(struct pipeline *p, struct family *family,
                        const struct rule *rule, const struct template_source *source);

#endif
