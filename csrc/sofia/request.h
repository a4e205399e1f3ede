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
    char *method;              /* of ours; in the record's home */
};

/* Answer a request. msg: the content, taken; NULL: none. */
void sof_reply(struct sofia *state, nta_incoming_t *irq, int status, const char *reason, msg_t *msg);
/* The same without content, and give the transaction up. Returns 0, as a callback of nta does then. */
int sof_answer(struct sofia *state, nta_incoming_t *irq, int status);

/* From any thread: leave an answer to the loop, which takes what is answered out of *irq, in a record. The draft is taken.
 * SB_OK, or SB_ENOMEM. call: that it arrived in, or NULL. */
int sof_post_answer(struct sofia *state, const struct sb_object *call, nta_incoming_t **irq, int status,
                    const char *reason, msg_t *draft);
/* A request outside dialogs. The draft is taken. */
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
/* A request from outside, within a dialog or in none: an event. Returns what nta's callback has to. */
int sof_on_request(struct sofia *state, struct sb_object *call, nta_incoming_t *irq, const sip_t *sip);
/* What belongs to no dialog. */
int sof_on_stray(struct sof_record *unused, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip);
void sof_transaction_free(struct sof_transaction *record);
/* It could not be sent: 503, with a reason phrase of ours. */
void sof_fail_transaction(struct sb_object *transaction, const char *reason);

#endif
