/* request.c - transactions: requests and responses within dialogs (12.2) and outside (8). */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_header.h>

#include "address.h"
#include "call.h"
#include "call_events.h"
#include "core.h"
#include "entry.h"
#include "event.h"
#include "loop.h"
#include "message.h"
#include "notify.h"
#include "record.h"
#include "send.h"
#include "state.h"

/* ------------------------------------------------------------------------------------------------------
 * Ours
 */
static void post_final(struct sof_transaction *record, struct sb_object *transaction, int status,
                       const char *reason, const sip_t *sip)
{
    sb_event event;
    sb_event_response(&event, transaction, record->method, status);
    event.reason = reason;
    sof_post(record->record.state, &event, sip);
}

static void post_response(struct sof_transaction *record, struct sb_object *transaction, int status,
                          const sip_t *sip)
{
    post_final(record, transaction, status, NULL, sip);
}

void sof_fail_transaction(struct sb_object *transaction, const char *reason)
{
    post_final(transaction->lib, transaction, 503, reason, NULL);
}

/* 12.2.1.2, 14.1: a re-INVITE that nobody answers ends the call. */
static void give_up_reinvite(struct sof_transaction *record, struct sb_object *transaction)
{
    struct sb_object *call = transaction->call;
    msg_t *bye;
    if (sof_draft_within(record->record.state, "BYE", NULL, &bye) == SB_OK)
        sof_send_bye(call->lib, bye);
    post_response(record, transaction, 408, NULL);
    sof_end_call(record->record.state, call, SB_CAUSE_TIMEOUT, 408, NULL);
}

/* Keep the re-INVITE that got a 2xx: the call sends the ACK. */
static void keep_for_ack(struct sof_transaction *record, struct sb_object *call)
{
    struct sof_call *dialog = call->lib;
    msg_t *ack;
    if (dialog->answered != NULL)
        nta_outgoing_destroy(dialog->answered);
    dialog->answered = record->request.orq;
    record->request.orq = NULL;
    if (call->state == SB_CALL_ENDING && sof_draft(NULL, &ack) == SB_OK)
        sof_send_ack(dialog, ack); /* the user cannot any more */
}

static void on_final(struct sof_transaction *record, struct sb_object *transaction, int status, const sip_t *sip)
{
    if (transaction->is_invite && sof_real(sip) == NULL && status == 408) {
        give_up_reinvite(record, transaction);
        return;
    }
    if (transaction->call != NULL && status < 300) /* the peer's Contact may be another now (12.2.1.2) */
        nta_leg_client_route(record->request.dialog->leg, sip->sip_record_route, sip->sip_contact);
    if (transaction->is_invite && status < 300)
        keep_for_ack(record, transaction->call);
    post_response(record, transaction, status, sip);
}

/* The peer has said so much as 100 to a re-INVITE, or rings, and nothing else for too long. */
static void on_reinvite_limit(struct sof_record *data)
{
    struct sb_object *transaction = sof_object(data, SB_KIND_TRANSACTION);
    if (transaction != NULL)
        give_up_reinvite((struct sof_transaction *)data, transaction);
}

static int on_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip)
{
    struct sof_transaction *record = (struct sof_transaction *)data;
    struct sb_object *transaction;
    int status = nta_outgoing_status(orq);
    sof_enter_response(data->state, orq);
    transaction = sof_object(data, SB_KIND_TRANSACTION);
    if (transaction != NULL && status > 100 && status < 200 && transaction->is_invite)
        sof_set_timer(data, SB_RING_LIMIT_MS, on_reinvite_limit);
    else if (transaction != NULL && status >= 200 && !sof_retry(&record->request, sof_real(sip)))
        on_final(record, transaction, status, sip);
    sof_leave(data->state);
    return 0;
}

/* Refuse requests from a peer with which there is no dialog but only a request of ours. */
static int on_no_dialog(struct sof_record *record, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
    (void)record;
    (void)leg;
    (void)irq;
    (void)sip;
    return 481;
}

/* The host must have an address by now. nta's timers limit every wait but the one for the final response to an INVITE.
 */
static void on_looked_up(struct sof_record *data)
{
    struct sb_object *transaction = sof_object(data, SB_KIND_TRANSACTION);
    if (transaction != NULL && sof_is_unresolved(&((struct sof_transaction *)data)->request))
        sof_fail_transaction(transaction, SB_UNRESOLVED);
    else if (transaction != NULL && transaction->is_invite)
        sof_set_timer(data, SOF_RING_LEFT_MS, on_reinvite_limit);
}

