/*
 * A look into the engine's pipeline from another thread: it waits until the engine's thread comes by,
 * which runs the look between two records. The look sees a whole state and must be short: meanwhile
 * nothing is applied.
 */
#ifndef APP_INSPECTION_H
#define APP_INSPECTION_H

#include "base/compiler.h"
#include "pipeline/pipeline.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef void inspection_look(void *self, const struct pipeline *pipeline);

struct inspection {
    pthread_mutex_t lock;
    pthread_cond_t served;
    atomic_bool is_wanted; /* to be asked without the lock */
    inspection_look *look; /* NULL: none, or it was served */
    void *self;
};

/* How long an engine may need until it comes by; it closes minutes for less than that. */
enum {
    INSPECTION_TIMEOUT_S = 5
};

void inspection_init(struct inspection *inspection);
void inspection_release(struct inspection *inspection);

/* Any thread, one at a time. `wake` brings the engine's thread here. False: it did not come in time, and
 * the look was and will not be run. */
bool inspection_ask(struct inspection *inspection, inspection_look *look, void *self,
                    void (*wake)(void *engine), void *engine) MUST_CHECK;

/* The engine's thread. */
void inspection_serve(struct inspection *inspection, const struct pipeline *pipeline);

#endif
