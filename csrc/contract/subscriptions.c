/* subscriptions.c - subscriptions of ours and from outside (RFC 6665): which command is possible in which state. */
#include <string.h>
#include <strings.h>

#include "check.h"
#include "visit.h"

sb_id sb_subscribe(int id, const sb_parties *parties, const char *event, int expires,
                   const sb_content *content)
{
    struct sb_visit visit;
    int code;
    if ((code = sb_check_parties(parties)) != SB_OK || (code = sb_check_event(event)) != SB_OK ||
        (code = sb_check_expires(expires)) != SB_OK || (code = sb_check_event_content(content)) != SB_OK ||
        (code = sb_enter_begin(&visit, id, sb_backend.subscribe != NULL, SB_KIND_SUBSCRIPTION)) != SB_OK)
        return code;
    return sb_leave_begun(&visit, sb_backend.subscribe(visit.state, visit.begun, parties, event, expires, content));
}

/* Enter the engine, and find this subscription. */
static int enter(struct sb_visit *visit, int id, int offered, sb_id subscription_id)
{
    return sb_enter_object(visit, id, offered, SB_KIND_SUBSCRIPTION, subscription_id);
}

int sb_subscribe_refresh(int id, sb_id subscription_id, int expires)
{
    struct sb_visit visit;
    int code;
    if ((code = expires == 0 ? SB_EINVAL : sb_check_expires(expires)) != SB_OK ||
        (code = enter(&visit, id, sb_backend.subscribe_refresh != NULL, subscription_id)) != SB_OK)
        return code;
    code = SB_ESTATE;
    if (visit.object->state == SB_SUBSCRIPTION_OURS)
        code = sb_backend.subscribe_refresh(visit.state, visit.object, expires);
    return sb_leave(&visit, code);
}

int sb_unsubscribe(int id, sb_id subscription_id)
{
    struct sb_visit visit;
    int code = enter(&visit, id, sb_backend.unsubscribe != NULL, subscription_id);
    if (code != SB_OK)
        return code;
    code = SB_ESTATE;
    if (visit.object->state == SB_SUBSCRIPTION_OURS)
        code = sb_backend.unsubscribe(visit.state, visit.object);
    if (code == SB_OK)
        visit.object->state = SB_SUBSCRIPTION_ENDING;
    return sb_leave(&visit, code);
}

int sb_subscription_accept(int id, sb_id subscription_id, int status, int expires)
{
    struct sb_visit visit;
    int code;
    if (status < 200 || status > 299)
        return SB_EINVAL;
    if ((code = sb_check_expires(expires)) != SB_OK ||
        (code = enter(&visit, id, sb_backend.subscription_accept != NULL, subscription_id)) != SB_OK)
        return code;
    code = SB_ESTATE;
    if (visit.object->state == SB_SUBSCRIPTION_ASKED)
        code = sb_backend.subscription_accept(visit.state, visit.object, status, expires);
    if (code == SB_OK)
        visit.object->state = SB_SUBSCRIPTION_GRANTED;
    return sb_leave(&visit, code);
}

int sb_subscription_reject(int id, sb_id subscription_id, int status, const char *reason, const sb_content *content)
{
    struct sb_visit visit;
    int code;
    if (status < 300 || status > 699)
        return SB_EINVAL;
    if ((code = sb_check_reason(reason)) != SB_OK || (code = sb_check_content(content)) != SB_OK ||
        (code = enter(&visit, id, sb_backend.subscription_reject != NULL, subscription_id)) != SB_OK)
        return code;
    code = SB_ESTATE;
    if (visit.object->state == SB_SUBSCRIPTION_ASKED)
        code = sb_backend.subscription_reject(visit.state, visit.object, status, reason, content);
    if (code == SB_OK)
        sb_core_remove(visit.core, visit.object);
    return sb_leave(&visit, code);
}

/* Whether a Subscription-State ends it. */
static int is_last(const char *state)
{
    size_t length = strcspn(state, "; \t");
    return length == strlen("terminated") && strncasecmp(state, "terminated", length) == 0;
}

int sb_notify(int id, sb_id subscription_id, const char *state, const sb_content *content)
{
    struct sb_visit visit;
    int code;
    if ((code = sb_check_text(state)) != SB_OK || (code = sb_check_event_content(content)) != SB_OK ||
        (code = enter(&visit, id, sb_backend.notify != NULL, subscription_id)) != SB_OK)
        return code;
    code = SB_ESTATE;
    if (visit.object->state == SB_SUBSCRIPTION_GRANTED)
        code = sb_backend.notify(visit.state, visit.object, state, content);
    if (code == SB_OK && is_last(state))
        visit.object->state = SB_SUBSCRIPTION_ENDING;
    return sb_leave(&visit, code);
}
