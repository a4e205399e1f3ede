/* core_private.h - the core's insides, for core.c and contract.c. */
#ifndef SB_CORE_PRIVATE_H
#define SB_CORE_PRIVATE_H

#include <pthread.h>

#include "core.h"
#include "events.h"

struct sb_core {
    pthread_mutex_t mutex;
    void *objects;          /* tsearch() tree of struct sb_object, by id */
    sb_id last_id;
    struct sb_queue *queue; /* has a lock of its own */
    void *state;            /* the backend's */
};

int sb_core_init(struct sb_core *core);
/* Free everything; nobody may be using it. */
void sb_core_clear(struct sb_core *core);

#endif
