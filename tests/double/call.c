/* call.c - calls and their dialogs (12 to 15), with the library's order of events. */
#include "double.h"

#include <stdlib.h>
#include <string.h>

enum { LAST_200 = 9 }; /* how often a 2xx is repeated before the call is given up */

struct d_call *d_call_new(void)
{
    struct d_call *call = calloc(1, sizeof *call);
    if (call == NULL)
        abort();
    call->cid = d_next_id();
    call->next = D.calls;
    D.calls = call;
    return call;
}

static struct d_call *find_cid(int cid)
{
    struct d_call *call;
    for (call = D.calls; call != NULL && call->cid != cid; call = call->next)
        ;
    return call;
}

static struct d_call *find_did(int did)
{
    struct d_call *call;
    if (did <= 0)
        return NULL;
    for (call = D.calls; call != NULL && call->did != did; call = call->next)
        ;
    return call;
}

void d_call_over(struct d_call *call, int seconds)
{
    if (call->release_at == 0)
        call->release_at = time(NULL) + seconds;
}

void d_call_drop_dialog(struct d_call *call)
{
    osip_dialog_free(call->dialog);
    call->dialog = NULL;
    call->did = -1;
    osip_message_free(call->ok);
    call->ok = NULL;
}

static void call_free(struct d_call *call)
{
    struct d_txn *txn;
    for (txn = D.txns; txn != NULL; txn = txn->next)
        if (txn->call == call)
            txn->call = NULL;
    osip_dialog_free(call->dialog);
    osip_message_free(call->ack);
    osip_message_free(call->ok);
    free(call);
}

void d_calls_sweep(void)
{
    struct d_call **link = &D.calls, *call;
    time_t now = time(NULL);
    while ((call = *link) != NULL) {
        if (call->release_at == 0 || call->release_at > now) {
            link = &call->next;
            continue;
        }
        *link = call->next;
        call->did = 0;
        d_post(EXOSIP_CALL_RELEASED, call, NULL, NULL, NULL);
        call_free(call);
    }
}

void d_calls_clear(void)
{
    struct d_call *call;
    while ((call = D.calls) != NULL) {
        D.calls = call->next;
        call_free(call);
    }
}

/* -- out -------------------------------------------------------------------------------------------------- */

int d_send_invite(osip_message_t *invite)
{
    struct d_call *call = d_call_new();
    call->out = d_txn_start(ICT, invite, call, NULL);
    return call->cid;
}

static void learn_dialog(struct d_call *call, osip_message_t *response)
{
    osip_generic_param_t *tag = NULL;
    osip_to_get_tag(response->to, &tag);
    if (call->dialog != NULL && call->dialog->remote_tag != NULL && tag != NULL &&
        strcmp(call->dialog->remote_tag, tag->gvalue) != 0) { /* another branch of a fork took over */
        osip_dialog_free(call->dialog);
        call->dialog = NULL;
    }
    if (call->dialog == NULL)
        osip_dialog_init_as_uac(&call->dialog, response);
    else
        osip_dialog_update_route_set_as_uac(call->dialog, response);
    if (call->dialog != NULL && call->did == 0)
        call->did = d_next_id();
    if (call->dialog != NULL && response->status_code >= 200)
        osip_dialog_set_state(call->dialog, DIALOG_CONFIRMED);
}

void d_on_invite_response(struct d_txn *txn, osip_message_t *response)
{
    struct d_call *call = txn->call;
    int status = response->status_code, initial = call != NULL && call->out == txn;
    if (call == NULL || (call->did < 0 && status < 300))
        return;
    if (D_IS_3_3 && call->did > 0 && call->dialog == NULL && status / 100 == 2)
        return; /* the application cancelled it by its dialog */
    if (status > 100 && status < 300)
        learn_dialog(call, response);
    if (status < 180)
        d_post(EXOSIP_CALL_PROCEEDING, call, NULL, txn->tr, NULL);
    else if (status < 200)
        d_post(EXOSIP_CALL_RINGING, call, NULL, txn->tr, NULL);
    else if (status < 300)
        d_post(EXOSIP_CALL_ANSWERED, call, NULL, txn->tr, NULL);
    else
        d_post(EXOSIP_CALL_REDIRECTED + status / 100 - 3, call, NULL, txn->tr, NULL);
    if (status >= 300 && initial) {
        d_call_drop_dialog(call);
        d_call_over(call, 10);
    }
}

static struct d_txn *last_invite_out(struct d_call *call)
{
    struct d_txn *txn;
    for (txn = D.txns; txn != NULL; txn = txn->next)
        if (txn->call == call && txn->tr->ctx_type == ICT)
            return txn;
    return NULL;
}

