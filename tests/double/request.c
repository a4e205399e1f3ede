/* request.c - transactions, over libosip2's state machines (17). */
#include "double.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEEP_DEAD = 5,      /* seconds that a finished transaction can still be tried again with credentials */
    KEEP_UNANSWERED = 180
};

static struct d_txn *add(osip_transaction_t *tr, struct d_call *call, struct d_reg *reg)
{
    struct d_txn *txn = calloc(1, sizeof *txn);
    if (txn == NULL)
        abort();
    txn->tr = tr;
    txn->call = call;
    txn->reg = reg;
    txn->born = time(NULL);
    txn->next = D.txns;
    D.txns = txn;
    osip_transaction_set_your_instance(tr, txn);
    return txn;
}

struct d_txn *d_txn_start(osip_fsm_type_t type, osip_message_t *message, struct d_call *call, struct d_reg *reg)
{
    osip_transaction_t *tr = NULL;
    osip_event_t *event;
    struct d_txn *txn;
    fragile_look_up(message);
    if (osip_transaction_init(&tr, type, D.osip, message) != 0)
        abort();
    txn = add(tr, call, reg);
    event = osip_new_outgoing_sipmessage(message);
    event->transactionid = tr->transactionid;
    osip_transaction_add_event(tr, event);
    d_wake();
    return txn;
}

/* A request arrived: its state machine has it when this returns. */
struct d_txn *d_txn_incoming(osip_fsm_type_t type, osip_event_t *event, int socket)
{
    osip_transaction_t *tr = NULL;
    struct d_txn *txn;
    fragile_look_up(event->sip);
    if (osip_transaction_init(&tr, type, D.osip, event->sip) != 0) {
        osip_event_free(event);
        return NULL;
    }
    txn = add(tr, NULL, NULL);
    osip_transaction_set_in_socket(tr, socket);
    osip_transaction_set_out_socket(tr, socket);
    event->transactionid = tr->transactionid;
    osip_transaction_add_event(tr, event);
    if (type == IST)
        osip_ist_execute(D.osip);
    else
        osip_nist_execute(D.osip);
    return txn;
}

struct d_txn *d_txn_find(int tid)
{
    struct d_txn *txn;
    for (txn = D.txns; txn != NULL && txn->tr->transactionid != tid; txn = txn->next)
        ;
    return txn;
}

struct d_txn *d_txn_last(struct d_call *call, const char *method)
{
    struct d_txn *txn;
    for (txn = D.txns; txn != NULL; txn = txn->next)
        if (txn->call == call && strcmp(txn->tr->cseq->method, method) == 0)
            return txn;
    return NULL;
}

int d_is_answered(const struct d_txn *txn)
{
    state_t state = txn->tr->state;
    return state == IST_COMPLETED || state == IST_CONFIRMED || state == IST_TERMINATED ||
           state == NIST_COMPLETED || state == NIST_TERMINATED;
}

int d_txn_is_done(const struct d_txn *txn)
{
    state_t state = txn->tr->state;
    return state == ICT_TERMINATED || state == ICT_COMPLETED || state == IST_TERMINATED ||
           state == IST_CONFIRMED || state == NICT_TERMINATED || state == NICT_COMPLETED ||
           state == NIST_TERMINATED || state == NIST_COMPLETED;
}

void d_txns_sweep(int all)
{
    struct d_txn **link = &D.txns, *txn;
    time_t now = time(NULL);
    while ((txn = *link) != NULL) {
        int over = txn->dead ? now - txn->dead_at > KEEP_DEAD : now - txn->born > KEEP_UNANSWERED;
        if (!all && (!over || txn->call != NULL || txn->reg != NULL || txn->sub != NULL)) {
            link = &txn->next;
            continue;
        }
        *link = txn->next;
        if (!txn->dead)
            osip_remove_transaction(D.osip, txn->tr);
        osip_transaction_free2(txn->tr);
        free(txn);
    }
}

/* -- what the state machines tell ------------------------------------------------------------------------- */

