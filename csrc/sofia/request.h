/* request.h - transactions: requests and responses, within dialogs and outside. */
#ifndef SB_SOFIA_REQUEST_H
#define SB_SOFIA_REQUEST_H

#include "core.h"
#include "library.h"
#include "record.h"
#include "timers.h"

enum { SOF_64_T1 = 32000 }; /* milliseconds (17.1.1.1) */

/* How long an address is looked up for what begins something; the library would ask a silent name server for 191 s. */
#ifndef SOF_LOOKUP /* the tests' own build has a shorter one */
#define SOF_LOOKUP 16000
#endif
enum { SOF_LOOKUP_MS = SOF_LOOKUP };

/* How often a request is sent again for a challenge: once, and once more each time that only the nonce was stale
 * (22.4, RFC 2617 3.2.1). */
enum { SOF_MAX_RETRIES = 3 };

/* A request of ours that may have to be sent more than once. */
struct sof_request {
    struct sof_record *dialog;  /* whose dialog and credentials it has */
    struct sof_record *owner;   /* whom its responses are for, */
    nta_response_f *callback;   /* and how they come */
    msg_t *draft;               /* without what is new each time: CSeq, Via, credentials */
    const char *method;         /* in the draft's memory */
    nta_outgoing_t *orq;        /* NULL when none is under way */
    int retries;                /* for challenges */
};

struct sof_transaction {
    struct sof_record record;
    nta_incoming_t *irq;       /* from outside, until it is answered */
    struct sof_request request;
    char *method;              /* of ours; in the record's home */
};

/* On the loop, all of these. Give the record a dialog, or a half of one, for what begins with this draft; requests
 * from the other side go to `inward`. SB_OK, or SB_ELIBRARY. */
int sof_dialog_new(struct sof_record *record, msg_t *draft, nta_request_f *inward);
/* The dialog as the other side of a request has it (12.1.1). SB_OK, or SB_ENOMEM. */
int sof_dialog_accept(struct sof_record *record, nta_incoming_t *irq, const sip_t *sip, nta_request_f *inward);
/* Send a new request in a dialog. The draft is taken. SB_OK, or SB_ELIBRARY. */
int sof_send(struct sof_request *request, struct sof_record *dialog, struct sof_record *owner,
             const char *method, msg_t *draft, nta_response_f *callback);
/* Send the same again. */
int sof_send_again(struct sof_request *request);
/* Whether it has not been sent because its host's address is still looked up. */
int sof_is_unresolved(const struct sof_request *request);
/* Give back what the request holds. */
void sof_request_clear(struct sof_request *request);
/* How long an INVITE may be without another word, once its host's address is known, counted from when it was sent. */
enum { SOF_RING_LEFT_MS = SB_RING_LIMIT_MS - SOF_LOOKUP_MS };
/* True when the response (NULL: none) is a challenge that could be answered, and was: the request is on its way
 * again. */
int sof_retry(struct sof_request *request, const sip_t *sip);

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
