/* call_events.h - what the library tells of calls. */
#ifndef SB_EXOSIP_CALL_EVENTS_H
#define SB_EXOSIP_CALL_EVENTS_H

#include "core.h"
#include "library.h"

struct exosip;

/* Handle an event of the library's. True when it was about a call. */
int exo_on_call(struct exosip *state, eXosip_event_t *event);
/* End the call for the user. The call is gone afterwards. message may be NULL. */
void exo_end_call(struct exosip *state, struct sb_object *call, int cause, int status,
                  osip_message_t *message);

#endif
