/* entry.h - where the message came from that a callback of nta's is about. */
#ifndef SB_SOFIA_ENTRY_H
#define SB_SOFIA_ENTRY_H

#include "library.h"

/* In place of sof_enter() and sof_hear(), in callbacks that get a message: events posted before the sof_leave() have its source and
 * time. nta shows a message at once when it has received it. */
void sof_enter_request(struct sofia *state, nta_incoming_t *irq);
void sof_enter_response(struct sofia *state, nta_outgoing_t *orq);
/* sip: the ACK, CANCEL or PRACK that came for a request; NULL: none */
void sof_enter_follow_up(struct sofia *state, nta_incoming_t *irq, const sip_t *sip);

#endif