/* The INVITE of ours that an ACK is for: id is its transaction's with 5.3, and before that the dialog's. */
static struct d_txn *find_acked(int id)
{
    struct d_txn *txn = D_IS_5_3 && id > 0 ? d_txn_find(id) : NULL;
    struct d_call *call = D_IS_5_3 ? NULL : find_did(id);
    if (call != NULL)
        return last_invite_out(call);
    return txn != NULL && txn->call != NULL && txn->tr->ctx_type == ICT ? txn : NULL;
}

int d_build_ack(int id, osip_message_t **ack)
{
    struct d_txn *invite = find_acked(id);
    struct d_call *call = invite == NULL ? NULL : invite->call;
    osip_authorization_t *copy;
    int i, code;
    if (call == NULL || call->dialog == NULL)
        return id <= 0 ? OSIP_BADPARAMETER : OSIP_NOTFOUND;
    code = d_build_within(ack, "ACK", call->dialog);
    if (code != OSIP_SUCCESS)
        return code;
    osip_free((*ack)->cseq->number);
    (*ack)->cseq->number = osip_strdup(invite->tr->cseq->number);
    for (i = 0; i < osip_list_size(&invite->tr->orig_request->proxy_authorizations); i++)
        if (osip_authorization_clone(osip_list_get(&invite->tr->orig_request->proxy_authorizations, i), &copy) == 0)
            osip_list_add(&(*ack)->proxy_authorizations, copy, -1);
    return OSIP_SUCCESS;
}

int d_send_ack(int id, osip_message_t *ack)
{
    struct d_txn *invite = find_acked(id);
    struct d_call *call = invite == NULL ? NULL : invite->call;
    if (call == NULL || ack == NULL) {
        osip_message_free(ack);
        return OSIP_NOTFOUND;
    }
    osip_message_free(call->ack);
    call->ack = ack;
    return d_send(NULL, ack, NULL, 0, -1) < 0 ? OSIP_UNDEFINED_ERROR : OSIP_SUCCESS;
}

static int is_free_for(struct d_call *call, const char *method)
{
    const struct d_txn *last = d_txn_last(call, method);
    return last == NULL || d_txn_is_done(last);
}

int d_call_build_request(int did, const char *method, osip_message_t **request)
{
    struct d_call *call = find_did(did);
    if (call == NULL || call->dialog == NULL)
        return did <= 0 ? OSIP_BADPARAMETER : OSIP_NOTFOUND;
    if (!is_free_for(call, method))
        return OSIP_WRONG_STATE;
    return d_build_within(request, method, call->dialog);
}

int d_call_send_request(int did, osip_message_t *request)
{
    struct d_call *call = find_did(did);
    if (call == NULL || !is_free_for(call, request->sip_method)) {
        osip_message_free(request);
        return call == NULL ? OSIP_NOTFOUND : OSIP_WRONG_STATE;
    }
    d_txn_start(MSG_IS_INVITE(request) ? ICT : NICT, request, call, NULL);
    return OSIP_SUCCESS;
}

static int send_cancel(struct d_call *call, int did)
{
    osip_message_t *invite = call->out->tr->orig_request, *cancel = NULL;
    osip_via_t *via;
    int code = osip_message_clone(invite, &cancel);
    if (code != 0)
        return code;
    while ((via = osip_list_get(&cancel->vias, 1)) != NULL) {
        osip_list_remove(&cancel->vias, 1);
        osip_via_free(via);
    }
    osip_list_special_free(&cancel->contacts, (void (*)(void *))osip_contact_free);
    osip_list_special_free(&cancel->bodies, (void (*)(void *))osip_body_free);
    osip_content_type_free(cancel->content_type);
    cancel->content_type = NULL;
    osip_free(cancel->sip_method);
    cancel->sip_method = osip_strdup("CANCEL");
    osip_free(cancel->cseq->method);
    cancel->cseq->method = osip_strdup("CANCEL");
    osip_message_force_update(cancel);
    d_txn_start(NICT, cancel, NULL, NULL);
    if (D_IS_3_3 && did > 0) {
        osip_dialog_free(call->dialog);
        call->dialog = NULL;
    }
    return 1;
}

static int send_bye(struct d_call *call)
{
    osip_message_t *bye = NULL;
    int code = d_build_within(&bye, "BYE", call->dialog);
    if (code != OSIP_SUCCESS)
        return code;
    d_txn_start(NICT, bye, call, NULL);
    d_call_drop_dialog(call);
    return OSIP_SUCCESS;
}

int d_terminate(int cid, int did)
{
    struct d_call *call = did > 0 ? find_did(did) : find_cid(cid);
    osip_message_t *last;
    if (call == NULL)
        return OSIP_NOTFOUND;
    if (call->dialog != NULL && call->dialog->state == DIALOG_CONFIRMED)
        return send_bye(call);
    last = call->out == NULL ? NULL : call->out->tr->last_response;
    if (last != NULL && last->status_code < 200)
        return send_cancel(call, did);
    return OSIP_WRONG_STATE;
}

