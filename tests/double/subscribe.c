/* subscribe.c - subscriptions in both roles, as the library has them (RFC 6665). */
#include "double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct d_sub *sub_new(int incoming)
{
    struct d_sub *sub = calloc(1, sizeof *sub);
    if (sub == NULL)
        abort();
    sub->id = d_next_id();
    sub->incoming = incoming;
    sub->next = D.subs;
    D.subs = sub;
    return sub;
}

/* What is under way of it goes on, and nobody is told any more. */
static void sub_free(struct d_sub *sub)
{
    struct d_sub **link = &D.subs;
    struct d_txn *txn;
    while (*link != sub)
        link = &(*link)->next;
    *link = sub->next;
    for (txn = D.txns; txn != NULL; txn = txn->next)
        if (txn->sub == sub) {
            txn->sub = NULL;
            txn->forgotten = 1;
        }
    osip_dialog_free(sub->dialog);
    free(sub);
}

void d_subs_clear(void)
{
    while (D.subs != NULL)
        sub_free(D.subs);
}

static struct d_sub *find(int did, int incoming)
{
    struct d_sub *sub;
    if (did <= 0)
        return NULL;
    for (sub = D.subs; sub != NULL && (sub->did != did || sub->incoming != incoming); sub = sub->next)
        ;
    return sub;
}

int d_sub_remove(int did, int incoming)
{
    struct d_sub *sub = find(did, incoming);
    if (sub == NULL)
        return did <= 0 ? OSIP_BADPARAMETER : OSIP_NOTFOUND;
    sub_free(sub);
    return OSIP_SUCCESS;
}

/* The last transaction of a method, other than this one. */
static struct d_txn *last(struct d_sub *sub, const char *method, osip_fsm_type_t type, const struct d_txn *other)
{
    struct d_txn *txn;
    for (txn = D.txns; txn != NULL; txn = txn->next)
        if (txn != other && txn->sub == sub && txn->tr->ctx_type == type &&
            strcmp(txn->tr->cseq->method, method) == 0)
            return txn;
    return NULL;
}

static const char *header(osip_message_t *message, const char *name)
{
    osip_header_t *found = NULL;
    osip_message_header_get_byname(message, name, 0, &found);
    return found == NULL ? NULL : found->hvalue;
}

static int is_terminated(osip_message_t *message)
{
    const char *state = header(message, "subscription-state");
    return state != NULL && strncasecmp(state, "terminated", 10) == 0;
}

/* -- ours ------------------------------------------------------------------------------------------------- */

int d_subscribe_build(osip_message_t **request, const char *to, const char *from, const char *route,
                      const char *event, int expires)
{
    char seconds[16];
    int code;
    if (to == NULL || from == NULL || event == NULL || *event == '\0')
        return OSIP_BADPARAMETER;
    code = d_build_request(request, "SUBSCRIBE", to, from, route, NULL);
    if (code != OSIP_SUCCESS)
        return code;
    d_add_contact(*request, (*request)->from->url->username);
    snprintf(seconds, sizeof seconds, "%d", expires);
    osip_message_set_expires(*request, seconds);
    osip_message_set_header(*request, "Event", event);
    return OSIP_SUCCESS;
}

/* Each is a new subscription. */
int d_subscribe_send(osip_message_t *request)
{
    struct d_sub *sub = sub_new(0);
    sub->out = d_txn_start(NICT, request, NULL, NULL);
    sub->out->sub = sub;
    return sub->id;
}

static void learn_dialog(struct d_sub *sub, osip_message_t *response)
{
    if (sub->dialog == NULL)
        osip_dialog_init_as_uac(&sub->dialog, response);
    else
        osip_dialog_update_route_set_as_uac(sub->dialog, response);
    if (sub->dialog != NULL && sub->did == 0)
        sub->did = d_next_id();
}

/* A response to a SUBSCRIBE or a NOTIFY of ours. */
void d_on_sub_response(struct d_txn *txn, osip_message_t *response)
{
    struct d_sub *sub = txn->sub;
    int class = response->status_code / 100;
    if (class == 1)
        return;
    if (!sub->incoming && class == 2)
        learn_dialog(sub, response);
    d_post_sub((sub->incoming ? EXOSIP_NOTIFICATION_PROCEEDING : EXOSIP_SUBSCRIPTION_PROCEEDING) + class - 1, sub,
               txn->tr);
    if (sub->incoming && class == 2 && is_terminated(txn->tr->orig_request))
        sub_free(sub);
}

