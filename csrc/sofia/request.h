/* request.h - transactions: requests and responses, within dialogs and outside. */
#ifndef SB_SOFIA_REQUEST_H
#define SB_SOFIA_REQUEST_H

#include "core.h"
#include "library.h"
#include "record.h"
#include "send.h"
#include "timers.h"

struct sof_transaction {
    struct sof_record record;
    nta_incoming_t *irq;       /* from outside, until it is answered */
    struct sof_request request;
    char *method;              /* of ours */
};

/* Answer a request. msg: the content, taken; NULL: none. */
void sof_reply(struct sofia *state, nta_incoming_t *irq, int status, const char *reason, msg_t *msg);
/* The same, but with the core unlocked meanwhile: see sof_pause(). */
void sof_reply_unlocked(struct sofia *state, nta_incoming_t *irq, int status, const char *reason, msg_t *msg);
/* The same without content; then the transaction is freed. Returns 0, for a callback of nta's to return. */
int sof_answer(struct sofia *state, nta_incoming_t *irq, int status);

/* From any thread: have the loop answer a request, and take it out of *irq, which is in a record. The draft is taken.
 * call: the call that the request arrived in, or NULL. SB_OK, or SB_ENOMEM. */
int sof_post_answer(struct sofia *state, const struct sb_object *call, nta_incoming_t **irq, int status,
                    const char *reason, msg_t *draft);
/* Send a request outside dialogs. The draft is taken. */
int sof_start_request(struct sofia *state, struct sb_object *transaction, const char *method, msg_t *draft);

int sof_call_request(void *state, struct sb_object *call, struct sb_object *transaction, const char *method,
                     const sb_content *content);
int sof_reinvite(void *state, struct sb_object *call, struct sb_object *transaction, const sb_content *content);
int sof_answer_transaction(void *state, struct sb_object *transaction, int status, const char *reason,
                           const sb_content *content);
int sof_request(void *state, struct sb_object *transaction, const char *method, const sb_parties *parties,
                const sb_content *content);
int sof_bindings(void *state, struct sb_object *transaction, const char *registrar, const sb_parties *parties,
                 int clear);
/* Tell the user of a request from outside, within a dialog or not. Returns what nta's callback has to return. */
int sof_on_request(struct sofia *state, struct sb_object *call, nta_incoming_t *irq, const sip_t *sip);
/* nta's callback for requests that belong to no dialog. */
int sof_on_stray(struct sof_record *unused, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip);
void sof_transaction_free(struct sof_transaction *record);
/* End a request that could not be sent with a 503 and our own reason phrase. */
void sof_fail_transaction(struct sb_object *transaction, const char *reason);

#endif
