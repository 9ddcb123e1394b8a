#include "app/inspection.h"

#include <time.h>

void inspection_init(struct inspection *inspection)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&inspection->served, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&inspection->lock, NULL);
}

void inspection_release(struct inspection *inspection)
{
    pthread_cond_destroy(&inspection->served);
    pthread_mutex_destroy(&inspection->lock);
}

bool inspection_ask(struct inspection *inspection, inspection_look *look, void *self,
                    void (*wake)(void *engine), void *engine)
{
    struct timespec until;
    bool is_served;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += INSPECTION_TIMEOUT_S;
    pthread_mutex_lock(&inspection->lock);
    inspection->look = look;
    inspection->self = self;
    atomic_store(&inspection->is_wanted, true);
    wake(engine);
    while (inspection->look &&
           pthread_cond_timedwait(&inspection->served, &inspection->lock, &until) == 0)
        ;
    is_served = !inspection->look;
    inspection->look = NULL;
    atomic_store(&inspection->is_wanted, false);
    pthread_mutex_unlock(&inspection->lock);
    return is_served;
}

void inspection_serve(struct inspection *inspection, const struct pipeline *pipeline)
{
    if (!atomic_load(&inspection->is_wanted))
        return;
    /* Whoever asked holds out behind the lock, also when his time is up. */
    pthread_mutex_lock(&inspection->lock);
    if (inspection->look)
        inspection->look(inspection->self, pipeline);
    inspection->look = NULL;
    atomic_store(&inspection->is_wanted, false);
    pthread_cond_signal(&inspection->served);
    pthread_mutex_unlock(&inspection->lock);
}
