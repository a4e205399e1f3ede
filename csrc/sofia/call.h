/* call.h - what the user does with a call. */
#ifndef SB_SOFIA_CALL_H
#define SB_SOFIA_CALL_H

#include "request.h"

enum sof_ending {           /* how far the end of a call has come */
    SOF_ENDING_NOT = 0,
    SOF_ENDING_CANCEL,      /* CANCEL was asked for */
    SOF_ENDING_BYE_DUE,     /* to send BYE we wait for the caller's ACK, or its timeout (15) */
    SOF_ENDING_BYE
};

struct sof_early;

struct sof_call {
    struct sof_record record;
    nta_incoming_t *irq;       /* the INVITE from outside whose answer or ACK is due */
    struct sof_request invite; /* ours, the first one */
    struct sof_request bye;
    nta_outgoing_t *answered;  /* the INVITE of ours whose 2xx waits for the ACK */
    enum sof_ending ending;
    msg_t *farewell;           /* a BYE that is to be sent later, or may be */
    struct sof_early *early;   /* early dialogs of our INVITE */
    int peer_100rel;           /* the caller can acknowledge provisional responses */
};

int sof_call(void *state, struct sb_object *call, const sb_parties *parties, const char *call_id,
             const sb_content *content);
int sof_ring(void *state, struct sb_object *call, int status, const sb_content *content);
int sof_answer_call(void *state, struct sb_object *call, const sb_content *content);
int sof_refuse(void *state, struct sb_object *call, int status, const char *reason, const char *contact,
               const sb_content *content);
int sof_ack(void *state, struct sb_object *call, const sb_content *content);
int sof_hangup(void *state, struct sb_object *call, const sb_content *content);
void sof_send_ack(struct sof_call *call, msg_t *draft);
int sof_send_bye(struct sof_call *call, msg_t *draft);
void sof_call_free(struct sof_call *record);

#endif
