/* request.h - transactions: requests and responses, within dialogs and outside. */
#ifndef SB_EXOSIP_REQUEST_H
#define SB_EXOSIP_REQUEST_H

#include "core.h"
#include "library.h"
#include "record.h"
#include "timers.h"

struct exosip;
struct exo_content;

/* How long the engine waits for a final response, in milliseconds. It is longer than the library waits, which may
 * report the timeout itself. */
enum { EXO_OVERDUE = SB_64_T1_MS + 500 };

struct exo_transaction {
    struct exo_record record;
    int tid;                     /* of a request from outside */
    int cseq;                    /* of our request within a dialog, 0: not sent yet */
    char *method;
    char *call_id;               /* of our request outside dialogs */
    int64_t started_ms;
    int retries;
    struct exo_content *content; /* of our request within a dialog, which may have to be built again */
    int is_waiting;              /* it cannot be sent yet */
    int alone;                   /* it was built again for a challenge: later requests wait for it */
};

int exo_call_request(void *state, struct sb_object *call, struct sb_object *transaction, const char *method,
                     const sb_content *content);
int exo_reinvite(void *state, struct sb_object *call, struct sb_object *transaction,
                 const sb_content *content);
int exo_answer(void *state, struct sb_object *transaction, int status, const char *reason,
               const sb_content *content);
int exo_request(void *state, struct sb_object *transaction, const char *method, const sb_parties *parties,
                const sb_content *content);
/* A request from outside (call: its dialog, or NULL), and the final response to one of ours. */
void exo_on_request(struct exosip *state, eXosip_event_t *event, struct sb_object *call);
void exo_on_response(struct exosip *state, eXosip_event_t *event);
void exo_on_call_response(struct exosip *state, eXosip_event_t *event, struct sb_object *call);
void exo_transaction_due(struct exosip *state, struct sb_object *transaction);
void exo_transaction_free(struct exo_transaction *record);
/* Answer a request from outside. in_call: it arrived in a call, or is the INVITE of one. reason, contact and content
 * may be NULL. SB_OK, or an error: then nothing was sent. */
int exo_send_answer(struct exosip *state, int in_call, int tid, int status, const char *reason, const char *contact,
                    const sb_content *content);
/* Answer without a user: no content, and 481, 503 or the like. */
void exo_answer_call_request(struct exosip *state, int tid, int status);
void exo_answer_request(struct exosip *state, int tid, int status);
/* The status of a request of ours that the library reports as over without a response. started_ms: when it was sent.
 * 408: nobody answered; 503: it could not be sent. */
int exo_status_without_response(int64_t started_ms);
/* The call's re-INVITE of ours without a final response yet, or NULL. */
struct sb_object *exo_pending_reinvite(struct sb_object *call);

#endif
