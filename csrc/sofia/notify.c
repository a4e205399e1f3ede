/* notify.c - subscriptions from outside (RFC 6665, 4.2). */
#include "notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_header.h>

#include "core.h"
#include "loop.h"
#include "message.h"
#include "record.h"
#include "request.h"
#include "state.h"
#include "subscribe.h"
#include "timers.h"
#include "values.h"

static int on_notify_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip);

/* What the engine says itself when a subscription is over. */
static const char RAN_OUT[] = "terminated;reason=timeout";

static void post_unsubscribed(struct sof_subscription *record, struct sb_object *subscription, int status,
                              const sip_t *sip)
{
    sb_event event;
    memset(&event, 0, sizeof event);
    event.type = SB_EV_UNSUBSCRIBED;
    event.subscription = subscription->id;
    event.status = status;
    sof_post(record->lease.record.state, &event, sip);
}

/* Returns 0, or the status to refuse it with. */
static int post_subscribe(struct sof_subscription *record, struct sb_object *subscription, int new_state, int expires,
                          const sip_t *sip)
{
    sb_event event;
    memset(&event, 0, sizeof event);
    event.type = SB_EV_SUBSCRIBE;
    event.subscription = subscription->id;
    event.state = new_state;
    event.expires = expires;
    return sof_post_request(record->lease.record.state, &event, sip);
}

/* ------------------------------------------------------------------------------------------------------
 * NOTIFY
 */
static int draft_notify(struct sof_subscription *record, const char *subscription_state,
                        const sb_content *content, msg_t **draft)
{
    int code = sof_draft_within(record->lease.record.state, "NOTIFY", content, draft);
    if (code != SB_OK)
        return code;
    code = sof_add_header(*draft, "Event", record->event);
    if (code == SB_OK)
        code = sof_add_header(*draft, "Subscription-State", subscription_state);
    if (code != SB_OK)
        msg_destroy(*draft);
    return code;
}

static int send_notify(struct sof_subscription *record, msg_t *draft)
{
    record->lease.busy = 1;
    return sof_send(&record->lease.request, &record->lease.record, &record->lease.record, "NOTIFY", draft, on_notify_response);
}

static void run_notify(struct sofia *state, struct sof_command *command)
{
    struct sb_object *subscription = sb_core_find(state->core, SB_KIND_SUBSCRIPTION, command->id);
    struct sof_subscription *record;
    msg_t *draft = command->msg;
    if (subscription == NULL)
        return;
    record = subscription->lib;
    command->msg = NULL;
    if (record->lease.busy)
        record->waiting[record->count++] = draft;
    else if (send_notify(record, draft) != SB_OK)
        post_unsubscribed(record, subscription, 503, NULL);
}

int sof_notify(void *state, struct sb_object *subscription, const char *subscription_state,
               const sb_content *content)
{
    struct sof_subscription *record = subscription->lib;
    msg_t *draft;
    int code;
    if (record->pending == SB_MAX_NOTIFIES)
        return SB_ESTATE;
    code = draft_notify(record, subscription_state, content, &draft);
    if (code != SB_OK)
        return code;
    if (sof_post_command(state, run_notify, subscription, draft) == NULL)
        return SB_ENOMEM;
    record->pending++;
    return SB_OK;
}

/* Send the next that waits. */
static void send_waiting(struct sof_subscription *record, struct sb_object *subscription)
{
    msg_t *draft = record->waiting[0];
    memmove(record->waiting, record->waiting + 1, (size_t)--record->count * sizeof *record->waiting);
    if (send_notify(record, draft) != SB_OK)
        post_unsubscribed(record, subscription, 503, NULL);
}

/* 4.2.2: a subscriber that refuses a NOTIFY, or says nothing, is gone. */
static void on_final(struct sof_subscription *record, struct sb_object *subscription, int status, const sip_t *sip)
{
    record->lease.busy = 0;
    record->pending--;
    if (sof_real(sip) == NULL && status != 408)
        status = 503;
    if (status >= 300 || (subscription->state == SB_SUBSCRIPTION_ENDING && record->pending == 0))
        post_unsubscribed(record, subscription, status, sip);
    else if (record->count > 0)
        send_waiting(record, subscription);
}

