/* sofia_subscribe.c - subscriptions of ours (RFC 6665, 4.1), and PUBLISH (RFC 3903). */
#include "sofia_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>

static int on_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip);
static int on_notify(struct sof_record *data, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip);

static void post_state(struct sof_subscription *record, struct sb_object *subscription, int new_state, int status,
                       const char *reason, int expires, const sip_t *sip)
{
    sb_event event;
    memset(&event, 0, sizeof event);
    event.type = SB_EV_SUBSCRIPTION;
    event.subscription = subscription->id;
    event.state = new_state;
    event.status = status;
    event.reason = reason;
    event.expires = expires;
    event.method = "SUBSCRIBE";
    sof_post(record->record.state, &event, sip);
}

/* ------------------------------------------------------------------------------------------------------
 * SUBSCRIBE
 */

/* The first one again until there is a dialog, then one within it. */
static int send_subscribe(struct sof_subscription *record)
{
    msg_t *draft = record->again;
    if (!record->established || draft == NULL) {
        if (sof_set_expires(record->request.draft, record->expires) != SB_OK)
            return SB_ENOMEM;
        return sof_send_again(&record->request);
    }
    record->again = NULL;
    if (sof_set_expires(draft, record->expires) != SB_OK) {
        msg_destroy(draft);
        return SB_ENOMEM;
    }
    return sof_send(&record->request, &record->record, &record->record, "SUBSCRIBE", draft, on_response);
}

static void send_next(struct sof_subscription *record, struct sb_object *subscription)
{
    sof_set_timer(&record->record, 0, NULL);
    record->outdated = 0;
    record->busy = 1;
    if (send_subscribe(record) != SB_OK)
        post_state(record, subscription, SB_STATE_FAILED, 503, NULL, 0, NULL);
}

static void on_due(struct sof_record *data)
{
    struct sof_subscription *record = (struct sof_subscription *)data;
    struct sb_object *subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    record->request.retries = 0;
    if (subscription != NULL)
        send_next(record, subscription);
}

static void on_unresolved(struct sof_record *data)
{
    struct sb_object *subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    if (subscription != NULL && sof_is_unresolved(&((struct sof_subscription *)data)->request))
        post_state((struct sof_subscription *)data, subscription, SB_STATE_FAILED, 503, SB_UNRESOLVED, 0, NULL);
}

static void run_subscribe(struct sofia *state, struct sof_command *command)
{
    struct sb_object *subscription = sb_core_find(state->core, SB_KIND_SUBSCRIPTION, command->id);
    struct sof_subscription *record;
    msg_t *draft = command->msg;
    int code;
    if (subscription == NULL)
        return;
    record = subscription->lib;
    command->msg = NULL;
    code = sof_dialog_new(&record->record, draft, on_notify);
    if (code == SB_OK)
        code = sof_send(&record->request, &record->record, &record->record, "SUBSCRIBE", draft, on_response);
    else
        msg_destroy(draft);
    if (code != SB_OK)
        post_state(record, subscription, SB_STATE_FAILED, 503, NULL, 0, NULL);
    else
        sof_set_timer(&record->record, SOF_LOOKUP_MS, on_unresolved);
}

/* The drafts of the first SUBSCRIBE, and of one within the dialog that it makes: the same without the body, which
 * stands until another comes. */
static int draft_both(struct sofia *state, struct sof_subscription *record, const sb_parties *parties,
                      const char *event, const sb_content *content, msg_t **first)
{
    sb_content headers;
    int code = sof_draft_request(state, "SUBSCRIBE", NULL, parties, content, first);
    if (code != SB_OK)
        return code;
    memset(&headers, 0, sizeof headers);
    if (content != NULL) {
        headers.headers = content->headers;
        headers.header_count = content->header_count;
    }
    code = sof_draft_within(state, "SUBSCRIBE", &headers, &record->again);
    if (code == SB_OK)
        code = sof_add_header(*first, "Event", event);
    if (code == SB_OK)
        code = sof_add_header(record->again, "Event", event);
    if (code == SB_OK)
        code = sof_set_expires(*first, record->expires);
    if (code != SB_OK)
        msg_destroy(*first);
    return code; /* the core gives the record back, and with it the other draft */
}

