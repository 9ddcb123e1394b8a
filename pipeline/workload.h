/*
 * Which workload (deployment, stateful set, daemon set, cron job) a pod belongs to, by its name: for
 * resources that do not say it (k8s.deployment.name and the like). Pods' names change at every rollout
 * and may be no part of metric names.
 *
 * Kubernetes names pods
 *   <replica set>-<5 characters>, the replica set <deployment>-<hash>
 *   <stateful set>-<number>
 *   <daemon set>-<5 characters>
 *   <job>-<5 characters>, a cron job's job <cron job>-<minutes>
 *   <name>-<node> where the kubelet starts them itself (static pods)
 * A hash is made of the characters that k8s.io/apimachinery's SafeEncodeString gives for digits; the 5
 * characters are of its whole alphabet, in which there are no vowels.
 */
#ifndef PIPELINE_WORKLOAD_H
#define PIPELINE_WORKLOAD_H

#include "base/slice.h"

#include <stdbool.h>

/* The beginning of `pod` that names the workload; all of it where nothing looks generated. */
struct slice workload_of_pod(struct slice pod, struct slice node);

/* Likewise of the name of a replica set or a job. */
struct slice workload_of_set(struct slice set);

/* Did the kubelet of that node start the pod itself? */
bool workload_is_static(struct slice pod, struct slice node);

#endif
