/* core_private.h - the core's insides, for itself and the contract. */
#ifndef SB_CORE_PRIVATE_H
#define SB_CORE_PRIVATE_H

#include <pthread.h>

#include "backend.h"
#include "core.h"
#include "flight.h"
#include "queue.h"

struct sb_origin;

/* The shield in front of the library, as the contract finds it. */
struct sb_front {
    int (*take_origin)(struct sb_origin *origin);
    void (*watch)(struct sb_core *core); /* from now on sb_core_trace() each message that passes the shield; NULL: none */
};

enum { SB_TIDY_TICKS = 4 }; /* for so many ticks a library keeps what has ended */

struct sb_core {
    pthread_mutex_t mutex;
    void *objects;          /* tsearch() tree of struct sb_object, by id */
    sb_id last_id;
    struct sb_queue *queue; /* has a lock of its own */
    void *state;            /* the backend's */
    const struct sb_front *front; /* NULL: there is no shield */
    volatile int watched;   /* what sb_core_is_watched() says */
    int closing;            /* what sb_core_closing() says */
    int draining;           /* OPTIONS are answered 503 */
    int traces;             /* the user is told of each message */
    struct sb_flight *flight; /* has a lock of its own; NULL: there is none */
    int tells_options;      /* those outside of calls are the user's to answer */
    size_t removed[SB_TIDY_TICKS]; /* how many objects were removed in each of the last ticks */
    sb_id first_ping;       /* what the numbers of signs of life begin above */
    unsigned pings, pongs;  /* signs of life: asked for, and given; alive.c alone touches these */
    size_t peak;            /* the largest sum of these since memory was last given back */
};

int sb_core_init(struct sb_core *core);
/* Free everything; nobody may be using it. */
void sb_core_clear(struct sb_core *core);

/* closing.c: end calls, registrations and subscriptions, and wait at most grace_ms for the peers to know. */
void sb_core_end_all(struct sb_core *core, int grace_ms);

#endif
