/* early.h - acknowledges provisional responses (RFC 3262), and has the early dialogs that this needs. */
#ifndef SB_SOFIA_EARLY_H
#define SB_SOFIA_EARLY_H

#include "library.h"

struct sof_call;

/* Handle a provisional response to our INVITE: acknowledge it when the peer asks for that. Returns 0 when it is a
 * repetition. */
int sof_acknowledge_early(struct sof_call *call, const sip_t *sip);
/* Handle a 2xx to our INVITE: its early dialog becomes the call's. */
void sof_adopt_early(struct sof_call *call, const sip_t *sip);
void sof_early_free(struct sof_call *call);
/* Whether the user's headers have "Require: 100rel". */
int sof_wants_reliable(msg_t *msg);
void sof_reply_reliably(struct sofia *state, nta_incoming_t *irq, int status, msg_t *msg); /* msg is taken */

#endif
