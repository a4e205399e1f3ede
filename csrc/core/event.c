#include "event.h"

#include <string.h>

static void begin(sb_event *event, int type, int status)
{
    memset(event, 0, sizeof *event);
    event->type = type;
    event->status = status;
}

void sb_event_call(sb_event *event, int type, const struct sb_object *call, int status)
{
    begin(event, type, status);
    event->call = call->id;
}

void sb_event_call_ended(sb_event *event, const struct sb_object *call, int cause, int status)
{
    sb_event_call(event, SB_EV_CALL_ENDED, call, status);
    event->cause = cause;
}

static void set_transaction(sb_event *event, const struct sb_object *transaction)
{
    event->transaction = transaction->id;
    event->call = transaction->call == NULL ? 0 : transaction->call->id;
}

void sb_event_request(sb_event *event, const struct sb_object *transaction)
{
    if (transaction->call == NULL)
        begin(event, SB_EV_REQUEST, 0);
    else
        begin(event, transaction->is_invite ? SB_EV_CALL_REINVITE : SB_EV_CALL_REQUEST, 0);
    set_transaction(event, transaction);
}

void sb_event_response(sb_event *event, const struct sb_object *transaction, const char *method, int status)
{
    begin(event, transaction->call == NULL ? SB_EV_RESPONSE : SB_EV_CALL_RESPONSE, status);
    set_transaction(event, transaction);
    event->method = method;
}

void sb_event_lease(sb_event *event, const struct sb_object *object, int new_state, int status, int expires)
{
    if (object->kind == SB_KIND_REGISTRATION) {
        begin(event, SB_EV_REGISTRATION, status);
        event->registration = object->id;
        event->method = "REGISTER";
    } else {
        begin(event, SB_EV_SUBSCRIPTION, status);
        event->subscription = object->id;
        event->method = "SUBSCRIBE";
    }
    event->state = new_state;
    event->expires = expires;
}

void sb_event_notify(sb_event *event, const struct sb_object *subscription, int expires)
{
    begin(event, SB_EV_NOTIFY, 0);
    event->subscription = subscription->id;
    event->expires = expires;
}

void sb_event_subscribe(sb_event *event, const struct sb_object *subscription, int new_state, int expires)
{
    begin(event, SB_EV_SUBSCRIBE, 0);
    event->subscription = subscription->id;
    event->state = new_state;
    event->expires = expires;
}

void sb_event_unsubscribed(sb_event *event, const struct sb_object *subscription, int status)
{
    begin(event, SB_EV_UNSUBSCRIBED, status);
    event->subscription = subscription->id;
}