/* No response at all. */
void d_on_sub_silence(struct d_txn *txn)
{
    struct d_sub *sub = txn->sub;
    d_post_sub(sub->incoming ? EXOSIP_NOTIFICATION_REQUESTFAILURE : EXOSIP_SUBSCRIPTION_REQUESTFAILURE, sub, txn->tr);
    sub_free(sub);
}

/* -- from outside ----------------------------------------------------------------------------------------- */

int d_insubscription_build_answer(int tid, int status, osip_message_t **answer)
{
    struct d_txn *txn = d_txn_find(tid);
    int code;
    if (tid <= 0 || status < 101 || status > 699)
        return OSIP_BADPARAMETER;
    if (txn == NULL || txn->sub == NULL || !txn->sub->incoming)
        return OSIP_NOTFOUND;
    code = d_build_response(answer, txn->sub->dialog, status, txn->tr->orig_request);
    if (code != OSIP_SUCCESS || status >= 300)
        return code;
    osip_message_set_expires(*answer, "600");
    d_add_record_routes(*answer, txn->tr->orig_request);
    return d_add_contact(*answer, txn->tr->orig_request->to->url->username);
}

int d_insubscription_send_answer(int tid, int status, osip_message_t *answer)
{
    struct d_txn *txn = d_txn_find(tid);
    int code = OSIP_SUCCESS;
    if (txn == NULL || txn->sub == NULL)
        code = OSIP_NOTFOUND;
    else if (d_is_answered(txn))
        code = OSIP_WRONG_STATE;
    else if (answer == NULL)
        code = status < 300 ? OSIP_BADPARAMETER : d_insubscription_build_answer(tid, status, &answer);
    if (code == OSIP_SUCCESS)
        return d_answer(txn, answer);
    osip_message_free(answer);
    return code;
}

/* One NOTIFY at a time. */
static int is_busy(struct d_sub *sub)
{
    struct d_txn *before = last(sub, "NOTIFY", NICT, NULL);
    return before != NULL && !d_txn_is_done(before);
}

int d_insubscription_build_request(int did, const char *method, osip_message_t **request)
{
    struct d_sub *sub = find(did, 1);
    if (sub == NULL || sub->dialog == NULL)
        return did <= 0 ? OSIP_BADPARAMETER : OSIP_NOTFOUND;
    return is_busy(sub) ? OSIP_WRONG_STATE : d_build_within(request, method, sub->dialog);
}

int d_insubscription_send_request(int did, osip_message_t *request)
{
    struct d_sub *sub = find(did, 1);
    if (sub == NULL || is_busy(sub)) {
        osip_message_free(request);
        return sub == NULL ? OSIP_NOTFOUND : OSIP_WRONG_STATE;
    }
    d_txn_start(NICT, request, NULL, NULL)->sub = sub;
    return OSIP_SUCCESS;
}

/* -- requests that arrive --------------------------------------------------------------------------------- */

static void answer_with(struct d_txn *txn, osip_dialog_t *dialog, int status)
{
    osip_message_t *answer = NULL;
    if (d_build_response(&answer, dialog, status, txn->tr->orig_request) == OSIP_SUCCESS)
        d_answer(txn, answer);
}

/* The library answers it. */
static void on_notify(struct d_sub *sub, struct d_txn *txn)
{
    osip_message_t *notify = txn->tr->orig_request;
    int over = is_terminated(notify);
    if (header(notify, "subscription-state") == NULL) {
        answer_with(txn, sub->dialog, 400);
        return;
    }
    txn->sub = sub;
    answer_with(txn, sub->dialog, 200);
    d_post_sub(EXOSIP_SUBSCRIPTION_NOTIFY, sub, txn->tr);
    if (over)
        sub_free(sub);
}

static void on_notify_within(struct d_sub *sub, struct d_txn *txn)
{
    struct d_txn *before = last(sub, "NOTIFY", NIST, txn);
    if (before != NULL && before->tr->state != NIST_TERMINATED) {
        answer_with(txn, sub->dialog, 500); /* for 32 s */
        return;
    }
    osip_dialog_update_osip_cseq_as_uas(sub->dialog, txn->tr->orig_request);
    osip_dialog_update_route_set_as_uas(sub->dialog, txn->tr->orig_request);
    on_notify(sub, txn);
}

