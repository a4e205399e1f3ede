/* call_events.c - what the library tells of calls, as the contract's events. */
#include "call_events.h"

#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "call.h"
#include "clock.h"
#include "core.h"
#include "event.h"
#include "index.h"
#include "message.h"
#include "request.h"
#include "resolve.h"
#include "screen.h"
#include "state.h"
#include "timers.h"

void exo_end_call(struct exosip *state, struct sb_object *call, int cause, int status,
                  osip_message_t *message)
{
    sb_event event;
    sb_event_call_ended(&event, call, cause, status);
    if (cause == SB_CAUSE_TIMEOUT && !((struct exo_call *)call->lib)->provisional)
        exo_note_silence(state, call->id);
    exo_post(state, &event, message);
}

static void post_call(struct exosip *state, int type, struct sb_object *call, int status,
                      osip_message_t *message)
{
    sb_event event;
    sb_event_call(&event, type, call, status);
    exo_post(state, &event, message);
}

static int status_of(const eXosip_event_t *event)
{
    return event->response == NULL ? 0 : event->response->status_code;
}

/* ------------------------------------------------------------------------------------------------------
 * A call from outside
 */
static struct exo_call *record_new(const eXosip_event_t *event)
{
    struct exo_call *record = calloc(1, sizeof *record);
    if (record == NULL)
        return NULL;
    record->call_id = exo_call_id(event->request);
    record->cid = event->cid;
    record->did = event->did;
    record->tid = event->tid;
    record->started_ms = sb_monotonic_ms();
    return record;
}

/* The status to refuse a new call with before the user sees it, or 0. */
static int refusal(struct exosip *state, const eXosip_event_t *event)
{
    struct sb_object *other = exo_find_call(state, event->cid);
    if (other != NULL) {
        ((struct exo_call *)other->lib)->strangers++; /* see exo_call() */
        return 503;
    }
    if (sb_core_refuses(state->core))
        return 503;
    return exo_is_dangerous(event->request) ? 400 : 0;
}

static int post_incoming(struct exosip *state, const struct sb_object *call, osip_message_t *invite)
{
    sb_event event;
    sb_event_call(&event, SB_EV_CALL_INCOMING, call, 0);
    return exo_post_request(state, &event, invite);
}

static void on_invite(struct exosip *state, const eXosip_event_t *event)
{
    struct exo_call *record;
    struct sb_object *call = NULL;
    int status = event->request == NULL ? 400 : refusal(state, event);
    if (status != 0) {
        exo_answer_call_request(state, event->tid, status);
        return;
    }
    record = record_new(event);
    if (record != NULL)
        call = sb_core_add(state->core, SB_KIND_CALL, NULL);
    if (call == NULL) {
        if (record != NULL)
            exo_call_free(record);
        exo_answer_call_request(state, event->tid, 503);
        return;
    }
    exo_keep(call, record);
    exo_set_due(&record->record, record->started_ms + SB_RING_LIMIT_MS);
    status = exo_index_call(state, call) == SB_OK ? post_incoming(state, call, event->request) : 503;
    if (status != 0) {
        sb_core_remove(state->core, call);
        exo_answer_call_request(state, event->tid, status);
    }
}

/* ------------------------------------------------------------------------------------------------------
 * Responses to an INVITE of ours
 */
static void on_provisional(struct exosip *state, const eXosip_event_t *event, struct sb_object *call)
{
    struct exo_call *record = call->lib;
    struct sb_object *reinvite = exo_pending_reinvite(call);
    int status = status_of(event);
    if (reinvite != NULL) {
        exo_set_due(&((struct exo_transaction *)reinvite->lib)->record, sb_monotonic_ms() + SB_RING_LIMIT_MS);
        return;
    }
    record->provisional = 1;
    call->heard = 1;
    if (record->ending == EXO_ENDING_CANCEL_DUE) {
        exo_send_cancel(state, record);
    } else if (call->state == SB_CALL_CALLING && status <= 100) {
        exo_set_due(&record->record, record->started_ms + SB_RING_LIMIT_MS); /* a 100 gives no more time */
    } else if (call->state == SB_CALL_CALLING) {
        exo_set_due(&record->record, sb_monotonic_ms() + SB_RING_LIMIT_MS);
        post_call(state, SB_EV_CALL_PROGRESS, call, status, event->response);
    }
}

/* The CANCEL came too late: the call is up, and hung up (15). */
static void bye_after_cancel(struct exosip *state, struct sb_object *call)
{
    struct exo_call *record = call->lib;
    exo_set_due(&record->record, 0);
    exo_send_ack(state, record->did, record->tid, NULL);
    if (exo_send_bye(state, record->did, &record->farewell->content) != SB_OK) {
        exo_end_call(state, call, SB_CAUSE_FAILED, 503, NULL);
        return;
    }
    record->ending = EXO_ENDING_BYE_SENT;
    record->retries = 0;
}

