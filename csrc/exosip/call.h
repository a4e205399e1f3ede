/* call.h - what the user does with a call. */
#ifndef SB_EXOSIP_CALL_H
#define SB_EXOSIP_CALL_H

#include "core.h"
#include "record.h"

struct exosip;
struct exo_content;

enum exo_ending {         /* how far the end of a call has come */
    EXO_ENDING_NOT = 0,
    EXO_ENDING_CANCEL_DUE, /* to send CANCEL we wait for a provisional response (9.1) */
    EXO_ENDING_CANCELLED,  /* CANCEL was sent */
    EXO_ENDING_BYE_DUE,    /* to send BYE we wait for the caller's ACK, or its timeout (15) */
    EXO_ENDING_BYE_SENT,
    EXO_ENDING_REFUSED
};

struct exo_call {
    struct exo_record record;
    int cid, did;
    int tid;                      /* the transaction of the INVITE that was received, or answered last */
    char *call_id;                /* tells calls apart when the library gives out a cid again */
    int64_t started_ms;
    enum exo_ending ending;
    int provisional;              /* a provisional response arrived */
    int ack_awaited;              /* a 2xx of ours is not acknowledged yet */
    int cseq;                     /* the CSeq of our last request within the dialog */
    int retries;                  /* how often the INVITE or BYE was sent again for a challenge */
    int strangers;                /* calls that were refused because they were given the same cid */
    struct exo_content *farewell; /* what goes with the BYE that is due */
};

int exo_call(void *state, struct sb_object *call, const sb_parties *parties, const char *call_id,
             const sb_content *content);
int exo_ring(void *state, struct sb_object *call, int status, const sb_content *content);
int exo_answer_call(void *state, struct sb_object *call, const sb_content *content);
int exo_refuse(void *state, struct sb_object *call, int status, const char *reason, const char *contact,
               const sb_content *content);
int exo_ack(void *state, struct sb_object *call, const sb_content *content);
int exo_hangup(void *state, struct sb_object *call, const sb_content *content);
int exo_send_ack(struct exosip *state, int did, int tid, const sb_content *content);
int exo_send_bye(struct exosip *state, int did, const sb_content *content);
int exo_send_cancel(struct exosip *state, struct exo_call *call);
void exo_call_due(struct exosip *state, struct sb_object *call);
void exo_call_free(struct exo_call *record);

#endif
