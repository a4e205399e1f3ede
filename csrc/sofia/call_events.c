/* call_events.c - what the network tells of calls, as the contract's events. */
#include "call_events.h"

#include <stdlib.h>

#include "call.h"
#include "core.h"
#include "early.h"
#include "entry.h"
#include "event.h"
#include "loop.h"
#include "message.h"
#include "record.h"
#include "request.h"
#include "state.h"
#include "timers.h"

void sof_end_call(struct sofia *state, struct sb_object *call, int cause, int status, const sip_t *sip)
{
    sb_event event;
    sb_event_call_ended(&event, call, cause, status);
    sof_post(state, &event, sip);
}

void sof_fail_call(struct sofia *state, struct sb_object *call, const char *reason)
{
    sb_event event;
    sb_event_call_ended(&event, call, SB_CAUSE_FAILED, 503);
    event.reason = reason;
    sof_post(state, &event, NULL);
}

static void post_call(struct sofia *state, int type, const struct sb_object *call, int status, const sip_t *sip)
{
    sb_event event;
    sb_event_call(&event, type, call, status);
    sof_post(state, &event, sip);
}

/* ------------------------------------------------------------------------------------------------------
 * A call from outside
 */

static void say_trying(struct sofia *state, nta_incoming_t *irq)
{
    int depth = sof_pause(state);
    nta_incoming_treply(irq, SIP_100_TRYING, TAG_END());
    sof_resume(state, depth);
}

int sof_on_invite(struct sofia *state, nta_incoming_t *irq, const sip_t *sip)
{
    struct sb_object *call;
    struct sof_call *record;
    sb_event event;
    if (sb_core_refuses(state->core))
        return 503;
    call = sb_core_add(state->core, SB_KIND_CALL, NULL);
    record = call == NULL ? NULL : sof_record_new(state, call->id, sizeof *record);
    if (record == NULL) {
        if (call != NULL)
            sb_core_remove(state->core, call);
        return 503;
    }
    call->lib = record;
    if (sof_dialog_accept(&record->record, irq, sip, sof_on_dialog_request) != SB_OK) {
        sb_core_remove(state->core, call);
        return 503;
    }
    record->irq = irq;
    record->peer_100rel = sip_has_feature(sip->sip_supported, "100rel") || sip_has_feature(sip->sip_require, "100rel");
    nta_incoming_bind(irq, sof_on_ack_or_cancel, &record->record);
    sb_event_call(&event, SB_EV_CALL_INCOMING, call, 0);
    if (sof_post_request(state, &event, sip) != 0)
        sb_core_remove(state->core, call); /* this answers the INVITE with 500 */
    else /* at once: who takes the events may be busy, and the library would wait for 200 ms (17.2.1) */
        say_trying(state, irq);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------
 * Responses to our first INVITE
 */

/* The CANCEL came too late: the call is up, and hung up (15). */
static void bye_after_cancel(struct sofia *state, struct sb_object *call)
{
    struct sof_call *record = call->lib;
    msg_t *bye = record->farewell, *ack;
    record->farewell = NULL;
    if (sof_draft(NULL, &ack) == SB_OK)
        sof_send_ack(record, ack);
    if (sof_send_bye(record, bye) != SB_OK)
        sof_end_call(state, call, SB_CAUSE_FAILED, 503, NULL);
}

static void on_answered(struct sof_call *record, struct sb_object *call, int status, const sip_t *sip)
{
    sof_adopt_early(record, sip);
    nta_leg_client_route(record->record.leg, sip->sip_record_route, sip->sip_contact);
    record->answered = record->invite.orq;
    record->invite.orq = NULL;
    sof_set_timer(&record->record, 0, NULL);
    if (record->ending == SOF_ENDING_CANCEL)
        bye_after_cancel(record->record.state, call);
    else
        post_call(record->record.state, SB_EV_CALL_ANSWERED, call, status, sip);
}

static void on_refused(struct sof_call *record, struct sb_object *call, int status, const sip_t *sip)
{
    int cause = sb_cause_of_refusal(status);
    if (record->ending == SOF_ENDING_CANCEL) {
        cause = SB_CAUSE_CANCELLED;
        status = 487;
    } else if (sof_retry(&record->invite, sof_real(sip))) {
        return;
    } else if (sof_real(sip) == NULL) {
        cause = status == 408 ? SB_CAUSE_TIMEOUT : SB_CAUSE_FAILED;
        status = status == 408 ? 408 : 503;
    }
    sof_end_call(record->record.state, call, cause, status, sip);
}

static void on_progress(struct sof_call *record, struct sb_object *call, int status, const sip_t *sip)
{
    int is_new = sof_acknowledge_early(record, sip);
    if (call->state != SB_CALL_CALLING)
        return;
    sof_set_timer(&record->record, SB_RING_LIMIT_MS, sof_on_ring_limit);
    if (is_new)
        post_call(record->record.state, SB_EV_CALL_PROGRESS, call, status, sip);
}

int sof_on_invite_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip)
{
    struct sof_call *record = (struct sof_call *)data;
    struct sb_object *call;
    int status = nta_outgoing_status(orq);
    sof_enter_response(data->state, orq);
    call = sof_object(data, SB_KIND_CALL);
    if (call != NULL && sof_real(sip) != NULL)
        call->heard = 1;
    if (call == NULL)
        ;
    else if (status >= 300)
        on_refused(record, call, status, sip);
    else if (status >= 200)
        on_answered(record, call, status, sip);
    else if (status > 100)
        on_progress(record, call, status, sip);
    sof_leave(data->state);
    return 0;
}

