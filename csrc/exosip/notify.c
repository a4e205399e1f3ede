/* notify.c - subscriptions from outside (RFC 6665, 4.2). */
#include "notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "clock.h"
#include "core.h"
#include "index.h"
#include "message.h"
#include "request.h"
#include "state.h"
#include "subscribe.h"
#include "timers.h"
#include "values.h"

/* What the engine says itself when a subscription is over. */
static const char RAN_OUT[] = "terminated;reason=timeout";

static void post_unsubscribed(struct exosip *state, struct sb_object *subscription, int status,
                              osip_message_t *message)
{
    sb_event event;
    memset(&event, 0, sizeof event);
    event.type = SB_EV_UNSUBSCRIBED;
    event.subscription = subscription->id;
    event.status = status;
    exo_post(state, &event, message);
}

/* Returns 0, or the status to refuse it with. */
static int post_subscribe(struct exosip *state, struct sb_object *subscription, int new_state, int expires,
                          osip_message_t *subscribe)
{
    sb_event event;
    memset(&event, 0, sizeof event);
    event.type = SB_EV_SUBSCRIBE;
    event.subscription = subscription->id;
    event.state = new_state;
    event.expires = expires;
    return exo_post_request(state, &event, subscribe);
}

/* When there is something to do: a NOTIFY that is overdue, or the end. */
static void set_due(struct exo_subscription *record)
{
    record->lease.record.due_ms = record->until_ms;
    if (record->lease.busy && (record->until_ms == 0 || record->until_ms > record->overdue_ms))
        record->lease.record.due_ms = record->overdue_ms;
}

static void set_until(struct exo_subscription *record, int seconds)
{
    record->until_ms = sb_monotonic_ms() + (int64_t)(seconds < SB_DAY ? seconds : SB_DAY) * 1000;
    set_due(record);
}

/* ------------------------------------------------------------------------------------------------------
 * NOTIFY
 */
static int send_notify(struct exosip *state, struct exo_subscription *record, const char *subscription_state,
                       const sb_content *content)
{
    osip_message_t *notify = NULL;
    int code;
    exo_lock(state);
    code = exo_error(eXosip_insubscription_build_request(EXO_FIRST(state) record->did, "NOTIFY", &notify));
    if (code == SB_OK)
        code = notify == NULL ? SB_ELIBRARY : exo_error(osip_message_set_header(notify, "Event", record->event));
    if (code == SB_OK)
        code = exo_error(osip_message_set_header(notify, "Subscription-State", subscription_state));
    if (code == SB_OK)
        code = exo_fill(notify, content);
    if (code == SB_OK)
        code = exo_error(eXosip_insubscription_send_request(EXO_FIRST(state) record->did, notify));
    else
        osip_message_free(notify);
    exo_unlock(state);
    if (code != SB_OK)
        return code;
    record->lease.busy = 1;
    record->overdue_ms = sb_monotonic_ms() + EXO_OVERDUE;
    set_due(record);
    return SB_OK;
}

void exo_notify_free(struct exo_notify *waiting)
{
    exo_content_free(waiting->content);
    free(waiting->state);
    free(waiting);
}

static int wait_in_line(struct exo_subscription *record, const char *subscription_state, const sb_content *content)
{
    struct exo_notify *waiting, **link = &record->waiting;
    if (record->count >= SB_MAX_NOTIFIES - 1)
        return SB_ESTATE;
    waiting = calloc(1, sizeof *waiting);
    if (waiting == NULL)
        return SB_ENOMEM;
    waiting->state = strdup(subscription_state);
    waiting->content = exo_content_copy(content);
    if (waiting->state == NULL || waiting->content == NULL) {
        exo_notify_free(waiting);
        return SB_ENOMEM;
    }
    while (*link != NULL)
        link = &(*link)->next;
    *link = waiting;
    record->count++;
    return SB_OK;
}

int exo_notify(void *state, struct sb_object *subscription, const char *subscription_state,
               const sb_content *content)
{
    struct exo_subscription *record = subscription->lib;
    if (record->lease.busy)
        return wait_in_line(record, subscription_state, content);
    return send_notify(state, record, subscription_state, content);
}

/* Send the next that waits. */
static int send_waiting(struct exosip *state, struct exo_subscription *record)
{
    struct exo_notify *waiting = record->waiting;
    int code = send_notify(state, record, waiting->state, &waiting->content->content);
    record->waiting = waiting->next;
    record->count--;
    exo_notify_free(waiting);
    return code;
}

/* 4.2.2: a subscriber that refuses a NOTIFY, or says nothing, is gone. The library cannot answer its challenge. */
void exo_on_notification(struct exosip *state, eXosip_event_t *event)
{
    struct sb_object *subscription = exo_find_notifier(state, event->did);
    struct exo_subscription *record;
    int status = event->response != NULL ? event->response->status_code : 408;
    if (subscription == NULL || status < 200)
        return;
    record = subscription->lib;
    record->lease.busy = 0;
    set_due(record);
    if (status >= 300 || (subscription->state == SB_SUBSCRIPTION_ENDING && record->waiting == NULL))
        post_unsubscribed(state, subscription, status, event->response);
    else if (record->waiting != NULL && send_waiting(state, record) != SB_OK)
        post_unsubscribed(state, subscription, 503, NULL);
}

/* ------------------------------------------------------------------------------------------------------
 * SUBSCRIBE
 */