static void run_request(struct sofia *state, struct sof_command *command)
{
    struct sb_object *transaction = sb_core_find(state->core, SB_KIND_TRANSACTION, command->id);
    struct sof_transaction *record;
    struct sof_record *dialog;
    msg_t *draft = command->msg;
    int code = SB_OK;
    if (transaction == NULL)
        return;
    record = transaction->lib;
    dialog = transaction->call != NULL ? transaction->call->lib : &record->record;
    if (dialog->leg == NULL)
        code = sof_dialog_new(dialog, draft, on_no_dialog);
    command->msg = NULL;
    if (code == SB_OK)
        code = sof_send(&record->request, dialog, &record->record, record->method, draft, on_response);
    else
        msg_destroy(draft);
    if (code != SB_OK)
        post_response(record, transaction, 503, NULL);
    else
        sof_set_timer(&record->record, SOF_LOOKUP_MS, on_looked_up);
}

static struct sof_transaction *record_new(struct sofia *state, struct sb_object *transaction, const char *method)
{
    struct sof_transaction *record = sof_record_new(state, transaction->id, sizeof *record);
    if (record == NULL)
        return NULL;
    transaction->lib = record;
    record->method = strdup(method);
    return record->method == NULL ? NULL : record; /* the core gives it back */
}

int sof_start_request(struct sofia *state, struct sb_object *transaction, const char *method, msg_t *draft)
{
    if (record_new(state, transaction, method) == NULL) {
        msg_destroy(draft);
        return SB_ENOMEM;
    }
    return sof_post_command(state, run_request, transaction, draft) == NULL ? SB_ENOMEM : SB_OK;
}

int sof_call_request(void *state, struct sb_object *call, struct sb_object *transaction, const char *method,
                     const sb_content *content)
{
    msg_t *draft;
    int code = sof_draft_within(state, method, content, &draft);
    (void)call;
    return code == SB_OK ? sof_start_request(state, transaction, method, draft) : code;
}

int sof_reinvite(void *state, struct sb_object *call, struct sb_object *transaction, const sb_content *content)
{
    return sof_call_request(state, call, transaction, "INVITE", content);
}

int sof_request(void *state, struct sb_object *transaction, const char *method, const sb_parties *parties,
                const sb_content *content)
{
    msg_t *draft;
    int code = sof_draft_request(state, method, NULL, parties, content, &draft);
    return code == SB_OK ? sof_start_request(state, transaction, method, draft) : code;
}

int sof_bindings(void *state, struct sb_object *transaction, const char *registrar, const sb_parties *parties,
                 int clear)
{
    static const sb_header REMOVE_ALL[] = {{"Contact", "*"}, {"Expires", "0"}};
    sb_content content = {REMOVE_ALL, 2, NULL, NULL, 0};
    sb_parties between = *parties;
    msg_t *draft;
    int code;
    if (between.from == NULL)
        between.from = between.to;
    code = sof_draft_request(state, "REGISTER", registrar, &between, clear ? &content : NULL, &draft);
    return code == SB_OK ? sof_start_request(state, transaction, "REGISTER", draft) : code;
}

/* ------------------------------------------------------------------------------------------------------
 * From outside
 */
static int is_invite_or_update(sip_method_t method)
{
    return method == sip_method_invite || method == sip_method_update;
}

static int answers_with_contact(sip_method_t method, int status)
{
    return (is_invite_or_update(method) && status < 300) || method == sip_method_subscribe;
}

static int answers_with_allow(sip_method_t method, int status)
{
    return (is_invite_or_update(method) || method == sip_method_options) && (status < 300 || status == 405);
}

/* Complete the response. Returns 0 when it cannot be sent; then the message is freed. */
static int complete(const struct sofia *state, nta_incoming_t *irq, int status, const char *reason, msg_t *msg)
{
    sip_method_t method = nta_incoming_method(irq);
    int with_contact = answers_with_contact(method, status), with_allow = answers_with_allow(method, status);
    if (nta_incoming_complete_response(irq, msg, status, reason,
                                       TAG_IF(with_contact, SIPTAG_CONTACT(sof_contact(state, nta_incoming_url(irq)))),
                                       TAG_IF(with_allow && !sof_has_header(msg, "Allow"),
                                              SIPTAG_ALLOW_STR(SOF_ALLOW)),
                                       TAG_IF(state->server != NULL && !sof_has_header(msg, "Server"),
                                              SIPTAG_SERVER(state->server)),
                                       TAG_END()) < 0) {
        msg_destroy(msg);
        return 0;
    }
    return 1;
}

void sof_reply(struct sofia *state, nta_incoming_t *irq, int status, const char *reason, msg_t *msg)
{
    if ((msg != NULL || sof_draft(NULL, &msg) == SB_OK) && complete(state, irq, status, reason, msg))
        nta_incoming_mreply(irq, msg);
}

void sof_reply_unlocked(struct sofia *state, nta_incoming_t *irq, int status, const char *reason, msg_t *msg)
{
    int depth = sof_pause(state);
    sof_reply(state, irq, status, reason, msg);
    sof_resume(state, depth);
}

