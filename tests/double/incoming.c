/* incoming.c - requests that come: new calls, those within a call, and what is for others. */
#include "double.h"

#include <string.h>

static void answer_with(struct d_txn *txn, osip_dialog_t *dialog, int status)
{
    osip_message_t *answer = NULL;
    if (d_build_response(&answer, dialog, status, txn->tr->orig_request) != OSIP_SUCCESS)
        return;
    if (status == 500)
        d_add_header(answer, "Retry-After", "10");
    d_answer(txn, answer);
}

/* The library tells of a request that it answers by itself, as of one outside of calls. */
static void answer_and_tell(struct d_txn *txn, osip_dialog_t *dialog, int status)
{
    answer_with(txn, dialog, status);
    d_post(EXOSIP_MESSAGE_NEW, NULL, NULL, txn->tr, NULL);
}

static struct d_call *call_of_dialog(osip_message_t *request)
{
    struct d_call *call;
    for (call = D.calls; call != NULL; call = call->next)
        if (call->dialog != NULL && osip_dialog_match_as_uas(call->dialog, request) == 0)
            return call;
    return NULL;
}

static struct d_txn *invite_with_branch(osip_message_t *cancel)
{
    osip_generic_param_t *wanted = NULL, *branch = NULL;
    struct d_txn *txn;
    osip_via_param_get_byname((osip_via_t *)osip_list_get(&cancel->vias, 0), (char *)"branch", &wanted);
    for (txn = D.txns; txn != NULL && wanted != NULL; txn = txn->next) {
        if (txn->tr->ctx_type != IST || txn->call == NULL)
            continue;
        osip_via_param_get_byname(txn->tr->topvia, (char *)"branch", &branch);
        if (branch != NULL && wanted->gvalue != NULL && strcmp(branch->gvalue, wanted->gvalue) == 0)
            return txn;
    }
    return NULL;
}

static void on_cancel(struct d_txn *cancel)
{
    struct d_txn *invite = invite_with_branch(cancel->tr->orig_request);
    if (invite == NULL || d_is_answered(invite)) {
        answer_with(cancel, NULL, 481);
        return;
    }
    cancel->call = invite->call;
    answer_with(cancel, invite->call->dialog, 200);
    answer_with(invite, invite->call->dialog, 487);
    if (!D_IS_3_3) /* which tells by the 487 */
        d_post(EXOSIP_CALL_CANCELLED, invite->call, NULL, cancel->tr, NULL);
}

static void on_new_invite(struct d_txn *txn)
{
    osip_message_t *early = NULL, *invite = txn->tr->orig_request;
    osip_generic_param_t *tag = NULL;
    struct d_call *call;
    if (osip_to_get_tag(invite->to, &tag) == 0) {
        answer_with(txn, NULL, 481);
        return;
    }
    if (d_build_response(&early, NULL, 101, invite) != OSIP_SUCCESS)
        return;
    call = d_call_new();
    call->in = txn;
    txn->call = call;
    d_add_contact(early, invite->to->url->username);
    d_add_record_routes(early, invite);
    if (osip_dialog_init_as_uas(&call->dialog, invite, early) == 0) {
        call->dialog->local_cseq = 1;
        call->did = d_next_id();
    }
    d_answer(txn, early);
    osip_ist_execute(D.osip);
    d_post(EXOSIP_CALL_INVITE, call, NULL, txn->tr, NULL);
}

static void on_reinvite(struct d_call *call, struct d_txn *txn)
{
    const struct d_txn *other = d_txn_last(call, "INVITE");
    if (other != NULL && !d_txn_is_done(other)) {
        answer_with(txn, call->dialog, other->tr->ctx_type == IST ? 500 : 491);
        return;
    }
    txn->call = call;
    osip_dialog_update_route_set_as_uas(call->dialog, txn->tr->orig_request);
    d_post(EXOSIP_CALL_REINVITE, call, NULL, txn->tr, NULL);
}

static void on_bye(struct d_call *call, struct d_txn *txn)
{
    txn->call = call;
    answer_with(txn, call->dialog, 200);
    d_post(EXOSIP_CALL_MESSAGE_NEW, call, NULL, txn->tr, NULL);
    d_post(EXOSIP_CALL_CLOSED, call, NULL, txn->tr, NULL);
    d_call_drop_dialog(call);
    d_call_over(call, 32);
}

static void on_ack(osip_event_t *event)
{
    struct d_call *call = call_of_dialog(event->sip);
    struct d_txn *txn;
    if (call != NULL) {
        osip_message_free(call->ok);
        call->ok = NULL;
        txn = d_txn_last(call, "INVITE");
        d_post(EXOSIP_CALL_ACK, call, NULL, txn == NULL ? NULL : txn->tr, event->sip);
    }
    osip_event_free(event);
}

static void in_dialog(struct d_call *call, struct d_txn *txn)
{
    osip_message_t *request = txn->tr->orig_request;
    if (osip_atoi(request->cseq->number) < call->dialog->remote_cseq) {
        answer_and_tell(txn, call->dialog, 500);
        return;
    }
    if (!MSG_IS_BYE(request) && d_txn_last(call, "BYE") != NULL) {
        answer_and_tell(txn, call->dialog, 481);
        return;
    }
    osip_dialog_update_osip_cseq_as_uas(call->dialog, request);
    if (MSG_IS_INVITE(request)) {
        on_reinvite(call, txn);
    } else if (MSG_IS_BYE(request)) {
        on_bye(call, txn);
    } else {
        txn->call = call;
        d_post(EXOSIP_CALL_MESSAGE_NEW, call, NULL, txn->tr, NULL);
    }
}

static void outside(struct d_txn *txn)
{
    osip_message_t *request = txn->tr->orig_request;
    if (MSG_IS_INVITE(request)) {
        on_new_invite(txn);
    } else if (MSG_IS_INFO(request) || MSG_IS_BYE(request)) {
        answer_and_tell(txn, NULL, 481);
    } else if (d_on_sub_request(txn)) {
        return;
    } else if (D_IS_3_3 && MSG_IS_NOTIFY(request)) {
        answer_with(txn, NULL, 481);
    } else {
        d_post(EXOSIP_MESSAGE_NEW, NULL, NULL, txn->tr, NULL);
    }
}

void d_on_new_request(osip_event_t *event, int socket)
{
    struct d_call *call;
    struct d_txn *txn;
    if (MSG_IS_ACK(event->sip)) {
        on_ack(event);
        return;
    }
    txn = d_txn_incoming(MSG_IS_INVITE(event->sip) ? IST : NIST, event, socket);
    if (txn == NULL || txn->tr->orig_request == NULL)
        return;
    if (MSG_IS_CANCEL(txn->tr->orig_request)) {
        on_cancel(txn);
        return;
    }
    call = call_of_dialog(txn->tr->orig_request);
    if (call != NULL && osip_atoi(txn->tr->orig_request->cseq->number) == call->dialog->remote_cseq) {
        txn->born = 0; /* seen before: no answer */
        return;
    }
    if (txn->tr->ctx_type == IST) {
        answer_with(txn, NULL, 100);
        osip_ist_execute(D.osip);
    }
    if (call != NULL)
        in_dialog(call, txn);
    else
        outside(txn);
}
