/*
 * A story for tests of saving and loading: every kind of stream, every kind of trouble, as a list of
 * numbered steps over a quarter of an hour, and once more a day later. A step is one request or one change of
 * the configuration; what was due before it is ticked first.
 */
#ifndef TESTS_PIPELINE_STORY_H
#define TESTS_PIPELINE_STORY_H

#include "tests/pipeline/scene.h"

/* How many steps there are. */
int story_length(void);

struct scene *story_begin(void);
void story_step(struct scene *scene, int step);
/* Lets everything close. */
void story_end(struct scene *scene);

/* Goes on with a pipeline that comes from damaged bytes, whatever comes out; frees it. */
void story_survive(struct pipeline *pipeline);

#endif
