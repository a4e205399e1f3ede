/* subscriber.h - a subscription of ours (RFC 6665, 4.1): a lease (lease.h) that NOTIFYs belong to.
 *
 * The functions that post an event may end the object: do not use it, its lease or its record afterwards.
 */
#ifndef SB_SUBSCRIBER_H
#define SB_SUBSCRIBER_H

#include "lease.h"

/* A 2xx to a SUBSCRIBE; expires: what it says, or NULL. Timer N begins. After the last SUBSCRIBE there is a moment for
 * the last NOTIFY, unless the engine is closing. */
void sb_subscriber_granted(struct sb_lease *lease, void *state, struct sb_core *core, struct sb_object *subscription,
                           const char *expires, int status, const void *message);

/* As sb_lease_due(); or the last NOTIFY did not come. */
void sb_subscriber_due(struct sb_lease *lease, void *state, struct sb_object *subscription);

/* The status to refuse a NOTIFY with before the user sees it, or 0 (4.1.3). event: what its Event says, or NULL;
 * own_event: what the SUBSCRIBE's does. has_state: it has a Subscription-State. */
int sb_subscriber_refusal(struct sb_core *core, const char *own_event, const char *event, int has_state);

/* A NOTIFY that the user was told of. reason: why it is over, where `is_over`. seconds: how many are left, or 0. */
void sb_subscriber_notified(struct sb_lease *lease, void *state, struct sb_object *subscription, int is_over,
                            const char *reason, int seconds, const void *message);

#endif
