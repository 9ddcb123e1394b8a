#include "pipeline/ecs_task.h"

/* What follows the last slash; empty without one. */
static struct slice last_part(struct slice arn)
{
    size_t at = arn.len;

    while (at > 0 && arn.ptr[at - 1] != '/')
        at--;
    return at == 0 ? (struct slice)SLICE("") : (struct slice){arn.ptr + at, arn.len - at};
}

struct slice ecs_task_id(const struct traits *traits)
{
    return last_part(traits_get(traits, TRAIT_TASK_ARN));
}

/* The part of the task's ARN before the last. */
static struct slice cluster_of_task(struct slice arn)
{
    size_t id_len = last_part(arn).len;

    return id_len ? last_part((struct slice){arn.ptr, arn.len - id_len - 1})
                  : (struct slice)SLICE("");
}

static struct slice cluster(const struct traits *traits)
{
    return traits_either(last_part(traits_get(traits, TRAIT_TASK_CLUSTER_ARN)),
                         cluster_of_task(traits_get(traits, TRAIT_TASK_ARN)));
}

bool ecs_task_is_host(const struct traits *traits)
{
    return ecs_task_id(traits).len &&
           !slice_is(traits_get(traits, TRAIT_TASK_LAUNCH_TYPE), "ec2");
}

void ecs_task_append(struct buffer *out, const struct traits *traits, struct slice id)
{
    struct slice of = cluster(traits);

    buffer_append(out, id);
    if (of.len) {
        buffer_append_char(out, '.');
        buffer_append(out, of);
    }
}
