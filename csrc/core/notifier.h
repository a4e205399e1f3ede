/* notifier.h - a subscription from outside (RFC 6665, 4.2): what we grant, and the NOTIFYs that we send.
 *
 * One NOTIFY is on its way at a time; others wait in their order. An engine keeps a struct sb_notifier in its record
 * and does for it what struct sb_notifier_calls names. All of it happens under the core's lock.
 *
 * The functions that post an event may end the object: do not use it, its notifier or its record afterwards.
 */
#ifndef SB_NOTIFIER_H
#define SB_NOTIFIER_H

#include "engine.h"
#include "object.h"
#include "timers.h"

struct sb_core;

/* What an engine does for a notifier. `state` is the engine's own; a draft is its data for a NOTIFY. */
struct sb_notifier_calls {
    /* Send a NOTIFY. The draft is taken in any case. */
    int (*send)(void *state, struct sb_object *subscription, void *draft);
    void (*drop)(void *draft);
    /* Post an event with what a message of the library's tells. NULL: with no message. */
    void (*post)(void *state, sb_event *event, const void *message);
};

struct sb_notifier {
    const struct sb_notifier_calls *calls;
    int expires; /* the most seconds that are granted */
    int busy;    /* a NOTIFY is on its way */
    int pending; /* the NOTIFYs without an answer, sent or waiting: the engine counts up */
    int count;   /* the NOTIFYs that wait */
    void *waiting[SB_MAX_NOTIFIES];
};

/* The Subscription-State that ends a subscription which has expired, or which the subscriber has ended. */
extern const char SB_RAN_OUT[];

/* The status with which to refuse a new subscription before the user sees it, or 0. event: the value of Event, or
 * NULL. */
int sb_notifier_refusal(struct sb_core *core, const char *event);

/* Take a SUBSCRIBE within the dialog, which asks for some seconds. Returns the status with which to refuse it; or 0,
 * and sets the seconds that are granted, at most those that were granted before. 0 seconds end the subscription. */
int sb_notifier_refresh(const struct sb_notifier *notifier, struct sb_core *core, const struct sb_object *subscription,
                        int asked, int *granted);

/* The milliseconds that a subscription lasts. For 0 seconds, when the subscriber wants the state once, it is the time
 * that the user has to tell the state. */
unsigned sb_notifier_ms(int seconds);

/* True when no further NOTIFY may wait. */
int sb_notifier_is_full(const struct sb_notifier *notifier);

/* Send a NOTIFY, or let it wait for the one before. The draft is taken in any case. */
int sb_notifier_send(struct sb_notifier *notifier, void *state, struct sb_object *subscription, void *draft);

/* Take the final response to the NOTIFY that is on its way; 408 or 503 when none came. When a subscriber refuses a
 * NOTIFY, or does not answer, its subscription is over (4.2.2). */
void sb_notifier_answered(struct sb_notifier *notifier, void *state, struct sb_object *subscription, int status,
                          const void *message);

/* Post that the subscription is over. */
void sb_notifier_post_end(const struct sb_notifier *notifier, void *state, const struct sb_object *subscription,
                          int status, const void *message);

/* Drop what waits. */
void sb_notifier_clear(struct sb_notifier *notifier);

#endif
