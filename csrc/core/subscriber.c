#include "subscriber.h"

#include <stddef.h>

#include "clock.h"
#include "core.h"
#include "timers.h"
#include "values.h"

void sb_subscriber_granted(struct sb_lease *lease, void *state, struct sb_core *core, struct sb_object *subscription,
                           const char *expires, int status, const void *message)
{
    if (!lease->notified && lease->notify_ms == 0)
        lease->notify_ms = sb_monotonic_ms() + SB_TIMER_N_MS;
    if (sb_lease_goes_on(lease, state, subscription, NULL, expires, status, message))
        return;
    if (sb_core_closing(core))
        sb_lease_post(lease, state, subscription, SB_STATE_ENDED, status, NULL, 0, message);
    else
        lease->calls->wake(subscription, sb_monotonic_ms() + SB_LAST_NOTIFY_MS);
}

void sb_subscriber_due(struct sb_lease *lease, void *state, struct sb_object *subscription)
{
    if (lease->busy || lease->expires > 0)
        sb_lease_due(lease, state, subscription);
    else if (lease->polls && !lease->notified) /* it asked for the state alone, and did not get it */
        sb_lease_post(lease, state, subscription, SB_STATE_FAILED, 408, NULL, 0, NULL);
    else
        sb_lease_post(lease, state, subscription, SB_STATE_ENDED, 200, NULL, 0, NULL);
}

int sb_subscriber_refusal(struct sb_core *core, const char *own_event, const char *event, int has_state)
{
    if (event == NULL || !sb_is_same_event(event, own_event))
        return 489;
    if (!has_state)
        return 400;
    return sb_core_congested(core) ? 503 : 0;
}

void sb_subscriber_notified(struct sb_lease *lease, void *state, struct sb_object *subscription, int is_over,
                            const char *reason, int seconds, const void *message)
{
    lease->notified = 1;
    lease->notify_ms = 0;
    if (is_over)
        sb_lease_post(lease, state, subscription, SB_STATE_ENDED, 0, reason, 0, message);
    else if (!lease->busy && lease->expires > 0) /* it may be less than was granted (4.1.2.3) */
        sb_lease_left(lease, subscription, seconds);
}