static void on_response(int type, osip_transaction_t *tr, osip_message_t *response)
{
    struct d_txn *txn = osip_transaction_get_your_instance(tr);
    int class = response->status_code / 100;
    const char *method = response->cseq->method;
    (void)type;
    if (txn == NULL || strcmp(method, "CANCEL") == 0)
        return;
    if (strcmp(method, "INVITE") == 0) {
        d_on_invite_response(txn, response);
    } else if (txn->sub != NULL) {
        d_on_sub_response(txn, response);
    } else if (txn->forgotten) {
        return;
    } else if (txn->reg != NULL) {
        if (class > 1)
            d_post(class == 2 ? EXOSIP_REGISTRATION_SUCCESS : EXOSIP_REGISTRATION_FAILURE, NULL, txn->reg, tr,
                   NULL);
    } else if (txn->call != NULL) {
        d_post(EXOSIP_CALL_MESSAGE_PROCEEDING + class - 1, txn->call, NULL, tr, NULL);
        if (class > 1 && strcmp(method, "BYE") == 0)
            d_call_over(txn->call, 15);
    } else if (strcmp(method, "REGISTER") != 0) {
        d_post(EXOSIP_MESSAGE_PROCEEDING + class - 1, NULL, NULL, tr, NULL);
    }
}

static void on_refusal_sent(int type, osip_transaction_t *tr, osip_message_t *response)
{
    struct d_txn *txn = osip_transaction_get_your_instance(tr);
    (void)type;
    (void)response;
    if (txn == NULL || txn->call == NULL || txn->call->in != txn)
        return;
    osip_dialog_free(txn->call->dialog);
    txn->call->dialog = NULL;
    d_post(EXOSIP_CALL_CLOSED, txn->call, NULL, tr, NULL);
    d_call_over(txn->call, 10);
}

static void on_kill(int type, osip_transaction_t *tr)
{
    struct d_txn *txn = osip_transaction_get_your_instance(tr);
    int ours = type == OSIP_ICT_KILL_TRANSACTION || type == OSIP_NICT_KILL_TRANSACTION;
    osip_remove_transaction(D.osip, tr);
    if (txn == NULL || txn->dead)
        return;
    txn->dead = 1;
    txn->dead_at = time(NULL);
    if (!ours || tr->last_response != NULL)
        return;
    if (type == OSIP_ICT_KILL_TRANSACTION) { /* no event tells it */
        if (txn->call != NULL && txn->call->out == txn)
            d_call_over(txn->call, 10);
    } else if (txn->reg != NULL) {
        d_post(EXOSIP_REGISTRATION_FAILURE, NULL, txn->reg, tr, NULL);
    } else if (txn->call != NULL) {
        d_post(EXOSIP_CALL_MESSAGE_REQUESTFAILURE, txn->call, NULL, tr, NULL);
        if (strcmp(tr->cseq->method, "BYE") == 0)
            d_call_over(txn->call, 0);
    } else if (txn->sub != NULL) {
        d_on_sub_silence(txn);
    } else {
        d_post(EXOSIP_MESSAGE_REQUESTFAILURE, NULL, NULL, tr, NULL);
    }
}

static void on_transport_error(int type, osip_transaction_t *tr, int error)
{
    struct d_txn *txn = osip_transaction_get_your_instance(tr); /* the kill follows */
    (void)error;
    if (D_IS_5_3 && type == OSIP_ICT_TRANSPORT_ERROR && txn != NULL && txn->call != NULL)
        d_post(EXOSIP_CALL_NOANSWER, txn->call, NULL, tr, NULL);
}

void d_set_callbacks(osip_t *osip)
{
    static const int RESPONSES[] = {
        OSIP_ICT_STATUS_1XX_RECEIVED,  OSIP_ICT_STATUS_2XX_RECEIVED,  OSIP_ICT_STATUS_3XX_RECEIVED,
        OSIP_ICT_STATUS_4XX_RECEIVED,  OSIP_ICT_STATUS_5XX_RECEIVED,  OSIP_ICT_STATUS_6XX_RECEIVED,
        OSIP_NICT_STATUS_1XX_RECEIVED, OSIP_NICT_STATUS_2XX_RECEIVED, OSIP_NICT_STATUS_3XX_RECEIVED,
        OSIP_NICT_STATUS_4XX_RECEIVED, OSIP_NICT_STATUS_5XX_RECEIVED, OSIP_NICT_STATUS_6XX_RECEIVED};
    static const int REFUSALS[] = {OSIP_IST_STATUS_3XX_SENT, OSIP_IST_STATUS_4XX_SENT,
                                   OSIP_IST_STATUS_5XX_SENT, OSIP_IST_STATUS_6XX_SENT};
    size_t i;
    int type;
    osip_set_cb_send_message(osip, d_send);
    for (i = 0; i < sizeof RESPONSES / sizeof *RESPONSES; i++)
        osip_set_message_callback(osip, RESPONSES[i], on_response);
    for (i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++)
        osip_set_message_callback(osip, REFUSALS[i], on_refusal_sent);
    for (type = OSIP_ICT_KILL_TRANSACTION; type <= OSIP_NIST_KILL_TRANSACTION; type++)
        osip_set_kill_transaction_callback(osip, type, on_kill);
    for (type = OSIP_ICT_TRANSPORT_ERROR; type <= OSIP_NIST_TRANSPORT_ERROR; type++)
        osip_set_transport_error_callback(osip, type, on_transport_error);
}

