/* subscriber.h - a subscription of ours (RFC 6665, 4.1): a lease (lease.h) that NOTIFYs belong to.
 *
 * The functions that post an event may end the object: do not use it, its lease or its record afterwards.
 */
#ifndef SB_SUBSCRIBER_H
#define SB_SUBSCRIBER_H

#include "lease.h"

/* Take a 2xx to a SUBSCRIBE. expires: the value of its Expires, or NULL. Timer N begins. After the last SUBSCRIBE the
 * last NOTIFY has some time to come, unless the engine is closing. */
void sb_subscriber_granted(struct sb_lease *lease, void *state, struct sb_core *core, struct sb_object *subscription,
                           const char *expires, int status, const void *message);

/* As sb_lease_due(); or the last NOTIFY did not come. */
void sb_subscriber_due(struct sb_lease *lease, void *state, struct sb_object *subscription);

/* The status with which to refuse a NOTIFY before the user sees it, or 0 (4.1.3). event: the value of its Event, or
 * NULL; own_event: that of the SUBSCRIBE. has_state: the NOTIFY has a Subscription-State. */
int sb_subscriber_refusal(struct sb_core *core, const char *own_event, const char *event, int has_state);

/* Take a NOTIFY, after the user was told of it. is_over: it ends the subscription, for this reason. seconds: those that
 * are left, or 0. */
void sb_subscriber_notified(struct sb_lease *lease, void *state, struct sb_object *subscription, int is_over,
                            const char *reason, int seconds, const void *message);

#endif
