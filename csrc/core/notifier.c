#include "notifier.h"

#include <string.h>

#include "core.h"
#include "event.h"

const char SB_RAN_OUT[] = "terminated;reason=timeout";

int sb_notifier_refusal(struct sb_core *core, const char *event)
{
    if (sb_core_refuses(core))
        return 503;
    return event == NULL ? 489 : 0;
}

int sb_notifier_refresh(const struct sb_notifier *notifier, struct sb_core *core, const struct sb_object *subscription,
                        int asked, int *granted)
{
    if (subscription->state != SB_SUBSCRIPTION_GRANTED)
        return subscription->state == SB_SUBSCRIPTION_ASKED ? 500 : 481;
    if (asked > 0 && sb_core_congested(core))
        return 503;
    *granted = asked < notifier->expires ? asked : notifier->expires;
    return 0;
}

unsigned sb_notifier_ms(int seconds)
{
    if (seconds <= 0)
        return SB_64_T1_MS;
    return (unsigned)(seconds < SB_DAY ? seconds : SB_DAY) * 1000;
}

/* ------------------------------------------------------------------------------------------------------
 * NOTIFY
 */
int sb_notifier_is_full(const struct sb_notifier *notifier)
{
    return notifier->pending >= SB_MAX_NOTIFIES;
}

static int send_now(struct sb_notifier *notifier, void *state, struct sb_object *subscription, void *draft)
{
    int code = notifier->calls->send(state, subscription, draft);
    notifier->busy = code == SB_OK;
    return code;
}

int sb_notifier_send(struct sb_notifier *notifier, void *state, struct sb_object *subscription, void *draft)
{
    if (!notifier->busy)
        return send_now(notifier, state, subscription, draft);
    notifier->waiting[notifier->count++] = draft;
    return SB_OK;
}

void sb_notifier_answered(struct sb_notifier *notifier, void *state, struct sb_object *subscription, int status,
                          const void *message)
{
    void *draft;
    notifier->busy = 0;
    notifier->pending--;
    if (status >= 300 || (subscription->state == SB_SUBSCRIPTION_ENDING && notifier->pending == 0)) {
        sb_notifier_post_end(notifier, state, subscription, status, message);
    } else if (notifier->count > 0) {
        draft = notifier->waiting[0];
        memmove(notifier->waiting, notifier->waiting + 1, (size_t)--notifier->count * sizeof *notifier->waiting);
        if (send_now(notifier, state, subscription, draft) != SB_OK)
            sb_notifier_post_end(notifier, state, subscription, 503, NULL);
    }
}

void sb_notifier_post_end(const struct sb_notifier *notifier, void *state, const struct sb_object *subscription,
                          int status, const void *message)
{
    sb_event event;
    sb_event_unsubscribed(&event, subscription, status);
    notifier->calls->post(state, &event, message);
}

void sb_notifier_clear(struct sb_notifier *notifier)
{
    while (notifier->count > 0)
        notifier->calls->drop(notifier->waiting[--notifier->count]);
}
