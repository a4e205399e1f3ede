/* event.h - prepare the contract's events. The engine adds what the message has, and posts them. */
#ifndef SB_EVENT_H
#define SB_EVENT_H

#include "engine.h"
#include "object.h"

/* Of a call: SB_EV_CALL_INCOMING, _PROGRESS, _ANSWERED or _CONFIRMED. */
void sb_event_call(sb_event *event, int type, const struct sb_object *call, int status);
void sb_event_call_ended(sb_event *event, const struct sb_object *call, int cause, int status);

/* A request from outside: SB_EV_REQUEST, SB_EV_CALL_REQUEST or SB_EV_CALL_REINVITE. */
void sb_event_request(sb_event *event, const struct sb_object *transaction);
/* The final response to a request of ours. The method is not copied. */
void sb_event_response(sb_event *event, const struct sb_object *transaction, const char *method, int status);

/* A registration, or a subscription of ours, in a new state (enum sb_state). */
void sb_event_lease(sb_event *event, const struct sb_object *object, int new_state, int status, int expires);
/* A NOTIFY in a subscription of ours. expires: the seconds that are left; 0: it does not say. */
void sb_event_notify(sb_event *event, const struct sb_object *subscription, int expires);

/* A SUBSCRIBE from outside. new_state: 0 for one that is to be answered, SB_STATE_ACTIVE for a refresh. */
void sb_event_subscribe(sb_event *event, const struct sb_object *subscription, int new_state, int expires);
/* A subscription from outside is over. */
void sb_event_unsubscribed(sb_event *event, const struct sb_object *subscription, int status);

#endif
