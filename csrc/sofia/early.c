/* early.c - acknowledges provisional responses (RFC 3262), and has the early dialogs that this needs (12.1).
 *
 * One INVITE may reach several phones. Each one that answers provisionally has an early dialog of its own; the tag in
 * To tells them apart. We make a dialog when we acknowledge the first reliable response of a phone. The dialog of the
 * phone that takes the call becomes the call's. (nta hangs up when another one takes it, too.)
 */
#include "early.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>

#include "address.h"
#include "call.h"
#include "call_events.h"
#include "message.h"
#include "record.h"
#include "request.h"
#include "state.h"

enum { MOST = 32 }; /* the limit of early dialogs for one INVITE; only an attacker has more */

struct sof_early {
    struct sof_early *next;
    struct sof_record dialog; /* only its leg is used: what comes in it is the call's */
    struct sof_request prack;
    unsigned long rseq;       /* the RSeq of the last response that was acknowledged */
    char tag[];
};

/* ------------------------------------------------------------------------------------------------------
 * Received
 */
static struct sof_early *find(struct sof_call *call, const char *tag, int *count)
{
    struct sof_early *early;
    *count = 0;
    for (early = call->early; early != NULL && strcmp(early->tag, tag) != 0; early = early->next)
        ++*count;
    return early;
}

static void early_free(struct sof_early *early)
{
    sof_request_clear(&early->prack);
    if (early->dialog.leg != NULL)
        nta_leg_destroy(early->dialog.leg);
    free(early);
}

/* Make the early dialog of a response with a new tag in To. */
static struct sof_early *early_new(struct sof_call *call, const sip_t *sip)
{
    struct sofia *state = call->record.state;
    size_t size = strlen(sip->sip_to->a_tag) + 1;
    struct sof_early *early = calloc(1, sizeof *early + size);
    sip_cseq_t cseq[1];
    if (early == NULL)
        return NULL;
    memcpy(early->tag, sip->sip_to->a_tag, size);
    sip_cseq_init(cseq)->cs_seq = sip->sip_cseq->cs_seq;
    early->dialog.state = state;
    early->dialog.leg = nta_leg_tcreate(state->agent, sof_on_dialog_request, &call->record,
                                        SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(sip->sip_from),
                                        SIPTAG_TO(sip->sip_to), SIPTAG_CSEQ(cseq), TAG_END());
    if (early->dialog.leg == NULL) {
        free(early);
        return NULL;
    }
    nta_leg_client_route(early->dialog.leg, sip->sip_record_route, sip->sip_contact);
    early->next = call->early;
    call->early = early;
    return early;
}

/* The response to a PRACK needs no handling: if the PRACK is lost, the peer repeats its own response. */
static int on_prack_response(struct sof_record *owner, nta_outgoing_t *orq, const sip_t *sip)
{
    (void)owner;
    (void)orq;
    (void)sip;
    return 0;
}

static int send_prack(struct sof_call *call, struct sof_early *early, const sip_t *sip)
{
    char rack[64];
    msg_t *draft;
    int code;
    snprintf(rack, sizeof rack, "%lu %lu INVITE", (unsigned long)sip->sip_rseq->rs_response,
             (unsigned long)sip->sip_cseq->cs_seq);
    if (sof_draft_within(call->record.state, "PRACK", NULL, &draft) != SB_OK)
        return SB_ENOMEM;
    if (sof_add_header(draft, "RAck", rack) != SB_OK) {
        msg_destroy(draft);
        return SB_ENOMEM;
    }
    early->dialog.auth = call->record.auth; /* what answers the INVITE's challenges is lent to the PRACK */
    code = sof_send(&early->prack, &early->dialog, &call->record, "PRACK", draft, on_prack_response);
    early->dialog.auth = NULL;
    return code;
}

int sof_acknowledge_early(struct sof_call *call, const sip_t *sip)
{
    struct sof_early *early;
    int count;
    if (sip->sip_rseq == NULL || sip->sip_to->a_tag == NULL || !sip_has_feature(sip->sip_require, "100rel"))
        return 1;
    early = find(call, sip->sip_to->a_tag, &count);
    if (early == NULL && (count >= MOST || (early = early_new(call, sip)) == NULL))
        return 0;
    if (early->rseq != 0 && sip->sip_rseq->rs_response != early->rseq + 1)
        return 0; /* it is a repetition, or an earlier one has not come yet (RFC 3262, 4) */
    early->rseq = sip->sip_rseq->rs_response;
    send_prack(call, early, sip);
    return 1;
}

void sof_adopt_early(struct sof_call *call, const sip_t *sip)
{
    struct sof_early *early;
    int count;
    early = sip->sip_to->a_tag == NULL ? NULL : find(call, sip->sip_to->a_tag, &count);
    if (early == NULL) {
        nta_leg_rtag(call->record.leg, sip->sip_to->a_tag);
        return;
    }
    nta_leg_destroy(call->record.leg);
    call->record.leg = early->dialog.leg;
    early->dialog.leg = NULL;
}

void sof_early_free(struct sof_call *call)
{
    struct sof_early *early;
    while ((early = call->early) != NULL) {
        call->early = early->next;
        early_free(early);
    }
}

/* ------------------------------------------------------------------------------------------------------
 * Sent
 */
int sof_wants_reliable(msg_t *msg)
{
    return sof_lists(msg, "Require", "100rel");
}

static void remove_require(msg_t *msg)
{
    sip_t *sip = sip_object(msg);
    sip_unknown_t *header, *next;
    for (header = sip->sip_unknown; header != NULL; header = next) {
        next = header->un_next;
        if (strcasecmp(header->un_name, "Require") == 0)
            msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)header);
    }
}

void sof_reply_reliably(struct sofia *state, nta_incoming_t *irq, int status, msg_t *msg)
{
    sip_contact_t *contact = sof_contact(state, nta_incoming_url(irq));
    remove_require(msg); /* nta writes its own */
    if (nta_incoming_complete_response(irq, msg, status, NULL, SIPTAG_CONTACT(contact), TAG_END()) < 0)
        msg_destroy(msg);
    else
        nta_reliable_mreply(irq, NULL, NULL, msg); /* nta repeats the response, and answers the PRACK */
}