static void on_subscribe_within(struct d_sub *sub, struct d_txn *txn)
{
    struct d_txn *before = last(sub, "SUBSCRIBE", NIST, txn);
    if (before != NULL && before->tr->state != NIST_TERMINATED && before->tr->state != NIST_COMPLETED) {
        answer_with(txn, sub->dialog, 500);
        return;
    }
    osip_dialog_update_osip_cseq_as_uas(sub->dialog, txn->tr->orig_request);
    osip_dialog_update_route_set_as_uas(sub->dialog, txn->tr->orig_request);
    txn->sub = sub;
    d_post_sub(EXOSIP_IN_SUBSCRIPTION_NEW, sub, txn->tr);
}

static void on_new_subscribe(struct d_txn *txn)
{
    osip_message_t *early = NULL, *subscribe = txn->tr->orig_request;
    osip_generic_param_t *tag = NULL;
    struct d_sub *sub;
    if (osip_to_get_tag(subscribe->to, &tag) == 0 || osip_list_size(&subscribe->contacts) == 0) {
        answer_with(txn, NULL, tag != NULL ? 481 : 400);
        return;
    }
    if (d_build_response(&early, NULL, 101, subscribe) != OSIP_SUCCESS)
        return;
    sub = sub_new(1);
    txn->sub = sub;
    d_add_contact(early, subscribe->to->url->username);
    d_add_record_routes(early, subscribe);
    if (osip_dialog_init_as_uas(&sub->dialog, subscribe, early) == 0) {
        sub->dialog->local_cseq = 1;
        sub->did = d_next_id();
    }
    d_answer(txn, early);
    d_post_sub(EXOSIP_IN_SUBSCRIPTION_NEW, sub, txn->tr);
}

static struct d_sub *of_dialog(osip_message_t *request)
{
    struct d_sub *sub;
    for (sub = D.subs; sub != NULL; sub = sub->next)
        if (sub->dialog != NULL && osip_dialog_match_as_uas(sub->dialog, request) == 0)
            return sub;
    return NULL;
}

/* A NOTIFY that came before the 2xx. */
static struct d_sub *of_subscribe(osip_message_t *notify)
{
    osip_generic_param_t *ours = NULL, *theirs = NULL;
    struct d_sub *sub;
    if (osip_to_get_tag(notify->to, &theirs) != 0 || theirs == NULL)
        return NULL;
    for (sub = D.subs; sub != NULL; sub = sub->next) {
        if (sub->incoming || sub->dialog != NULL || osip_call_id_match(sub->out->tr->callid, notify->call_id) != 0)
            continue;
        osip_from_get_tag(sub->out->tr->from, &ours);
        if (ours != NULL && strcmp(ours->gvalue, theirs->gvalue) == 0)
            return sub;
    }
    return NULL;
}

/* 5.3 takes a REFER for a subscription, unless that is to have none (RFC 4488). */
static int asks_for_reports(osip_message_t *request)
{
    const char *wanted = header(request, "refer-sub");
    return D_IS_5_3 && MSG_IS_REFER(request) && (wanted == NULL || strcasecmp(wanted, "false") != 0);
}

int d_on_sub_request(struct d_txn *txn)
{
    osip_message_t *request = txn->tr->orig_request;
    struct d_sub *sub = of_dialog(request);
    if (sub != NULL) {
        if (!sub->incoming && MSG_IS_NOTIFY(request))
            on_notify_within(sub, txn);
        else if (sub->incoming && MSG_IS_SUBSCRIBE(request))
            on_subscribe_within(sub, txn);
        else
            answer_with(txn, sub->dialog, 501);
        return 1;
    }
    if (MSG_IS_SUBSCRIBE(request) || asks_for_reports(request)) {
        on_new_subscribe(txn);
        return 1;
    }
    if (!MSG_IS_NOTIFY(request) || (sub = of_subscribe(request)) == NULL)
        return 0;
    osip_dialog_init_as_uac_with_remote_request(&sub->dialog, request, osip_atoi(sub->out->tr->cseq->number));
    if (sub->dialog == NULL)
        return 0;
    sub->did = d_next_id();
    on_notify(sub, txn);
    return 1;
}