static int answer(struct exosip *state, int tid, int status, const char *reason, int expires)
{
    osip_message_t *response = NULL;
    int code;
    exo_lock(state);
    code = exo_error(eXosip_insubscription_build_answer(EXO_FIRST(state) tid, status, &response));
    if (code == SB_OK && response == NULL)
        code = SB_ELIBRARY;
    if (code == SB_OK && status < 300)
        code = exo_set_expires(response, expires);
    if (code == SB_OK)
        code = exo_set_reason(response, reason);
    if (code == SB_OK)
        code = exo_error(eXosip_insubscription_send_answer(EXO_FIRST(state) tid, status, response));
    else
        osip_message_free(response);
    exo_unlock(state);
    return code;
}

/* Refuse one that the user does not see, and have the library forget it. */
static void refuse(struct exosip *state, const eXosip_event_t *event, int status)
{
    answer(state, event->tid, status, NULL, 0);
    exo_lock(state);
    eXosip_insubscription_remove(EXO_FIRST(state) event->did);
    exo_unlock(state);
}

static int asked(osip_message_t *subscribe)
{
    return sb_granted(NULL, exo_header(subscribe, "expires"), SB_DEFAULT_SUBSCRIPTION);
}

/* The subscriber wants no more: tell it that it gets no more. Nobody waits for the answer. */
static void finish(struct exosip *state, struct sb_object *subscription, osip_message_t *message)
{
    struct exo_subscription *record = subscription->lib;
    if (!record->lease.busy)
        send_notify(state, record, RAN_OUT, NULL);
    post_unsubscribed(state, subscription, 0, message);
}

/* Answer a SUBSCRIBE within the dialog with what was granted before, at most. */
static void on_refresh(struct exosip *state, eXosip_event_t *event, struct sb_object *subscription)
{
    struct exo_subscription *record = subscription->lib;
    int seconds = asked(event->request), status;
    if (subscription->state != SB_SUBSCRIPTION_GRANTED) {
        answer(state, event->tid, subscription->state == SB_SUBSCRIPTION_ASKED ? 500 : 481, NULL, 0);
        return;
    }
    if ((seconds > 0 && sb_core_congested(state->core)) || exo_is_dangerous(event->request)) {
        answer(state, event->tid, 503, NULL, 0);
        return;
    }
    if (seconds > record->lease.expires)
        seconds = record->lease.expires;
    if (seconds == 0) {
        answer(state, event->tid, 200, NULL, 0);
        finish(state, subscription, event->request);
        return;
    }
    status = post_subscribe(state, subscription, SB_STATE_ACTIVE, seconds, event->request);
    answer(state, event->tid, status != 0 ? status : 200, NULL, seconds);
    if (status == 0)
        set_until(record, seconds);
}

/* The status to refuse a new one with before the user sees it, or 0. */
static int refusal(struct exosip *state, osip_message_t *subscribe)
{
    if (subscribe == NULL || exo_is_dangerous(subscribe))
        return 400;
    if (sb_core_closing(state->core) || sb_core_congested(state->core))
        return 503;
    return exo_event_header(subscribe) == NULL ? 489 : 0;
}

static struct sb_object *notifier_new(struct exosip *state, const eXosip_event_t *event)
{
    struct exo_subscription *record = calloc(1, sizeof *record);
    struct sb_object *subscription = NULL;
    if (record == NULL || (record->event = sb_event_of(exo_event_header(event->request))) == NULL ||
        (subscription = sb_core_add(state->core, SB_KIND_SUBSCRIPTION, NULL)) == NULL) {
        if (record != NULL)
            exo_subscription_free(NULL, record);
        return NULL;
    }
    subscription->lib = record;
    record->did = event->did;
    record->tid = event->tid;
    if (exo_index_notifier(state, subscription) == SB_OK)
        return subscription;
    record->did = 0; /* another's */
    sb_core_remove(state->core, subscription);
    return NULL;
}

void exo_on_subscribe(struct exosip *state, eXosip_event_t *event)
{
    struct sb_object *subscription = exo_find_notifier(state, event->did);
    int status;
    if (subscription != NULL && event->request != NULL) {
        on_refresh(state, event, subscription);
        return;
    }
    status = refusal(state, event->request);
    subscription = status == 0 ? notifier_new(state, event) : NULL;
    if (subscription == NULL) {
        refuse(state, event, status != 0 ? status : 503);
        return;
    }
    status = post_subscribe(state, subscription, 0, asked(event->request), event->request);
    if (status != 0) {
        answer(state, event->tid, status, NULL, 0);
        sb_core_remove(state->core, subscription); /* and the library forgets it */
        return;
    }
    ((struct exo_subscription *)subscription->lib)->until_ms = sb_monotonic_ms() + EXO_64_T1;
    set_due(subscription->lib);
}

int exo_subscription_accept(void *state, struct sb_object *subscription, int status, int expires)
{
    struct exo_subscription *record = subscription->lib;
    int code = answer(state, record->tid, status, NULL, expires);
    if (code != SB_OK)
        return code;
    record->lease.expires = expires;
    /* Where the state is all that was asked for, the user has time to tell it. */
    set_until(record, expires > 0 ? expires : EXO_64_T1 / 1000);
    return SB_OK;
}

int exo_subscription_reject(void *state, struct sb_object *subscription, int status, const char *reason)
{
    struct exo_subscription *record = subscription->lib;
    return answer(state, record->tid, status, reason, 0);
}

void exo_notifier_due(struct exosip *state, struct sb_object *subscription)
{
    struct exo_subscription *record = subscription->lib;
    if (subscription->state == SB_SUBSCRIPTION_ASKED) { /* the user did not answer while the peer still waited */
        answer(state, record->tid, 500, NULL, 0);
        post_unsubscribed(state, subscription, 500, NULL);
    } else if (record->lease.busy && sb_monotonic_ms() >= record->overdue_ms) { /* the library does not tell each */
        post_unsubscribed(state, subscription, 408, NULL);
    } else {
        finish(state, subscription, NULL);
    }
}
