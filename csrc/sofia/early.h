/* early.h - provisional responses that are acknowledged (RFC 3262), and the early dialogs that takes. */
#ifndef SB_SOFIA_EARLY_H
#define SB_SOFIA_EARLY_H

#include "library.h"

struct sof_call;

/* A provisional response to our INVITE: acknowledge it where that is wanted. 0 when it is a repetition. */
int sof_acknowledge_early(struct sof_call *call, const sip_t *sip);
/* A 2xx to our INVITE: the early dialog that it belongs to becomes the call's. */
void sof_adopt_early(struct sof_call *call, const sip_t *sip);
void sof_early_free(struct sof_call *call);
/* "Require: 100rel" among the user's headers. */
int sof_wants_reliable(msg_t *msg);
void sof_reply_reliably(struct sofia *state, nta_incoming_t *irq, int status, msg_t *msg); /* msg is taken */

#endif