static int on_notify_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip)
{
    struct sof_subscription *record = (struct sof_subscription *)data;
    struct sb_object *subscription;
    int status = nta_outgoing_status(orq);
    sof_enter(data->state);
    subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    if (subscription != NULL && status >= 200 && !sof_retry(&record->lease.request, sof_real(sip)))
        on_final(record, subscription, status, sip);
    sof_leave(data->state);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------
 * The end
 */

/* The subscriber wants no more: tell it that it gets no more. Nobody waits for the answer. */
static void finish(struct sof_subscription *record, struct sb_object *subscription, const sip_t *sip)
{
    msg_t *draft;
    if (draft_notify(record, RAN_OUT, NULL, &draft) == SB_OK)
        send_notify(record, draft);
    post_unsubscribed(record, subscription, 0, sip);
}

static void on_expired(struct sof_record *data)
{
    struct sb_object *subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    if (subscription != NULL)
        finish((struct sof_subscription *)data, subscription, NULL);
}

/* The user did not answer while the peer still waited (17.1.2.2): it goes, which answers it 500. */
static void on_unanswered(struct sof_record *data)
{
    struct sb_object *subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    if (subscription != NULL && subscription->state == SB_SUBSCRIPTION_ASKED)
        post_unsubscribed((struct sof_subscription *)data, subscription, 500, NULL);
}

/* ------------------------------------------------------------------------------------------------------
 * SUBSCRIBE
 */
static int asked(const sip_t *sip)
{
    if (sip->sip_expires == NULL)
        return SB_DEFAULT_SUBSCRIPTION;
    return sip->sip_expires->ex_delta < INT_MAX ? (int)sip->sip_expires->ex_delta : INT_MAX;
}

/* Answer a SUBSCRIBE within the dialog with what was granted before, at most. */
static int on_refresh(struct sof_subscription *record, struct sb_object *subscription, nta_leg_t *leg,
                      nta_incoming_t *irq, const sip_t *sip)
{
    struct sofia *state = record->lease.record.state;
    int seconds = asked(sip), status = 0;
    char text[16];
    msg_t *draft;
    if (subscription->state != SB_SUBSCRIPTION_GRANTED)
        return subscription->state == SB_SUBSCRIPTION_ASKED ? 500 : 481;
    if (seconds > 0 && sb_core_congested(state->core))
        return 503;
    if (seconds > record->lease.expires)
        seconds = record->lease.expires;
    snprintf(text, sizeof text, "%d", seconds);
    if (sof_draft(NULL, &draft) != SB_OK)
        return 500;
    sof_add_header(draft, "Expires", text);
    if (seconds > 0)
        status = post_subscribe(record, subscription, SB_STATE_ACTIVE, seconds, sip);
    if (status != 0) {
        msg_destroy(draft);
        return status;
    }
    nta_leg_server_route(leg, sip->sip_record_route, sip->sip_contact);
    sof_reply(state, irq, 200, NULL, draft);
    nta_incoming_destroy(irq);
    if (seconds == 0) {
        finish(record, subscription, sip);
        return 0;
    }
    sof_set_timer(&record->lease.record, (unsigned)(seconds < SB_DAY ? seconds : SB_DAY) * 1000, on_expired);
    return 0;
}

static int on_subscriber(struct sof_record *data, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
    struct sof_subscription *record = (struct sof_subscription *)data;
    sip_method_t method = sip->sip_request->rq_method;
    struct sb_object *subscription;
    int status = 481;
    if (method == sip_method_ack)
        return 200; /* nothing is sent; it is forgotten */
    sof_enter(data->state);
    subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    if (subscription != NULL)
        status = method == sip_method_subscribe ? on_refresh(record, subscription, leg, irq, sip) : 405;
    sof_leave(data->state);
    return status;
}

/* The status to refuse a new one with before the user sees it, or 0. */
static int refusal(struct sofia *state, const sip_t *sip)
{
    if (sb_core_closing(state->core) || sb_core_congested(state->core))
        return 503;
    if (sip->sip_event == NULL || sip->sip_event->o_type == NULL)
        return 489;
    return sip->sip_contact == NULL ? 400 : 0;
}

/* Not sip_header_as_string(): from 128 octets on its buffer is one octet too short for what writes into it, which then
 * leaves out the last part. */
char *sof_event_header(su_home_t *home, const sip_t *sip)
{
    const msg_header_t *header = (const msg_header_t *)sip->sip_event;
    char probe[128], *text;
    issize_t length, size;
    if (sip->sip_event == NULL || sip->sip_event->o_type == NULL)
        return NULL;
    length = msg_header_field_e(probe, sizeof probe, header, 0);
    if (length < 0)
        return NULL;
    size = length + 2;
    text = su_zalloc(home, size);
    if (text != NULL)
        msg_header_field_e(text, (isize_t)size, header, 0);
    return text;
}

/* The Event of the NOTIFYs. */
static int keep_event(struct sof_subscription *record, const sip_t *sip)
{
    su_home_t home[1] = {SU_HOME_INIT(home)};
    const char *value = sof_event_header(home, sip);
    char *event = value == NULL ? NULL : sb_event_of(value);
    record->event = event == NULL ? NULL : su_strdup(record->lease.record.home, event);
    free(event);
    su_home_deinit(home);
    return record->event == NULL ? SB_ENOMEM : SB_OK;
}

int sof_on_subscribe(struct sofia *state, nta_incoming_t *irq, const sip_t *sip)
{
    struct sof_subscription *record;
    struct sb_object *subscription;
    int status = refusal(state, sip);
    if (status != 0)
        return status;
    subscription = sb_core_add(state->core, SB_KIND_SUBSCRIPTION, NULL);
    if (subscription == NULL)
        return 503;
    subscription->lib = record = sof_record_new(state, subscription->id, sizeof *record);
    if (record == NULL || keep_event(record, sip) != SB_OK ||
        sof_dialog_accept(&record->lease.record, irq, sip, on_subscriber) != SB_OK) {
        sb_core_remove(state->core, subscription);
        return 503;
    }
    record->irq = irq;
    sof_set_timer(&record->lease.record, SOF_64_T1, on_unanswered);
    if (post_subscribe(record, subscription, 0, asked(sip), sip) != 0)
        sb_core_remove(state->core, subscription); /* which answers it 500 */
    return 0;
}

static void run_granted(struct sofia *state, struct sof_command *command)
{
    struct sb_object *subscription = sb_core_find(state->core, SB_KIND_SUBSCRIPTION, command->id);
    int seconds = command->status < SB_DAY ? command->status : SB_DAY;
    if (subscription != NULL) /* the state is all that was asked for: the user has time to tell it */
        sof_set_timer(subscription->lib, seconds > 0 ? (unsigned)seconds * 1000 : SOF_64_T1, on_expired);
}

int sof_subscription_accept(void *data, struct sb_object *subscription, int status, int expires)
{
    struct sof_subscription *record = subscription->lib;
    struct sof_command *command;
    char text[16];
    msg_t *draft;
    int code = sof_draft(NULL, &draft);
    if (code != SB_OK)
        return code;
    snprintf(text, sizeof text, "%d", expires);
    code = sof_add_header(draft, "Expires", text);
    if (code != SB_OK) {
        msg_destroy(draft);
        return code;
    }
    command = sof_post_command(data, run_granted, subscription, NULL);
    if (command == NULL) {
        msg_destroy(draft);
        return SB_ENOMEM;
    }
    command->status = expires;
    record->lease.expires = expires;
    return sof_post_answer(data, NULL, &record->irq, status, NULL, draft);
}

int sof_subscription_reject(void *data, struct sb_object *subscription, int status, const char *reason)
{
    struct sof_subscription *record = subscription->lib;
    msg_t *draft;
    int code = sof_draft(NULL, &draft);
    return code == SB_OK ? sof_post_answer(data, NULL, &record->irq, status, reason, draft) : code;
}

void sof_subscription_free(struct sof_subscription *record)
{
    while (record->count > 0)
        msg_destroy(record->waiting[--record->count]);
    if (record->again != NULL)
        msg_destroy(record->again);
    if (record->irq != NULL)
        nta_incoming_destroy(record->irq); /* 500, where nothing was answered */
    sof_request_clear(&record->lease.request);
}
