/* notify.c - subscriptions from outside (RFC 6665, 4.2). */
#include "notify.h"

#include <stdlib.h>

#include <sofia-sip/msg_header.h>

#include "core.h"
#include "entry.h"
#include "event.h"
#include "loop.h"
#include "message.h"
#include "notifier.h"
#include "record.h"
#include "request.h"
#include "state.h"
#include "subscribe.h"
#include "timers.h"
#include "values.h"

static int on_notify_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip);

/* Returns 0, or the status to refuse it with. */
static int post_subscribe(struct sofia *state, const struct sb_object *subscription, int new_state, int expires,
                          const sip_t *sip)
{
    sb_event event;
    sb_event_subscribe(&event, subscription, new_state, expires);
    return sof_post_request(state, &event, sip);
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

static int send_notify(void *state, struct sb_object *subscription, void *draft)
{
    struct sof_lease *lease = &((struct sof_subscription *)subscription->lib)->lease;
    (void)state;
    return sof_send(&lease->request, &lease->record, &lease->record, "NOTIFY", draft, on_notify_response);
}

static void drop(void *draft)
{
    msg_destroy(draft);
}

static void post(void *state, sb_event *event, const void *message)
{
    sof_post(state, event, message);
}

static const struct sb_notifier_calls CALLS = {
    .send = send_notify,
    .drop = drop,
    .post = post,
};

static void run_notify(struct sofia *state, struct sof_command *command)
{
    struct sb_object *subscription = sb_core_find(state->core, SB_KIND_SUBSCRIPTION, command->id);
    struct sb_notifier *notifier;
    msg_t *draft = command->msg;
    if (subscription == NULL)
        return;
    notifier = &((struct sof_subscription *)subscription->lib)->notifier;
    command->msg = NULL;
    if (sb_notifier_send(notifier, state, subscription, draft) != SB_OK)
        sb_notifier_post_end(notifier, state, subscription, 503, NULL);
}

int sof_notify(void *state, struct sb_object *subscription, const char *subscription_state,
               const sb_content *content)
{
    struct sof_subscription *record = subscription->lib;
    msg_t *draft;
    int code;
    if (sb_notifier_is_full(&record->notifier))
        return SB_ESTATE;
    code = draft_notify(record, subscription_state, content, &draft);
    if (code != SB_OK)
        return code;
    if (sof_post_command(state, run_notify, subscription, draft) == NULL)
        return SB_ENOMEM;
    record->notifier.pending++;
    return SB_OK;
}

static int on_notify_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip)
{
    struct sof_subscription *record = (struct sof_subscription *)data;
    struct sb_object *subscription;
    int status = nta_outgoing_status(orq);
    sof_enter_response(data->state, orq);
    subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    if (subscription != NULL && status >= 200 && !sof_retry(&record->lease.request, sof_real(sip))) {
        if (sof_real(sip) == NULL && status != 408)
            status = 503;
        sb_notifier_answered(&record->notifier, data->state, subscription, status, sip);
    }
    sof_leave(data->state);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------
 * The end
 */

/* End the subscription with a last NOTIFY. Nobody waits for its answer. */
static void finish(struct sof_subscription *record, struct sb_object *subscription, const sip_t *sip)
{
    struct sofia *state = record->lease.record.state;
    msg_t *draft;
    if (draft_notify(record, SB_RAN_OUT, NULL, &draft) == SB_OK)
        send_notify(state, subscription, draft);
    sb_notifier_post_end(&record->notifier, state, subscription, 0, sip);
}

static void on_expired(struct sof_record *data)
{
    struct sb_object *subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    if (subscription != NULL)
        finish((struct sof_subscription *)data, subscription, NULL);
}

/* The user did not answer while the peer still waited (17.1.2.2). The subscription goes, which answers the SUBSCRIBE
 * with 500. */
static void on_unanswered(struct sof_record *data)
{
    struct sb_object *subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    if (subscription != NULL && subscription->state == SB_SUBSCRIPTION_ASKED)
        sb_notifier_post_end(&((struct sof_subscription *)data)->notifier, data->state, subscription, 500, NULL);
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

/* The draft of a 2xx that grants so many seconds. */
static int draft_grant(int seconds, msg_t **draft)
{
    int code = sof_draft(NULL, draft);
    if (code == SB_OK && (code = sof_set_expires(*draft, seconds)) != SB_OK)
        msg_destroy(*draft);
    return code;
}

/* Answer a SUBSCRIBE within the dialog with what was granted before, at most. */
static int on_refresh(struct sof_subscription *record, struct sb_object *subscription, nta_leg_t *leg,
                      nta_incoming_t *irq, const sip_t *sip)
{
    struct sofia *state = record->lease.record.state;
    int seconds, status = sb_notifier_refresh(&record->notifier, state->core, subscription, asked(sip), &seconds);
    msg_t *draft;
    if (status != 0)
        return status;
    if (draft_grant(seconds, &draft) != SB_OK)
        return 500;
    if (seconds > 0)
        status = post_subscribe(state, subscription, SB_STATE_ACTIVE, seconds, sip);
    if (status != 0) {
        msg_destroy(draft);
        return status;
    }
    nta_leg_server_route(leg, sip->sip_record_route, sip->sip_contact);
    sof_reply(state, irq, 200, NULL, draft);
    nta_incoming_destroy(irq);
    if (seconds > 0)
        sof_set_timer(&record->lease.record, sb_notifier_ms(seconds), on_expired);
    else
        finish(record, subscription, sip);
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
    sof_enter_request(data->state, irq);
    subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    if (subscription != NULL)
        status = method == sip_method_subscribe ? on_refresh(record, subscription, leg, irq, sip) : 405;
    sof_leave(data->state);
    return status;
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

/* Keep what the NOTIFYs have as Event. */
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
    const char *package = sip->sip_event == NULL ? NULL : sip->sip_event->o_type;
    int status = sb_notifier_refusal(state->core, package);
    if (status == 0 && sip->sip_contact == NULL)
        status = 400;
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
    record->notifier.calls = &CALLS;
    sof_set_timer(&record->lease.record, SB_64_T1_MS, on_unanswered);
    if (post_subscribe(state, subscription, 0, asked(sip), sip) != 0)
        sb_core_remove(state->core, subscription); /* this answers the SUBSCRIBE with 500 */
    return 0;
}

static void run_granted(struct sofia *state, struct sof_command *command)
{
    struct sb_object *subscription = sb_core_find(state->core, SB_KIND_SUBSCRIPTION, command->id);
    if (subscription != NULL)
        sof_set_timer(subscription->lib, sb_notifier_ms(command->status), on_expired);
}

int sof_subscription_accept(void *data, struct sb_object *subscription, int status, int expires)
{
    struct sof_subscription *record = subscription->lib;
    struct sof_command *command;
    msg_t *draft;
    int code = draft_grant(expires, &draft);
    if (code != SB_OK)
        return code;
    command = sof_post_command(data, run_granted, subscription, NULL);
    if (command == NULL) {
        msg_destroy(draft);
        return SB_ENOMEM;
    }
    command->status = expires;
    record->notifier.expires = expires;
    return sof_post_answer(data, NULL, &record->irq, status, NULL, draft);
}

int sof_subscription_reject(void *data, struct sb_object *subscription, int status, const char *reason,
                            const sb_content *content)
{
    struct sof_subscription *record = subscription->lib;
    msg_t *draft;
    int code = sof_draft(content, &draft);
    return code == SB_OK ? sof_post_answer(data, NULL, &record->irq, status, reason, draft) : code;
}

void sof_subscription_free(struct sof_subscription *record)
{
    sb_notifier_clear(&record->notifier);
    if (record->again != NULL)
        msg_destroy(record->again);
    if (record->irq != NULL)
        nta_incoming_destroy(record->irq); /* 500, where nothing was answered */
    sof_request_clear(&record->lease.request);
}
