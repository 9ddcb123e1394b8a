/*
 * Tasks of Amazon ECS, as a resource names them (semantic conventions, aws.ecs.*).
 *
 *   arn:aws:ecs:<region>:<account>:task/<cluster>/<task id>     (before 2018 without the cluster)
 */
#ifndef PIPELINE_ECS_TASK_H
#define PIPELINE_ECS_TASK_H

#include "pipeline/traits.h"

/* The last part of the task's ARN; empty where there is none. */
struct slice ecs_task_id(const struct traits *traits);

/* Does the resource name a task that is not on an EC2 instance of its cluster? There the task is
 * the machine. */
bool ecs_task_is_host(const struct traits *traits);

/* Appends `<id>.<cluster>`, or `<id>` where the cluster is unknown. */
void ecs_task_append(struct buffer *out, const struct traits *traits, struct slice id);

#endif
