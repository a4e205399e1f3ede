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

/* What an engine does for a notifier. `state` is the engine's own; a draft is what it makes a NOTIFY of. */
struct sb_notifier_calls {
    /* Send a NOTIFY. The draft is taken in any case. */
    int (*send)(void *state, struct sb_object *subscription, void *draft);
    void (*drop)(void *draft);
    /* Post an event with what a message of the library's tells. NULL: with no message. */
    void (*post)(void *state, sb_event *event, const void *message);
};

struct sb_notifier {
    const struct sb_notifier_calls *calls;
    int expires; /* granted at most, seconds */
    int busy;    /* a NOTIFY is on its way */
    int pending; /* NOTIFYs without an answer, whether on their way or waiting: the engine counts up */
    int count;   /* how many wait */
    void *waiting[SB_MAX_NOTIFIES];
};

/* What ends a subscription that has run out, or that the subscriber wants no more, in Subscription-State. */
extern const char SB_RAN_OUT[];

/* The status to refuse a new subscription with before the user sees it, or 0. event: what Event says, or NULL. */
int sb_notifier_refusal(struct sb_core *core, const char *event);

/* A SUBSCRIBE within the dialog, which asks for so many seconds. Returns the status to refuse it with; or 0, and sets
 * how many are granted: what was granted before, at most. 0 of them end it. */
int sb_notifier_refresh(const struct sb_notifier *notifier, struct sb_core *core, const struct sb_object *subscription,
                        int asked, int *granted);

/* Milliseconds that a subscription goes on for these seconds. 0: the state is all that was asked for, and the user has
 * some time to tell it. */
unsigned sb_notifier_ms(int seconds);

/* Whether no other NOTIFY may wait. */
int sb_notifier_is_full(const struct sb_notifier *notifier);

/* Send a NOTIFY, or have it wait. The draft is taken in any case. */
int sb_notifier_send(struct sb_notifier *notifier, void *state, struct sb_object *subscription, void *draft);

/* The final response to the NOTIFY under way, or 408 or 503 when there is none. A subscriber that refuses a NOTIFY, or
 * says nothing, is gone (4.2.2). */
void sb_notifier_answered(struct sb_notifier *notifier, void *state, struct sb_object *subscription, int status,
                          const void *message);

/* Post that the subscription is over. */
void sb_notifier_post_end(const struct sb_notifier *notifier, void *state, const struct sb_object *subscription,
                          int status, const void *message);

/* Drop what waits. */
void sb_notifier_clear(struct sb_notifier *notifier);

#endif