int sof_subscribe(void *data, struct sb_object *subscription, const sb_parties *parties, const char *event,
                  int expires, const sb_content *content)
{
    struct sofia *state = data;
    struct sof_subscription *record = sof_record_new(state, subscription->id, sizeof *record);
    msg_t *draft;
    int code;
    if (record == NULL)
        return SB_ENOMEM;
    subscription->lib = record;
    record->event = sip_event_make(record->record.home, event);
    if (record->event == NULL)
        return SB_EINVAL;
    record->expires = expires;
    record->polls = expires == 0;
    code = draft_both(state, record, parties, event, content, &draft);
    if (code != SB_OK)
        return code;
    record->busy = 1;
    return sof_post_command(state, run_subscribe, subscription, draft) == NULL ? SB_ENOMEM : SB_OK;
}

static void run_next(struct sofia *state, struct sof_command *command)
{
    struct sb_object *subscription = sb_core_find(state->core, SB_KIND_SUBSCRIPTION, command->id);
    if (subscription != NULL)
        on_due(subscription->lib);
}

static int change(struct sofia *state, struct sb_object *subscription, int expires)
{
    struct sof_subscription *record = subscription->lib;
    if (record->expires == 0)
        return SB_ESTATE;
    if (!record->busy && sof_post_command(state, run_next, subscription, NULL) == NULL)
        return SB_ENOMEM;
    record->outdated = record->busy; /* once the answer to the one under way is there */
    record->expires = expires;
    record->busy = 1;
    return SB_OK;
}

int sof_subscribe_refresh(void *state, struct sb_object *subscription, int expires)
{
    return change(state, subscription, expires);
}

int sof_unsubscribe(void *state, struct sb_object *subscription)
{
    return change(state, subscription, 0);
}

/* ------------------------------------------------------------------------------------------------------
 * The notifier's answers
 */
static int granted(const struct sof_subscription *record, const sip_t *sip)
{
    if (sip->sip_expires != NULL && sip->sip_expires->ex_delta > 0 && sip->sip_expires->ex_delta < INT_MAX)
        return (int)sip->sip_expires->ex_delta;
    return record->expires;
}

/* No NOTIFY after the SUBSCRIBE that ended it. One that only asked for the state has failed then. */
static void on_silence(struct sof_record *data)
{
    struct sof_subscription *record = (struct sof_subscription *)data;
    struct sb_object *subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    if (subscription != NULL && record->polls && !record->notified)
        post_state(record, subscription, SB_STATE_FAILED, 408, NULL, 0, NULL);
    else if (subscription != NULL)
        post_state(record, subscription, SB_STATE_ENDED, 200, NULL, 0, NULL);
}

static void on_success(struct sof_subscription *record, struct sb_object *subscription, int status, const sip_t *sip)
{
    int seconds;
    if (!record->established)
        nta_leg_rtag(record->record.leg, sip->sip_to->a_tag);
    record->established = 1;
    nta_leg_client_route(record->record.leg, sip->sip_record_route, sip->sip_contact);
    record->request.retries = 0;
    if (record->outdated) {
        send_next(record, subscription);
        return;
    }
    if (record->expires == 0 && sb_core_closing(record->record.state->core)) {
        post_state(record, subscription, SB_STATE_ENDED, status, NULL, 0, sip);
        return;
    }
    if (record->expires == 0) {
        sof_set_timer(&record->record, SB_LAST_NOTIFY_MS, on_silence);
        return;
    }
    seconds = granted(record, sip);
    sof_set_timer(&record->record, sb_core_refresh_ms(seconds), on_due);
    post_state(record, subscription, SB_STATE_ACTIVE, status, NULL, seconds, sip);
}

/* 423 Interval Too Brief (4.2.1.1): ask for what the notifier wants at least. */
static int is_too_brief(struct sof_subscription *record, int status, const sip_t *sip)
{
    const sip_min_expires_t *least = sip == NULL ? NULL : sip_min_expires(sip);
    if (status != 423 || record->expires == 0 || record->request.retries >= SOF_MAX_RETRIES || least == NULL ||
        least->me_delta >= INT_MAX || (int)least->me_delta <= record->expires)
        return 0;
    record->expires = (int)least->me_delta;
    record->request.retries++;
    return 1;
}