/* -- in --------------------------------------------------------------------------------------------------- */

int d_call_build_answer(int tid, int status, osip_message_t **answer)
{
    struct d_txn *txn = d_txn_find(tid);
    int code, invite;
    if (tid < 0 || status <= 100 || status > 699)
        return OSIP_BADPARAMETER;
    if (txn == NULL || txn->call == NULL)
        return OSIP_NOTFOUND;
    invite = txn->tr->ctx_type == IST;
    if (invite && (d_is_answered(txn) || (status / 100 == 2 && txn->call->dialog == NULL)))
        return OSIP_WRONG_STATE;
    code = d_build_response(answer, txn->call->dialog, status, txn->tr->orig_request);
    if (code == OSIP_SUCCESS && status < 300) {
        d_add_contact(*answer, (*answer)->to->url->username);
        code = d_add_record_routes(*answer, txn->tr->orig_request);
    }
    return code;
}

static int has_timer(osip_message_t *message)
{
    osip_header_t *supported = NULL;
    osip_message_header_get_byname(message, "supported", 0, &supported);
    return supported != NULL && supported->hvalue != NULL && strstr(supported->hvalue, "timer") != NULL;
}

/* Where a 2xx has "timer" in Supported, 5.3 agrees to the session timer that the INVITE asks for (RFC 4028), whatever the
 * 2xx says of it. */
static void add_session_timer(osip_message_t *answer, osip_message_t *invite)
{
    osip_header_t *asked = NULL, *agreed = NULL;
    osip_message_header_get_byname(invite, "session-expires", 0, &asked);
    if (!D_IS_5_3 || !MSG_IS_STATUS_2XX(answer) || asked == NULL || !has_timer(answer) ||
        osip_header_clone(asked, &agreed) != 0)
        return;
    osip_list_add(&answer->headers, agreed, 0);
    if (has_timer(invite))
        osip_message_set_header(answer, "Require", "timer");
}

static void keep_200(struct d_call *call, osip_message_t *answer)
{
    osip_message_free(call->ok);
    call->ok = NULL;
    osip_message_clone(answer, &call->ok);
    call->ok_count = 0;
    call->ok_next = time(NULL) + 1;
    osip_dialog_set_state(call->dialog, DIALOG_CONFIRMED);
}

int d_call_send_answer(int tid, int status, osip_message_t *answer)
{
    struct d_txn *txn = d_txn_find(tid);
    int code = OSIP_SUCCESS;
    if (txn == NULL || txn->call == NULL)
        code = OSIP_NOTFOUND;
    else if (d_is_answered(txn))
        code = OSIP_WRONG_STATE;
    else if (answer == NULL)
        code = status / 100 == 2 ? OSIP_BADPARAMETER : d_call_build_answer(tid, status, &answer);
    if (code != OSIP_SUCCESS) {
        osip_message_free(answer);
        return code;
    }
    if (txn->tr->ctx_type == IST)
        add_session_timer(answer, txn->tr->orig_request);
    if (txn->tr->ctx_type == IST && status / 100 == 2 && txn->call->dialog != NULL)
        keep_200(txn->call, answer);
    return d_answer(txn, answer);
}

void d_calls_repeat_200(void)
{
    struct d_call *call;
    time_t now = time(NULL);
    for (call = D.calls; call != NULL; call = call->next) {
        if (call->ok == NULL || call->dialog == NULL || call->ok_next >= now)
            continue;
        if (call->ok_count == LAST_200) {
            if (send_bye(call) == OSIP_SUCCESS)
                d_post(EXOSIP_CALL_CLOSED, call, NULL, NULL, NULL);
            continue;
        }
        call->ok_count++;
        call->ok_next = now + (call->ok_count < 3 ? call->ok_count : 4);
        d_send(NULL, call->ok, NULL, 0, -1);
    }
}

/* A 2xx again: the ACK was lost. */
void d_on_late_response(osip_event_t *event)
{
    struct d_call *call;
    osip_generic_param_t *tag = NULL;
    osip_to_get_tag(event->sip->to, &tag);
    for (call = D.calls; call != NULL && MSG_IS_STATUS_2XX(event->sip) && tag != NULL; call = call->next)
        if (call->ack != NULL && call->dialog != NULL && call->dialog->remote_tag != NULL &&
            strcmp(call->dialog->remote_tag, tag->gvalue) == 0 &&
            strcmp(call->ack->cseq->number, event->sip->cseq->number) == 0)
            d_send(NULL, call->ack, NULL, 0, -1);
    osip_event_free(event);
}
