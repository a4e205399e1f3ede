/* lease.h - what the other side grants us for some seconds, and what we ask for again before they are over: a
 * registration (10.2), a subscription of ours (RFC 6665, 4.1.2).
 *
 * One request is on its way at a time. What the user wants meanwhile goes out when its answer is there. 423 raises
 * what is asked for. An engine keeps a struct sb_lease in its record, tells it what the user wants and what the library
 * reports, and does for it what struct sb_lease_calls names. All of it happens under the core's lock.
 *
 * The functions that post an event may end the object: do not use it, its lease or its record afterwards.
 */
#ifndef SB_LEASE_H
#define SB_LEASE_H

#include <stdint.h>

#include "engine.h"
#include "object.h"

struct sb_core;

/* What an engine does for a lease. `state` is the engine's own. */
struct sb_lease_calls {
    /* The user asks for other seconds: send the request, or see to it that the engine's thread does. */
    int (*begin)(void *state, struct sb_object *object);
    /* On the engine's thread: send the request for lease->expires seconds. SB_ESTATE: the library cannot send it yet,
     * and is asked again in a moment. */
    int (*send)(void *state, struct sb_object *object);
    /* Call sb_lease_due(), or sb_subscriber_due(), at this time (sb_monotonic_ms), and at no earlier one. */
    void (*wake)(struct sb_object *object, int64_t at_ms);
    /* Post an event with what a message of the library's tells. NULL: with no message. */
    void (*post)(void *state, sb_event *event, const void *message);
};

struct sb_lease {
    const struct sb_lease_calls *calls;
    int expires;        /* wanted, seconds; 0: to end it */
    int busy;           /* a request is on its way */
    int outdated;       /* `expires` changed while it was */
    int briefs;         /* how often in a row it was too brief for the other side (423) */
    int64_t refresh_ms; /* when to ask again (sb_monotonic_ms) */
    /* Of a subscription: see subscriber.h. */
    int polls;          /* the state as it is now was all that was asked for */
    int notified;       /* a NOTIFY came */
    int64_t notify_ms;  /* when it has failed unless a NOTIFY comes; 0: never */
};

/* The first request is to go. */
void sb_lease_init(struct sb_lease *lease, const struct sb_lease_calls *calls, int expires);

/* The user wants other seconds (0: none any more): ask for them now, or when the answer to the request under way is
 * there. SB_ESTATE: it is ending already. */
int sb_lease_change(struct sb_lease *lease, void *state, struct sb_object *object, int expires);

/* The request went out with the seconds that are wanted now. */
void sb_lease_sent(struct sb_lease *lease);

/* Send the request again; FAILED when that cannot be done. */
void sb_lease_send(struct sb_lease *lease, void *state, struct sb_object *object);

/* The time that `wake` was asked for has come: ask again. It has failed when the library is silent about the request
 * under way, or the notifier has sent no NOTIFY. */
void sb_lease_due(struct sb_lease *lease, void *state, struct sb_object *object);

/* So many seconds are left (0: as many as before): ask again in time. */
void sb_lease_left(struct sb_lease *lease, struct sb_object *object, int seconds);

/* A 2xx, with what it says in its Contact and in Expires (NULL: nothing), both as text. Ask again for what is wanted
 * meanwhile, or it is ACTIVE. Returns 0, and does nothing, when the 2xx is the answer to the end, or grants nothing. */
int sb_lease_goes_on(struct sb_lease *lease, void *state, struct sb_object *object, const char *of_contact,
                     const char *expires, int status, const void *message);

/* Another final response, or none: then status is 408 or 503, and message NULL. min_expires: the seconds in it, or less
 * than 1. is_within: the request went within a dialog. */
void sb_lease_refused(struct sb_lease *lease, void *state, struct sb_object *object, int status, int min_expires,
                      int is_within, const void *message);

/* Post that it is in a new state. reason: NULL for what the message says. */
void sb_lease_post(const struct sb_lease *lease, void *state, const struct sb_object *object, int new_state, int status,
                   const char *reason, int expires, const void *message);

/* Milliseconds after which to ask again for what was granted for some seconds (10.2.4, RFC 6665 4.1.2.2). */
unsigned sb_refresh_ms(int seconds);

#endif