/* -- answers ---------------------------------------------------------------------------------------------- */

int d_answer(struct d_txn *txn, osip_message_t *answer)
{
    osip_event_t *event = osip_new_outgoing_sipmessage(answer);
    event->transactionid = txn->tr->transactionid;
    osip_transaction_add_event(txn->tr, event);
    d_wake();
    return OSIP_SUCCESS;
}

/* 5.3 agrees to a REFER that is to have no subscription (RFC 4488). */
static void add_refer_sub(osip_message_t *answer, osip_message_t *request)
{
    osip_header_t *header = NULL;
    osip_message_header_get_byname(request, "Refer-Sub", 0, &header);
    if (D_IS_5_3 && MSG_IS_STATUS_2XX(answer) && header != NULL && header->hvalue != NULL &&
        strcmp(header->hvalue, "false") == 0)
        osip_message_set_header(answer, "Refer-Sub", "false");
}

int d_message_build_answer(int tid, int status, osip_message_t **answer)
{
    struct d_txn *txn = d_txn_find(tid);
    int code;
    if (tid <= 0 || status < 200 || status == 300 || status > 699) /* 300 too: as the library */
        return OSIP_BADPARAMETER;
    if (txn == NULL || txn->call != NULL)
        return OSIP_NOTFOUND;
    code = d_build_response(answer, NULL, status, txn->tr->orig_request);
    if (code == OSIP_SUCCESS)
        add_refer_sub(*answer, txn->tr->orig_request);
    return code;
}

int d_message_send_answer(int tid, int status, osip_message_t *answer)
{
    struct d_txn *txn = d_txn_find(tid);
    int code = OSIP_SUCCESS;
    if (txn == NULL || txn->call != NULL)
        code = OSIP_NOTFOUND;
    else if (d_is_answered(txn))
        code = OSIP_WRONG_STATE;
    else if (answer == NULL)
        code = d_build_response(&answer, NULL, status, txn->tr->orig_request);
    if (code == OSIP_SUCCESS)
        return d_answer(txn, answer);
    osip_message_free(answer);
    return code;
}

/* -- once more, with credentials -------------------------------------------------------------------------- */

static void replace_invite(struct d_call *call, struct d_txn *with)
{
    call->out->call = NULL;
    call->out = with;
    osip_dialog_free(call->dialog);
    call->dialog = NULL;
    call->did = 0;
    call->release_at = 0;
}

int d_default_action(eXosip_event_t *event)
{
    struct d_txn *txn, *again;
    osip_message_t *request = NULL;
    int code;
    if (event == NULL || event->response == NULL || event->rid > 0 ||
        (event->response->status_code != 401 && event->response->status_code != 407))
        return OSIP_BADPARAMETER;
    txn = d_txn_find(event->tid);
    if (txn == NULL || txn->tr->last_response == NULL || txn->forgotten || (event->nid > 0 && txn->sub == NULL) ||
        (event->sid > 0 && txn->sub == NULL) ||
        MSG_IS_PUBLISH(event->request)) /* it looks among those of another part of its API */
        return OSIP_NOTFOUND;
    code = osip_message_clone(txn->tr->orig_request, &request);
    if (code != 0)
        return code;
    d_next_cseq(request, 1);
    d_new_branch(request);
    d_authorize(request, txn->tr->last_response);
    osip_message_force_update(request);
    again = d_txn_start(MSG_IS_INVITE(request) ? ICT : NICT, request, txn->call, NULL);
    if (txn->sub != NULL) {
        again->sub = txn->sub;
        txn->sub = NULL;
        txn->forgotten = 1;
        again->sub->out = again;
    }
    if (txn->call == NULL)
        return OSIP_SUCCESS;
    if (txn->call->out == txn)
        replace_invite(txn->call, again);
    else if (txn->call->dialog != NULL)
        txn->call->dialog->local_cseq++;
    return OSIP_SUCCESS;
}
