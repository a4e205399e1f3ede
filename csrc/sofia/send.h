/* send.h - requests of ours on their way: a dialog for them, and again for a challenge. */
#ifndef SB_SOFIA_SEND_H
#define SB_SOFIA_SEND_H

#include "library.h"
#include "record.h"
#include "timers.h"

/* How long an address is looked up for what begins something; the library would ask a silent name server for 191 s. */
#ifndef SOF_LOOKUP /* the tests' own build has a shorter one */
#define SOF_LOOKUP 16000
#endif
enum { SOF_LOOKUP_MS = SOF_LOOKUP };

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

#endif
