/* send.h - sends our requests, in their dialogs, and again for a challenge. */
#ifndef SB_SOFIA_SEND_H
#define SB_SOFIA_SEND_H

#include "library.h"
#include "record.h"
#include "timers.h"

/* How long the engine waits for the address of a host. The library would ask a silent name server for 191 s. */
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

/* All of these: on the loop. Give the record a dialog, or half of one, that begins with this draft. Requests from the
 * other side go to `inward`. SB_OK, or SB_ELIBRARY. */
int sof_dialog_new(struct sof_record *record, msg_t *draft, nta_request_f *inward);
/* Give the record the dialog that a request from outside begins (12.1.1). SB_OK, or SB_ENOMEM. */
int sof_dialog_accept(struct sof_record *record, nta_incoming_t *irq, const sip_t *sip, nta_request_f *inward);
/* Send a new request in a dialog. The draft is taken. SB_OK, or SB_ELIBRARY. */
int sof_send(struct sof_request *request, struct sof_record *dialog, struct sof_record *owner,
             const char *method, msg_t *draft, nta_response_f *callback);
/* Send the same again. */
int sof_send_again(struct sof_request *request);
/* Whether the request was not sent yet because the address of its host is still looked up. */
int sof_is_unresolved(const struct sof_request *request);
/* Give back what the request holds. */
void sof_request_clear(struct sof_request *request);
/* How long an INVITE may stay without another word from the peer, once its host has an address. The time counts from
 * when it was sent. */
enum { SOF_RING_LEFT_MS = SB_RING_LIMIT_MS - SOF_LOOKUP_MS };
/* Answer a challenge. True when the response (NULL: none) is one that we can answer: then the request goes again. */
int sof_retry(struct sof_request *request, const sip_t *sip);

#endif
