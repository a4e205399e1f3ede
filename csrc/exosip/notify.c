/* notify.c - subscriptions from outside (RFC 6665, 4.2). */
#include "notify.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "core.h"
#include "event.h"
#include "index.h"
#include "library.h"
#include "message.h"
#include "notifier.h"
#include "request.h"
#include "state.h"
#include "subscribe.h"
#include "timers.h"
#include "values.h"

/* Returns 0, or the status to refuse it with. */
static int post_subscribe(struct exosip *state, const struct sb_object *subscription, int new_state, int expires,
                          osip_message_t *subscribe)
{
    sb_event event;
    sb_event_subscribe(&event, subscription, new_state, expires);
    return exo_post_request(state, &event, subscribe);
}

/* Set the time at which a NOTIFY is overdue, or the subscription ends. */
static void set_due(struct exo_subscription *record, int is_busy)
{
    exo_set_due(&record->lease.record, record->until_ms);
    if (is_busy && (record->until_ms == 0 || record->until_ms > record->overdue_ms))
        exo_set_due(&record->lease.record, record->overdue_ms);
}

static void set_until(struct exo_subscription *record, int seconds)
{
    record->until_ms = sb_monotonic_ms() + sb_notifier_ms(seconds);
    set_due(record, record->notifier.busy);
}

/* ------------------------------------------------------------------------------------------------------
 * NOTIFY
 */

/* A NOTIFY that waits, or is about to be sent. */
struct draft {
    char *state; /* the value of Subscription-State */
    struct exo_content *content;
};

static void drop(void *data)
{
    struct draft *draft = data;
    exo_content_free(draft->content);
    free(draft->state);
    free(draft);
}

static struct draft *draft_new(const char *subscription_state, const sb_content *content)
{
    struct draft *draft = calloc(1, sizeof *draft);
    if (draft == NULL)
        return NULL;
    draft->state = strdup(subscription_state);
    draft->content = exo_content_copy(content);
    if (draft->state != NULL && draft->content != NULL)
        return draft;
    drop(draft);
    return NULL;
}

static int build(struct exosip *state, const struct exo_subscription *record, const struct draft *draft,
                 osip_message_t **notify)
{
    int code = exo_error(eXosip_insubscription_build_request(EXO_FIRST(state) record->did, "NOTIFY", notify));
    EXO_UNUSED(state);
    if (code == SB_OK)
        code = *notify == NULL ? SB_ELIBRARY : exo_error(osip_message_set_header(*notify, "Event", record->event));
    if (code == SB_OK)
        code = exo_error(osip_message_set_header(*notify, "Subscription-State", draft->state));
    return code == SB_OK ? exo_fill(*notify, &draft->content->content) : code;
}

static int send_notify(void *data, struct sb_object *subscription, void *draft)
{
    struct exosip *state = data;
    struct exo_subscription *record = subscription->lib;
    osip_message_t *notify = NULL;
    int code;
    exo_lock(state);
    code = build(state, record, draft, &notify);
    if (code == SB_OK)
        code = exo_error(eXosip_insubscription_send_request(EXO_FIRST(state) record->did, notify));
    else
        osip_message_free(notify);
    exo_unlock(state);
    drop(draft);
    if (code != SB_OK)
        return code;
    record->overdue_ms = sb_monotonic_ms() + EXO_OVERDUE;
    set_due(record, 1);
    return SB_OK;
}

static void post(void *state, sb_event *event, const void *message)
{
    exo_post(state, event, (osip_message_t *)message);
}

static const struct sb_notifier_calls CALLS = {
    .send = send_notify,
    .drop = drop,
    .post = post,
};

int exo_notify(void *state, struct sb_object *subscription, const char *subscription_state,
               const sb_content *content)
{
    struct sb_notifier *notifier = &((struct exo_subscription *)subscription->lib)->notifier;
    struct draft *draft;
    int code;
    if (sb_notifier_is_full(notifier))
        return SB_ESTATE;
    draft = draft_new(subscription_state, content);
    if (draft == NULL)
        return SB_ENOMEM;
    code = sb_notifier_send(notifier, state, subscription, draft);
    if (code == SB_OK)
        notifier->pending++;
    return code;
}

/* The library cannot answer the challenge of a NOTIFY. */
void exo_on_notification(struct exosip *state, eXosip_event_t *event)
{
    struct sb_object *subscription = exo_find_notifier(state, event->did);
    struct exo_subscription *record;
    int status = event->response != NULL ? event->response->status_code : 408;
    if (subscription == NULL || status < 200)
        return;
    record = subscription->lib;
    set_due(record, 0);
    sb_notifier_answered(&record->notifier, state, subscription, status, event->response);
}

/* ------------------------------------------------------------------------------------------------------
 * SUBSCRIBE
 */