int sof_answer(struct sofia *state, nta_incoming_t *irq, int status)
{
    sof_reply(state, irq, status, NULL, NULL);
    nta_incoming_destroy(irq);
    return 0;
}

/* Give a re-INVITE that gets a 2xx to the call: nta repeats the 2xx until the ACK, which the call receives. */
static void hand_to_call(struct sof_call *call, nta_incoming_t *irq)
{
    if (call->irq != NULL)
        nta_incoming_destroy(call->irq);
    call->irq = irq;
    nta_incoming_bind(irq, sof_on_ack_or_cancel, &call->record);
}

static void run_answer(struct sofia *state, struct sof_command *command)
{
    struct sb_object *call = sb_core_find(state->core, SB_KIND_CALL, command->id);
    nta_incoming_t *irq = *command->irq;
    msg_t *msg = command->msg;
    command->msg = NULL;
    *command->irq = NULL;
    if (nta_incoming_status(irq) >= 200) { /* cancelled meanwhile */
        msg_destroy(msg);
        nta_incoming_destroy(irq);
        return;
    }
    if (call != NULL && nta_incoming_method(irq) == sip_method_invite && command->status < 300) {
        hand_to_call(call->lib, irq);
        sof_reply_unlocked(state, irq, command->status, command->reason, msg);
        return;
    }
    sof_reply_unlocked(state, irq, command->status, command->reason, msg);
    nta_incoming_destroy(irq);
}

int sof_post_answer(struct sofia *state, const struct sb_object *call, nta_incoming_t **irq, int status,
                    const char *reason, msg_t *draft)
{
    struct sof_command *command = sof_post_command(state, run_answer, call, draft);
    if (command == NULL)
        return SB_ENOMEM;
    command->status = status;
    command->reason = reason == NULL ? NULL : su_strdup(msg_home(draft), reason);
    command->irq = irq; /* the object may go before the command has run; its record is freed by a later command */
    return SB_OK;
}

int sof_answer_transaction(void *data, struct sb_object *transaction, int status, const char *reason,
                           const sb_content *content)
{
    struct sof_transaction *record = transaction->lib;
    msg_t *draft;
    int code = sof_draft(content, &draft);
    return code == SB_OK ? sof_post_answer(data, transaction->call, &record->irq, status, reason, draft) : code;
}

/* The user did not answer while the peer still waited (17.1.2.2). */
static void on_unanswered(struct sof_record *data)
{
    struct sb_object *transaction = sof_object(data, SB_KIND_TRANSACTION);
    if (transaction == NULL)
        return;
    sb_core_remove(data->state->core, transaction); /* which answers it 500 */
}

int sof_on_request(struct sofia *state, struct sb_object *call, nta_incoming_t *irq, const sip_t *sip)
{
    struct sb_object *transaction = NULL;
    struct sof_transaction *record;
    sb_event event;
    int status = sb_core_own_answer(state->core, call, sip->sip_request->rq_method == sip_method_options);
    if (status != 0)
        return sof_answer(state, irq, status);
    transaction = sb_core_add(state->core, SB_KIND_TRANSACTION, call);
    record = transaction == NULL ? NULL : record_new(state, transaction, sip->sip_request->rq_method_name);
    if (record == NULL) {
        if (transaction != NULL)
            sb_core_remove(state->core, transaction);
        return 503;
    }
    record->irq = irq;
    transaction->is_invite = sip->sip_request->rq_method == sip_method_invite;
    if (transaction->is_invite)
        nta_incoming_bind(irq, sof_on_ack_or_cancel, &record->record);
    else
        sof_set_timer(&record->record, SB_64_T1_MS, on_unanswered);
    sb_event_request(&event, transaction);
    if (sof_post_request(state, &event, sip) != 0)
        sb_core_drop_request(state->core, transaction); /* which answers it 500 */
    return 0;
}

int sof_on_stray(struct sof_record *data, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
    struct sofia *state = (struct sofia *)data; /* the one leg whose context is no record */
    sip_method_t method = sip->sip_request->rq_method;
    int status;
    (void)leg;
    if (method == sip_method_ack)
        return 200; /* nothing is sent; it is forgotten */
    if (sip->sip_to->a_tag != NULL || method == sip_method_bye || method == sip_method_cancel)
        return 481;
    sof_enter_request(state, irq);
    if (method == sip_method_invite)
        status = sof_on_invite(state, irq, sip);
    else if (method == sip_method_subscribe)
        status = sof_on_subscribe(state, irq, sip);
    else
        status = sof_on_request(state, NULL, irq, sip);
    sof_leave(state);
    return status;
}

void sof_transaction_free(struct sof_transaction *record)
{
    sof_request_clear(&record->request);
    free(record->method);
    if (record->irq != NULL)
        nta_incoming_destroy(record->irq); /* 500, where nothing was answered */
}