static void on_failure(struct sof_subscription *record, struct sb_object *subscription, int status,
                       const sip_t *sip)
{
    int ended = status == 481 && record->expires == 0 && record->established;
    if (is_too_brief(record, status, sof_real(sip))) {
        send_next(record, subscription);
        return;
    }
    if (sof_real(sip) == NULL && status != 408)
        status = 503;
    post_state(record, subscription, ended ? SB_STATE_ENDED : SB_STATE_FAILED, status, NULL, 0, sip);
}

static int on_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip)
{
    struct sof_subscription *record = (struct sof_subscription *)data;
    struct sb_object *subscription;
    int status = nta_outgoing_status(orq);
    sof_enter(data->state);
    subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    if (subscription != NULL && status >= 200 && !sof_retry(&record->request, sof_real(sip))) {
        record->busy = 0;
        if (status < 300)
            on_success(record, subscription, status, sip);
        else
            on_failure(record, subscription, status, sip);
    }
    sof_leave(data->state);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------
 * NOTIFY
 */
static int is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The status to answer with before the user sees it, or 0 (4.1.3). */
static int refusal(const struct sof_subscription *record, const sip_t *sip)
{
    const sip_event_t *event = sip->sip_event;
    if (event == NULL || event->o_type == NULL || !is_same_text(event->o_type, record->event->o_type) ||
        !is_same_text(event->o_id, record->event->o_id))
        return 489;
    if (sip->sip_subscription_state == NULL || sip->sip_subscription_state->ss_substate == NULL)
        return 400;
    return sb_core_congested(record->record.state->core) ? 503 : 0;
}

static void post_notify(struct sof_subscription *record, const struct sb_object *subscription, int seconds,
                        const sip_t *sip)
{
    sb_event event;
    memset(&event, 0, sizeof event);
    event.type = SB_EV_NOTIFY;
    event.subscription = subscription->id;
    event.expires = seconds;
    sof_post(record->record.state, &event, sip);
}

static void take_notify(struct sof_subscription *record, struct sb_object *subscription, nta_leg_t *leg,
                        const sip_t *sip)
{
    const sip_subscription_state_t *told = sip->sip_subscription_state;
    int seconds = told->ss_expires == NULL ? 0 : atoi(told->ss_expires);
    if (!record->established)
        nta_leg_rtag(leg, sip->sip_from->a_tag); /* it came before the 2xx (4.4.1) */
    record->established = record->notified = 1;
    nta_leg_server_route(leg, sip->sip_record_route, sip->sip_contact);
    post_notify(record, subscription, seconds, sip);
    if (strcasecmp(told->ss_substate, "terminated") == 0)
        post_state(record, subscription, SB_STATE_ENDED, 0, told->ss_reason, 0, sip);
    else if (seconds > 0 && !record->busy && record->expires > 0) /* it may be less than was granted (4.1.2.3) */
        sof_set_timer(&record->record, sb_core_refresh_ms(seconds), on_due);
}

static int on_notify(struct sof_record *data, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
    struct sof_subscription *record = (struct sof_subscription *)data;
    struct sb_object *subscription;
    int status = 481;
    if (sip->sip_request->rq_method == sip_method_ack)
        return 200; /* nothing is sent; it is forgotten */
    sof_enter(data->state);
    subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    if (subscription != NULL && sip->sip_request->rq_method != sip_method_notify)
        status = 405;
    else if (subscription != NULL && (status = refusal(record, sip)) == 0) {
        sof_answer(data->state, irq, 200);
        take_notify(record, subscription, leg, sip);
    }
    sof_leave(data->state);
    return status;
}

/* ------------------------------------------------------------------------------------------------------
 * PUBLISH
 */
int sof_publish(void *data, struct sb_object *transaction, const sb_parties *parties, const char *event,
                const char *etag, int expires, const sb_content *content)
{
    struct sofia *state = data;
    msg_t *draft;
    int code = sof_draft_request(state, "PUBLISH", NULL, parties, content, &draft);
    if (code != SB_OK)
        return code;
    code = sof_add_header(draft, "Event", event);
    if (code == SB_OK && etag != NULL)
        code = sof_add_header(draft, "SIP-If-Match", etag);
    if (code == SB_OK)
        code = sof_set_expires(draft, expires);
    if (code == SB_OK)
        return sof_start_request(state, transaction, "PUBLISH", draft);
    msg_destroy(draft);
    return code;
}