/* Under eXosip_lock. */
static int answer_locked(struct exosip *state, int tid, int status, const char *reason, int expires,
                         const sb_content *content)
{
    osip_message_t *response = NULL;
    int code = exo_error(eXosip_insubscription_build_answer(EXO_FIRST(state) tid, status, &response));
    EXO_UNUSED(state);
    if (code == SB_OK && response == NULL)
        code = SB_ELIBRARY;
    if (code == SB_OK && status < 300)
        code = exo_set_expires(response, expires);
    if (code == SB_OK)
        code = exo_set_reason(response, reason);
    if (code == SB_OK)
        code = exo_fill(response, content);
    if (code == SB_OK)
        code = exo_error(eXosip_insubscription_send_answer(EXO_FIRST(state) tid, status, response));
    else
        osip_message_free(response);
    return code;
}

static int answer(struct exosip *state, int tid, int status, const char *reason, int expires)
{
    int code;
    exo_lock(state);
    code = answer_locked(state, tid, status, reason, expires, NULL);
    exo_unlock(state);
    return code;
}

/* Refuse one, and have the library forget it before the answer goes out. A SUBSCRIBE that comes after that, with
 * credentials, has the same Call-ID and tag, which are all that the library compares: it would be one within the
 * dialog. */
static int refuse_and_forget(struct exosip *state, int did, int tid, int status, const char *reason,
                             const sb_content *content)
{
    int code;
    exo_lock(state);
    code = answer_locked(state, tid, status, reason, 0, content);
    if (code == SB_OK)
        eXosip_insubscription_remove(EXO_FIRST(state) did);
    exo_unlock(state);
    return code;
}

/* Refuse one that the user does not see. */
static void refuse(struct exosip *state, const eXosip_event_t *event, int status)
{
    if (refuse_and_forget(state, event->did, event->tid, status, NULL, NULL) == SB_OK)
        return;
    exo_lock(state);
    eXosip_insubscription_remove(EXO_FIRST(state) event->did);
    exo_unlock(state);
}

static int asked(osip_message_t *subscribe)
{
    return sb_granted(NULL, exo_header(subscribe, "expires"), SB_DEFAULT_SUBSCRIPTION);
}

/* End the subscription with a last NOTIFY. Nobody waits for its answer. */
static void finish(struct exosip *state, struct sb_object *subscription, osip_message_t *message)
{
    struct sb_notifier *notifier = &((struct exo_subscription *)subscription->lib)->notifier;
    struct draft *draft = notifier->busy ? NULL : draft_new(SB_RAN_OUT, NULL);
    if (draft != NULL)
        send_notify(state, subscription, draft);
    sb_notifier_post_end(notifier, state, subscription, 0, message);
}

/* Answer a SUBSCRIBE within the dialog with what was granted before, at most. */
static void on_refresh(struct exosip *state, eXosip_event_t *event, struct sb_object *subscription)
{
    struct exo_subscription *record = subscription->lib;
    int seconds = 0, wanted = asked(event->request);
    int status = sb_notifier_refresh(&record->notifier, state->core, subscription, wanted, &seconds);
    if (status == 0 && exo_is_dangerous(event->request))
        status = 503;
    if (status == 0 && seconds > 0)
        status = post_subscribe(state, subscription, SB_STATE_ACTIVE, seconds, event->request);
    answer(state, event->tid, status != 0 ? status : 200, NULL, seconds);
    if (status != 0)
        return;
    if (seconds > 0)
        set_until(record, seconds);
    else
        finish(state, subscription, event->request);
}

/* The status to refuse a new one with before the user sees it, or 0. */
static int refusal(struct exosip *state, osip_message_t *subscribe)
{
    if (subscribe == NULL || exo_is_dangerous(subscribe))
        return 400;
    return sb_notifier_refusal(state->core, exo_event_header(subscribe));
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
    exo_keep(subscription, record);
    record->notifier.calls = &CALLS;
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
        sb_core_remove(state->core, subscription); /* the library forgets it, too */
        return;
    }
    set_until(subscription->lib, 0);
}

int exo_subscription_accept(void *state, struct sb_object *subscription, int status, int expires)
{
    struct exo_subscription *record = subscription->lib;
    int code = answer(state, record->tid, status, NULL, expires);
    if (code != SB_OK)
        return code;
    record->notifier.expires = expires;
    set_until(record, expires);
    return SB_OK;
}

int exo_subscription_reject(void *state, struct sb_object *subscription, int status, const char *reason,
                            const sb_content *content)
{
    struct exo_subscription *record = subscription->lib;
    int code = refuse_and_forget(state, record->did, record->tid, status, reason, content);
    if (code != SB_OK)
        return code;
    exo_unindex(state, subscription);
    record->did = 0; /* the library has no such any more */
    return SB_OK;
}

void exo_notifier_due(struct exosip *state, struct sb_object *subscription)
{
    struct exo_subscription *record = subscription->lib;
    if (subscription->state == SB_SUBSCRIPTION_ASKED) { /* the user did not answer while the peer still waited */
        answer(state, record->tid, 500, NULL, 0);
        sb_notifier_post_end(&record->notifier, state, subscription, 500, NULL);
    } else if (record->notifier.busy && sb_monotonic_ms() >= record->overdue_ms) { /* not always reported */
        sb_notifier_post_end(&record->notifier, state, subscription, 408, NULL);
    } else {
        finish(state, subscription, NULL);
    }
}
