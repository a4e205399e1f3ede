/* lease.h - a lease is granted to us for some seconds, and refreshed before they are over: a registration (10.2), or a
 * subscription of ours (RFC 6665, 4.1.2).
 *
 * One request is on its way at a time; a change that the user wants meanwhile is sent after its answer. After a 423 the
 * lease asks for more seconds. An engine keeps a struct sb_lease in its record, tells it what the user wants and what
 * the library reports, and has the functions of struct sb_lease_calls. All of this happens under the core's lock.
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
    int expires;        /* the seconds to ask for; 0: to end it */
    int busy;           /* a request is on its way */
    int outdated;       /* `expires` changed while that was on its way */
    int briefs;         /* how many times in a row the other side wanted more seconds (423) */
    int64_t refresh_ms; /* when to ask again (sb_monotonic_ms) */
    /* Of a subscription: see subscriber.h. */
    int polls;          /* the user asked for the state once */
    int notified;       /* a NOTIFY came */
    int64_t notify_ms;  /* the time at which it fails if no NOTIFY has come; 0: none */
};

/* Call this before the first request. */
void sb_lease_init(struct sb_lease *lease, const struct sb_lease_calls *calls, int expires);

/* Ask for other seconds (0: end the lease), now or after the answer to the request that is on its way. SB_ESTATE: it is
 * ending already. */
int sb_lease_change(struct sb_lease *lease, void *state, struct sb_object *object, int expires);

/* Note that the request was sent with the present seconds. */
void sb_lease_sent(struct sb_lease *lease);

/* Send the request again. If that cannot be done, the lease has FAILED. */
void sb_lease_send(struct sb_lease *lease, void *state, struct sb_object *object);

/* Refresh the lease, at the time that `wake` was called with. It has failed when the library did not report an answer
 * to the request that is on its way, or when the notifier sent no NOTIFY. */
void sb_lease_due(struct sb_lease *lease, void *state, struct sb_object *object);

/* Note the seconds that are left (0: as many as before), and refresh before they are over. */
void sb_lease_left(struct sb_lease *lease, struct sb_object *object, int seconds);

/* Take a 2xx, with the text of its Contact's expires and of its Expires (NULL: missing). The lease is ACTIVE then, or
 * the next request is sent if the user has changed the seconds meanwhile. Returns 0, and does nothing, when the 2xx is
 * the answer to the request that ends the lease, or grants nothing. */
int sb_lease_goes_on(struct sb_lease *lease, void *state, struct sb_object *object, const char *of_contact,
                     const char *expires, int status, const void *message);

/* Take a final response that is no 2xx. When none came, status is 408 or 503, and message is NULL. min_expires: the
 * seconds in its Min-Expires, or less than 1. is_within: the request was sent within a dialog. */
void sb_lease_refused(struct sb_lease *lease, void *state, struct sb_object *object, int status, int min_expires,
                      int is_within, const void *message);

/* Post an event that tells the new state. reason: NULL for the reason phrase of the message. */
void sb_lease_post(const struct sb_lease *lease, void *state, const struct sb_object *object, int new_state, int status,
                   const char *reason, int expires, const void *message);

/* The milliseconds after which to refresh a lease that was granted for some seconds (10.2.4, RFC 6665 4.1.2.2). */
unsigned sb_refresh_ms(int seconds);

#endif
