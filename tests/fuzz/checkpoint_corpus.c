/*
 * Writes the corpus of checkpoint_fuzz: the states of a story after some of its steps.
 *
 *   checkpoint_corpus FOLDER STEP...
 */
#include "pipeline/checkpoint.h"
#include "tests/pipeline/story.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static bool put(void *self, struct slice bytes)
{
    return fwrite(bytes.ptr, 1, bytes.len, self) == bytes.len;
}

static void write_state(const char *folder, int steps)
{
    struct scene *scene = story_begin();
    char path[4096];
    FILE *file;

    for (int step = 0; step < steps; step++)
        story_step(scene, step);
    snprintf(path, sizeof(path), "%s/after-%d-steps", folder, steps);
    file = fopen(path, "wb");
    if (!file || !pipeline_save(scene->pipeline, put, file) || fclose(file) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    scene_free(scene);
}

int main(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        write_state(argv[1], (int)strtol(argv[i], NULL, 10));
    return argc > 2 ? 0 : 1;
}