static void on_answered(struct exosip *state, eXosip_event_t *event, struct sb_object *call)
{
    struct exo_call *record = call->lib;
    record->tid = event->tid;
    if (exo_pending_reinvite(call) != NULL) {
        exo_on_call_response(state, event, call);
    } else if (record->ending == EXO_ENDING_CANCEL_DUE || record->ending == EXO_ENDING_CANCELLED) {
        bye_after_cancel(state, call);
    } else if (call->state == SB_CALL_CALLING) {
        exo_set_due(&record->record, 0);
        if (exo_is_dangerous(event->response)) /* the library would crash when it writes the ACK */
            exo_end_call(state, call, SB_CAUSE_FAILED, 503, event->response);
        else
            post_call(state, SB_EV_CALL_ANSWERED, call, status_of(event), event->response);
    }
}

static void on_refused(struct exosip *state, eXosip_event_t *event, struct sb_object *call)
{
    struct exo_call *record = call->lib;
    int status = status_of(event), cause = sb_cause_of_refusal(status);
    if (exo_pending_reinvite(call) != NULL) {
        exo_on_call_response(state, event, call);
        return;
    }
    if (call->state != SB_CALL_CALLING && call->state != SB_CALL_ENDING)
        return;
    if (record->ending == EXO_ENDING_NOT && exo_retry(state, event, &record->retries)) {
        record->provisional = 0;
        record->did = 0;
        record->started_ms = sb_monotonic_ms();
        exo_set_due(&record->record, record->started_ms + EXO_OVERDUE);
        return;
    }
    if (record->ending != EXO_ENDING_NOT) {
        cause = SB_CAUSE_CANCELLED;
        status = 487;
    } else if (status == 0) {
        cause = SB_CAUSE_TIMEOUT;
        status = 408;
    }
    exo_end_call(state, call, cause, status, event->response);
}

/* ------------------------------------------------------------------------------------------------------
 * Ends
 */
static void on_ack(struct exosip *state, const eXosip_event_t *event, struct sb_object *call)
{
    struct exo_call *record = call->lib;
    if (!record->ack_awaited)
        return; /* the ACK came again: the library reports each */
    record->ack_awaited = 0;
    exo_set_due(&record->record, 0);
    if (record->ending == EXO_ENDING_BYE_DUE) {
        if (exo_send_bye(state, record->did, &record->farewell->content) == SB_OK)
            record->ending = EXO_ENDING_BYE_SENT;
        else
            exo_end_call(state, call, SB_CAUSE_FAILED, 503, NULL);
        return;
    }
    post_call(state, SB_EV_CALL_CONFIRMED, call, 0, event->ack);
}

/* 3.3 reports a CANCEL only by the 487 with which it answered the INVITE. */
static void on_cancelled_silently(struct exosip *state, struct sb_object *call)
{
    const struct exo_call *record = call->lib;
    osip_message_t *cancel = record->call_id == NULL ? NULL : exo_take_cancel(record->call_id);
    exo_end_call(state, call, SB_CAUSE_CANCELLED, 487, cancel);
    osip_message_free(cancel);
}

/* The library reports this when it has answered a BYE, when our refusal was sent, and when it hung up because no ACK
 * came. */
static void on_closed(struct exosip *state, const eXosip_event_t *event, struct sb_object *call)
{
    struct exo_call *record = call->lib;
    int status = status_of(event);
    if (exo_is_method(event->request, "BYE") && call->state == SB_CALL_INCOMING)
        exo_answer_call_request(state, record->tid, 487); /* 15.1.2; the library does not answer the INVITE */
    if (record->ending == EXO_ENDING_BYE_SENT) /* the peer's BYE crossed ours, to which no answer comes any more */
        exo_end_call(state, call, SB_CAUSE_LOCAL_BYE, 200, NULL);
    else if (exo_is_method(event->request, "BYE"))
        exo_end_call(state, call, SB_CAUSE_REMOTE_BYE, 200, event->request);
    else if (record->ending == EXO_ENDING_REFUSED)
        exo_end_call(state, call, sb_cause_of_refusal(status), status, event->response);
    else if (call->state == SB_CALL_INCOMING && status == 487)
        on_cancelled_silently(state, call);
    else if (call->state == SB_CALL_INCOMING)
        exo_end_call(state, call, SB_CAUSE_FAILED, 503, NULL);
    else
        exo_end_call(state, call, SB_CAUSE_TIMEOUT, 408, NULL);
}

