/* call_events.h - what the network tells of calls. */
#ifndef SB_SOFIA_CALL_EVENTS_H
#define SB_SOFIA_CALL_EVENTS_H

#include "core.h"
#include "library.h"

int sof_on_invite(struct sofia *state, nta_incoming_t *irq, const sip_t *sip);
int sof_on_invite_response(struct sof_record *record, nta_outgoing_t *orq, const sip_t *sip);
int sof_on_bye_response(struct sof_record *record, nta_outgoing_t *orq, const sip_t *sip);
int sof_on_dialog_request(struct sof_record *record, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip);
/* ACK or CANCEL to an INVITE from outside, or no ACK in time (sip NULL). */
int sof_on_ack_or_cancel(struct sof_record *record, nta_incoming_t *irq, const sip_t *sip);
void sof_on_cancel_timeout(struct sof_record *record);
/* The peer rings, and has said nothing else for too long. */
void sof_on_ring_limit(struct sof_record *record);
/* End the call for the user. The call is gone afterwards. sip may be NULL. */
void sof_end_call(struct sofia *state, struct sb_object *call, int cause, int status, const sip_t *sip);
/* The same for a call whose INVITE could not be sent, with our own reason phrase. */
void sof_fail_call(struct sofia *state, struct sb_object *call, const char *reason);

#endif