/* 9.1: nobody answered the CANCEL, so we take the call as cancelled. */
void sof_on_cancel_timeout(struct sof_record *data)
{
    struct sb_object *call = sof_object(data, SB_KIND_CALL);
    if (call != NULL)
        sof_end_call(data->state, call, SB_CAUSE_CANCELLED, 487, NULL);
}

void sof_on_ring_limit(struct sof_record *data)
{
    struct sb_object *call = sof_object(data, SB_KIND_CALL);
    if (call != NULL) /* this cancels its INVITE, too */
        sof_end_call(data->state, call, SB_CAUSE_TIMEOUT, 408, NULL);
}

int sof_on_bye_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip)
{
    struct sof_call *record = (struct sof_call *)data;
    struct sb_object *call;
    int status = nta_outgoing_status(orq);
    sof_enter_response(data->state, orq);
    call = sof_object(data, SB_KIND_CALL);
    if (call != NULL && status >= 200 && !sof_retry(&record->bye, sof_real(sip)))
        sof_end_call(data->state, call, SB_CAUSE_LOCAL_BYE, status, sip);
    sof_leave(data->state);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------
 * Requests from the peer
 */
static int on_bye(struct sofia *state, struct sb_object *call, nta_incoming_t *irq, const sip_t *sip)
{
    struct sof_call *record = call->lib;
    struct sb_object *object;
    sof_reply_unlocked(state, irq, 200, NULL, NULL);
    nta_incoming_destroy(irq);
    if (record->ending == SOF_ENDING_BYE)
        return 0; /* it crossed our BYE, whose response ends the call */
    /* 15.1.2: what is still open is ended with 487 */
    if (record->irq != NULL && nta_incoming_status(record->irq) < 200)
        sof_reply(state, record->irq, 487, NULL, NULL);
    for (object = call->first; object != NULL; object = object->next) {
        struct sof_transaction *transaction = object->lib;
        if (transaction != NULL && transaction->irq != NULL)
            sof_reply(state, transaction->irq, 487, NULL, NULL);
    }
    sof_end_call(state, call, SB_CAUSE_REMOTE_BYE, 200, sip);
    return 0;
}

/* The status to refuse a re-INVITE with when there is another one (14.2), or 0. */
static int refusal_of_reinvite(const struct sb_object *call)
{
    const struct sof_call *record = call->lib;
    const struct sb_object *object;
    if (call->state == SB_CALL_ENDING)
        return 481;
    for (object = call->first; object != NULL; object = object->next)
        if (object->is_invite)
            return object->outgoing ? 491 : 500;
    if (record->irq != NULL || call->state == SB_CALL_CALLING || call->ack_due)
        return 491;
    return 0;
}

int sof_on_dialog_request(struct sof_record *data, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
    struct sofia *state = data->state;
    sip_method_t method = sip->sip_request->rq_method;
    struct sb_object *call;
    int status = 481;
    if (method == sip_method_ack)
        return 200; /* nothing is sent; it is forgotten */
    if (sip->sip_to->a_tag == NULL)
        return 481; /* the library would take it for RFC 2543: but who does not know our tag is not in this call */
    sof_enter_request(state, irq);
    call = sof_object(data, SB_KIND_CALL);
    if (call != NULL && method == sip_method_bye)
        status = on_bye(state, call, irq, sip);
    else if (call != NULL && method == sip_method_invite && (status = refusal_of_reinvite(call)) != 0)
        ;
    else if (call != NULL) {
        if (method == sip_method_invite || method == sip_method_update)
            nta_leg_server_route(leg, sip->sip_record_route, sip->sip_contact); /* 12.2.2 */
        status = sof_on_request(state, call, irq, sip);
    }
    sof_leave(state);
    return status;
}

/* ------------------------------------------------------------------------------------------------------
 * What follows an INVITE from outside
 */

/* The ACK for a 2xx of ours, to the first INVITE or a later one. */
static void on_ack(struct sof_call *record, struct sb_object *call, const sip_t *sip)
{
    struct sofia *state = record->record.state;
    msg_t *bye = record->farewell;
    nta_incoming_destroy(record->irq);
    record->irq = NULL;
    if (record->ending != SOF_ENDING_BYE_DUE) {
        post_call(state, SB_EV_CALL_CONFIRMED, call, 0, sip);
        return;
    }
    record->farewell = NULL;
    if (sof_send_bye(record, bye) != SB_OK)
        sof_end_call(state, call, SB_CAUSE_FAILED, 503, NULL);
}

/* 13.3.1.4: hang up a call that is never acknowledged. */
static void on_no_ack(struct sof_call *record, struct sb_object *call)
{
    msg_t *bye = record->farewell;
    record->farewell = NULL;
    if (bye != NULL || sof_draft_within(record->record.state, "BYE", NULL, &bye) == SB_OK)
        sof_send_bye(record, bye);
    sof_end_call(record->record.state, call, SB_CAUSE_TIMEOUT, 408, NULL);
}

static int is_cancel(const sip_t *sip)
{
    return sip != NULL && sip->sip_request->rq_method == sip_method_cancel;
}

static void on_call_follow_up(struct sof_call *record, struct sb_object *call, nta_incoming_t *irq,
                              const sip_t *sip)
{
    int answered = nta_incoming_status(irq) / 100 == 2;
    if (is_cancel(sip)) {
        sof_reply(record->record.state, irq, 487, NULL, NULL);
        sof_end_call(record->record.state, call, SB_CAUSE_CANCELLED, 487, sip);
    } else if (sip != NULL && answered && irq == record->irq) {
        on_ack(record, call, sip);
    } else if (sip == NULL && answered) {
        on_no_ack(record, call);
    } else if (sip == NULL && irq == record->irq) { /* no PRACK came (RFC 3262, 3) */
        sof_reply(record->record.state, irq, 504, NULL, NULL);
        sof_end_call(record->record.state, call, SB_CAUSE_TIMEOUT, 408, NULL);
    }
}

/* Handle a CANCEL of a re-INVITE that the user has not answered: forget the re-INVITE. */
static void on_reinvite_cancelled(struct sof_record *record, struct sb_object *transaction, nta_incoming_t *irq)
{
    sof_reply(record->state, irq, 487, NULL, NULL);
    sb_core_drop_request(record->state->core, transaction);
}

int sof_on_ack_or_cancel(struct sof_record *data, nta_incoming_t *irq, const sip_t *sip)
{
    struct sb_object *object;
    sof_enter_follow_up(data->state, irq, sip);
    if ((object = sof_object(data, SB_KIND_CALL)) != NULL)
        on_call_follow_up((struct sof_call *)data, object, irq, sip);
    else if ((object = sof_object(data, SB_KIND_TRANSACTION)) != NULL && is_cancel(sip))
        on_reinvite_cancelled(data, object, irq);
    sof_leave(data->state);
    return 0;
}