/* The library gave up the INVITE. */
static void end_given_up(struct exosip *state, struct sb_object *call)
{
    const struct exo_call *record = call->lib;
    if (record->ending == EXO_ENDING_CANCEL_DUE || record->ending == EXO_ENDING_CANCELLED)
        exo_end_call(state, call, SB_CAUSE_CANCELLED, 487, NULL);
    else if (call->outgoing && sb_monotonic_ms() - record->started_ms >= SB_64_T1_MS - 1000)
        exo_end_call(state, call, SB_CAUSE_TIMEOUT, 408, NULL);
    else
        exo_end_call(state, call, SB_CAUSE_FAILED, 503, NULL);
}

/* The library forgets a call that has not ended for us: 3.x reports some failures in no other way. */
static void on_released(struct exosip *state, struct sb_object *call)
{
    struct exo_call *record = call->lib;
    if (record->strangers > 0)
        record->strangers--;
    else
        end_given_up(state, call);
}

/* 5.x reports this, too, when the INVITE could not be sent. */
static void on_no_answer(struct exosip *state, struct sb_object *call)
{
    if (call->outgoing)
        end_given_up(state, call);
    else
        exo_end_call(state, call, SB_CAUSE_TIMEOUT, 408, NULL);
}

/* ------------------------------------------------------------------------------------------------------
 * Which event
 */

/* The call that an event is about, or NULL. After 32767 calls a cid is used again; a Call-ID never is. */
static struct sb_object *call_of(struct exosip *state, const eXosip_event_t *event)
{
    struct sb_object *call = exo_find_call(state, event->cid);
    struct exo_call *record;
    char *call_id;
    int same = 1;
    if (call == NULL)
        return NULL;
    record = call->lib;
    call_id = exo_call_id(event->request);
    if (call_id != NULL && record->call_id != NULL)
        same = strcmp(call_id, record->call_id) == 0;
    free(call_id);
    if (!same)
        return NULL;
    if (event->did > 0)
        record->did = event->did;
    return call;
}

/* An event of a call that ended for the user already. */
static void on_unknown(struct exosip *state, eXosip_event_t *event)
{
    switch (event->type) {
    case EXOSIP_CALL_ANSWERED: /* the 2xx crossed our CANCEL: acknowledge it and hang up (15) */
        if (exo_is_dangerous(event->response))
            break;
        exo_send_ack(state, event->did, event->tid, NULL);
        exo_send_bye(state, event->did, NULL);
        break;
    case EXOSIP_CALL_REINVITE:
        exo_answer_call_request(state, event->tid, 481);
        break;
    case EXOSIP_CALL_MESSAGE_NEW:
        if (!exo_is_method(event->request, "BYE"))
            exo_answer_call_request(state, event->tid, 481);
        break;
    default:
        break;
    }
}

static void dispatch(struct exosip *state, eXosip_event_t *event, struct sb_object *call)
{
    switch (event->type) {
    case EXOSIP_CALL_ACK: on_ack(state, event, call); break;
    case EXOSIP_CALL_PROCEEDING:
    case EXOSIP_CALL_RINGING: on_provisional(state, event, call); break;
    case EXOSIP_CALL_ANSWERED: on_answered(state, event, call); break;
    case EXOSIP_CALL_REDIRECTED:
    case EXOSIP_CALL_REQUESTFAILURE:
    case EXOSIP_CALL_SERVERFAILURE:
    case EXOSIP_CALL_GLOBALFAILURE: on_refused(state, event, call); break;
    case EXOSIP_CALL_NOANSWER: on_no_answer(state, call); break;
    case EXOSIP_CALL_CANCELLED:
        if (call->state == SB_CALL_INCOMING)
            exo_end_call(state, call, SB_CAUSE_CANCELLED, 487, event->request);
        break;
    case EXOSIP_CALL_REINVITE:
    case EXOSIP_CALL_MESSAGE_NEW: exo_on_request(state, event, call); break;
    case EXOSIP_CALL_MESSAGE_ANSWERED:
    case EXOSIP_CALL_MESSAGE_REDIRECTED:
    case EXOSIP_CALL_MESSAGE_REQUESTFAILURE:
    case EXOSIP_CALL_MESSAGE_SERVERFAILURE:
    case EXOSIP_CALL_MESSAGE_GLOBALFAILURE: exo_on_call_response(state, event, call); break;
    case EXOSIP_CALL_CLOSED: on_closed(state, event, call); break;
    case EXOSIP_CALL_RELEASED: on_released(state, call); break;
    default: break;
    }
}

int exo_on_call(struct exosip *state, eXosip_event_t *event)
{
    struct sb_object *call;
    if (event->cid <= 0)
        return 0;
    if (event->type == EXOSIP_CALL_INVITE) {
        on_invite(state, event);
        return 1;
    }
    call = call_of(state, event);
    if (call != NULL)
        dispatch(state, event, call);
    else
        on_unknown(state, event);
    return 1;
}
