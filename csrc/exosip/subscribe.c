/* subscribe.c - subscriptions of ours (RFC 6665, 4.1), and PUBLISH (RFC 3903).
 *
 * The library would answer 500 to each NOTIFY that comes within 32 s of the one before. It takes only those whose
 * subscription it knows, and hands us the others like any request. So each SUBSCRIBE is a first one to it, which it is
 * made to forget once it is answered; the dialog is ours, and what is written into the SUBSCRIBE of it too.
 */
#include "subscribe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api.h"
#include "auth.h"
#include "call.h"
#include "clock.h"
#include "core.h"
#include "index.h"
#include "lease.h"
#include "message.h"
#include "notify.h"
#include "request.h"
#include "state.h"
#include "timers.h"
#include "values.h"

/* ------------------------------------------------------------------------------------------------------
 * SUBSCRIBE
 */
static int replace_routes(osip_message_t *message, osip_list_t *routes)
{
    osip_route_t *route;
    int i, code = 0;
    while ((route = osip_list_get(&message->routes, 0)) != NULL) {
        osip_list_remove(&message->routes, 0);
        osip_route_free(route);
    }
    for (i = 0; i < osip_list_size(routes) && code == 0; i++)
        if ((code = osip_route_clone(osip_list_get(routes, i), &route)) == 0)
            osip_list_add(&message->routes, route, -1);
    return code;
}

static int set_cseq(osip_message_t *message, int cseq)
{
    char number[16];
    snprintf(number, sizeof number, "%d", cseq);
    osip_free(message->cseq->number);
    message->cseq->number = osip_strdup(number);
    return message->cseq->number == NULL ? OSIP_NOMEM : 0;
}

static char *from_tag(osip_message_t *message)
{
    osip_generic_param_t *tag = NULL;
    osip_from_get_tag(message->from, &tag);
    return tag == NULL || tag->gvalue == NULL ? NULL : strdup(tag->gvalue);
}

/* Make a SUBSCRIBE that was built as a first one the same as the one before, which was refused (8.1.3.5). */
static int repeat(osip_message_t *message, const struct exo_subscription *record)
{
    osip_generic_param_t *tag = NULL;
    osip_from_get_tag(message->from, &tag);
    if (tag == NULL)
        return SB_ELIBRARY;
    osip_free(tag->gvalue);
    osip_call_id_free(message->call_id);
    message->call_id = NULL;
    tag->gvalue = osip_strdup(record->tag);
    if (tag->gvalue == NULL || set_cseq(message, record->cseq + 1) != 0)
        return SB_ENOMEM;
    return exo_error(osip_message_set_call_id(message, record->call_id));
}

/* Make a SUBSCRIBE that was built as a first one the next one of the dialog (12.2.1.1). */
static int move_into(osip_message_t *message, osip_dialog_t *dialog)
{
    int code;
    if (dialog->remote_contact_uri == NULL)
        return SB_ELIBRARY;
    osip_call_id_free(message->call_id);
    osip_from_free(message->from);
    osip_to_free(message->to);
    osip_uri_free(message->req_uri);
    message->call_id = NULL;
    message->from = NULL;
    message->to = NULL;
    message->req_uri = NULL;
    code = set_cseq(message, ++dialog->local_cseq);
    if (code == 0)
        code = osip_message_set_call_id(message, dialog->call_id);
    if (code == 0)
        code = osip_from_clone(dialog->local_uri, &message->from);
    if (code == 0)
        code = osip_to_clone(dialog->remote_uri, &message->to);
    if (code == 0)
        code = osip_uri_clone(dialog->remote_contact_uri->url, &message->req_uri);
    if (code == 0)
        code = replace_routes(message, &dialog->route_set);
    return exo_error(code);
}

static int build(struct exosip *state, struct exo_subscription *record, osip_message_t **message)
{
    sb_content content = record->content->content;
    int code = exo_error(eXosip_subscribe_build_initial_request(EXO_FIRST(state) message, record->to, record->from,
                                                                record->route, record->event, record->lease.expires));
    EXO_UNUSED(state);
    if (code == SB_OK && *message == NULL)
        code = SB_ELIBRARY;
    if (code == SB_OK && record->dialog != NULL) {
        content.content_type = NULL; /* the filter stands until another comes */
        content.body_len = 0;
        code = move_into(*message, record->dialog);
    } else if (code == SB_OK && record->call_id != NULL) {
        code = repeat(*message, record);
    }
    if (code == SB_OK) /* what the library writes there has room for eight digits */
        code = exo_set_expires(*message, record->lease.expires);
    return code == SB_OK ? exo_fill(*message, &content) : code;
}

/* What the first one is known by. */
static int note(struct exo_subscription *record, osip_message_t *message)
{
    if (record->call_id != NULL)
        return SB_OK;
    record->tag = from_tag(message);
    record->call_id = record->tag == NULL ? NULL : exo_call_id(message);
    return record->call_id == NULL ? SB_ENOMEM : SB_OK;
}

int exo_send_subscribe(struct exosip *state, struct exo_subscription *record)
{
    osip_message_t *message = NULL;
    int code;
    exo_lock(state);
    code = build(state, record, &message);
    if (code == SB_OK)
        code = note(record, message);
    if (code == SB_OK)
        code = exo_error(eXosip_subscribe_send_initial_request(EXO_FIRST(state) message));
    else
        osip_message_free(message);
    exo_unlock(state);
    if (code == SB_OK)
        exo_lease_sent(&record->lease);
    return code;
}

static struct exo_subscription *record_new(struct exosip *state, const sb_parties *parties, const char *event,
                                           const sb_content *content)
{
    struct exo_subscription *record = calloc(1, sizeof *record);
    const char *route = state->route;
    if (record == NULL)
        return NULL;
    record->to = exo_name_addr(parties->to);
    record->from = exo_sender(state, parties);
    record->event = strdup(event);
    record->content = exo_content_copy(content);
    if (parties->route != NULL)
        record->route = exo_route(parties->route);
    else if (route != NULL)
        record->route = strdup(route);
    if (record->to != NULL && record->from != NULL && record->event != NULL && record->content != NULL &&
        (record->route != NULL || (parties->route == NULL && route == NULL)))
        return record;
    exo_subscription_free(NULL, record);
    return NULL;
}

int exo_subscribe(void *data, struct sb_object *subscription, const sb_parties *parties, const char *event,
                  int expires, const sb_content *content)
{
    struct exosip *state = data;
    struct exo_subscription *record;
    int code = exo_check_target(parties);
    if (code != SB_OK)
        return code;
    record = record_new(state, parties, event, content);
    if (record == NULL)
        return SB_ENOMEM;
    record->lease.expires = expires;
    record->polls = expires == 0;
    subscription->lib = record;
    code = exo_send_subscribe(state, record);
    return code == SB_OK ? exo_index_subscription(state, subscription) : code;
}

/* ------------------------------------------------------------------------------------------------------
 * The notifier's answers
 */
static void forget(struct exosip *state, int did)
{
    exo_lock(state);
    eXosip_subscribe_remove(EXO_FIRST(state) did);
    exo_unlock(state);
}

static void learn_dialog(struct exo_subscription *record, osip_message_t *response)
{
    if (record->dialog == NULL)
        osip_dialog_init_as_uac(&record->dialog, response);
    else
        osip_dialog_update_route_set_as_uac(record->dialog, response);
}

static int goes_on(struct exosip *state, eXosip_event_t *event, struct sb_object *subscription)
{
    struct exo_subscription *record = subscription->lib;
    if (!record->notified && record->lease.notify_ms == 0)
        record->lease.notify_ms = sb_monotonic_ms() + SB_TIMER_N_MS;
    return exo_lease_goes_on(state, subscription, NULL, event->response);
}

static void on_success(struct exosip *state, eXosip_event_t *event, struct sb_object *subscription)
{
    struct exo_subscription *record = subscription->lib;
    int status = event->response->status_code;
    learn_dialog(record, event->response);
    if (record->dialog == NULL)
        exo_post_lease(state, subscription, SB_STATE_FAILED, 503, NULL, 0, event->response);
    else if (goes_on(state, event, subscription))
        return;
    else if (sb_core_closing(state->core))
        exo_post_lease(state, subscription, SB_STATE_ENDED, status, NULL, 0, event->response);
    else
        record->lease.record.due_ms = sb_monotonic_ms() + SB_LAST_NOTIFY_MS;
}

void exo_on_subscription(struct exosip *state, eXosip_event_t *event)
{
    char *call_id = exo_call_id(event->request);
    struct sb_object *subscription = call_id == NULL ? NULL : exo_find_subscription(state, call_id);
    struct exo_subscription *record = subscription == NULL ? NULL : subscription->lib;
    int success = event->type == EXOSIP_SUBSCRIPTION_ANSWERED && event->response != NULL;
    free(call_id);
    if (record != NULL && !success && exo_retry(state, event, &record->lease.retries)) {
        if (record->dialog != NULL)
            record->dialog->local_cseq++; /* 22.2 */
        record->lease.record.due_ms = sb_monotonic_ms() + EXO_OVERDUE;
        return;
    }
    if (event->did > 0)
        forget(state, event->did);
    if (record == NULL)
        return;
    record->lease.record.due_ms = 0;
    record->cseq = exo_cseq(event->request);
    if (success && !exo_is_dangerous(event->response))
        on_success(state, event, subscription);
    else
        exo_lease_failed(state, subscription, record->dialog != NULL, event->response);
}

/* ------------------------------------------------------------------------------------------------------
 * NOTIFY
 */

const char *exo_event_header(osip_message_t *message)
{
    const char *event = exo_header(message, "event");
    return event != NULL ? event : exo_header(message, "o");
}

/* The status to answer with before the user sees it, or 0 (4.1.3). */
static int refusal(struct exosip *state, struct exo_subscription *record, osip_message_t *notify)
{
    const char *event = exo_event_header(notify);
    if (record->dialog != NULL && exo_cseq(notify) < record->dialog->remote_cseq)
        return 500; /* 12.2.2 */
    if (event == NULL || !sb_is_same_event(event, record->event))
        return 489;
    if (exo_header(notify, "subscription-state") == NULL || exo_is_dangerous(notify))
        return 400;
    return sb_core_congested(state->core) ? 503 : 0;
}

/* What Subscription-State says of the time that is left; 0: nothing. */
static int seconds_left(const char *told)
{
    int length;
    return sb_granted(sb_parameter(told, "expires", &length), NULL, 0);
}

/* Returns 0, or the status to refuse it with. */
static int post_notify(struct exosip *state, const struct sb_object *subscription, osip_message_t *notify)
{
    sb_event event;
    memset(&event, 0, sizeof event);
    event.type = SB_EV_NOTIFY;
    event.subscription = subscription->id;
    event.expires = seconds_left(exo_header(notify, "subscription-state"));
    return exo_post_request(state, &event, notify);
}

static void post_ended(struct exosip *state, struct sb_object *subscription, const char *told, osip_message_t *notify)
{
    int length;
    const char *value = sb_parameter(told, "reason", &length);
    char reason[64] = "";
    if (value != NULL)
        snprintf(reason, sizeof reason, "%.*s", length, value);
    exo_post_lease(state, subscription, SB_STATE_ENDED, 0, reason, 0, notify);
}

/* The user was told of it. */
static void follow_notify(struct exosip *state, struct sb_object *subscription, osip_message_t *notify)
{
    struct exo_subscription *record = subscription->lib;
    const char *told = exo_header(notify, "subscription-state");
    if (record->dialog != NULL) {
        osip_dialog_update_osip_cseq_as_uas(record->dialog, notify);
        osip_dialog_update_route_set_as_uas(record->dialog, notify);
    }
    record->notified = 1;
    record->lease.notify_ms = 0;
    if (sb_bare(told) == 10 && strncasecmp(told, "terminated", 10) == 0)
        post_ended(state, subscription, told, notify);
    else if (!record->lease.busy && record->lease.expires > 0) /* it may be less than was granted (4.1.2.3) */
        exo_lease_left(&record->lease, seconds_left(told));
}

/* One that the library took, and answered, while the SUBSCRIBE was on its way. */
void exo_on_notify(struct exosip *state, eXosip_event_t *event)
{
    char *call_id = exo_call_id(event->request);
    struct sb_object *subscription = call_id == NULL ? NULL : exo_find_subscription(state, call_id);
    free(call_id);
    if (subscription == NULL || refusal(state, subscription->lib, event->request) != 0)
        return;
    post_notify(state, subscription, event->request);
    follow_notify(state, subscription, event->request);
}

/* The tag in To, or NULL. */
static const char *to_tag(osip_message_t *message)
{
    osip_generic_param_t *tag = NULL;
    if (message->to == NULL || osip_to_get_tag(message->to, &tag) != 0 || tag == NULL)
        return NULL;
    return tag->gvalue;
}

/* libosip2 does not compare our own tag. Before the 2xx (4.1.2.4), which 3.6 sees to itself, that is all there is. */
static int is_within(const struct exo_subscription *record, osip_message_t *request)
{
    osip_dialog_t *dialog = record->dialog;
    const char *tag = to_tag(request);
    if (dialog == NULL)
        return strcmp(tag, record->tag) == 0;
    return dialog->local_tag != NULL && strcmp(tag, dialog->local_tag) == 0 &&
           osip_dialog_match_as_uas(dialog, request) == 0;
}

int exo_take_notify(struct exosip *state, eXosip_event_t *event)
{
    struct sb_object *subscription = NULL;
    struct exo_subscription *record;
    char *call_id;
    int status = 481;
    if (!exo_is_method(event->request, "NOTIFY") || to_tag(event->request) == NULL)
        return 0;
    call_id = exo_call_id(event->request);
    if (call_id != NULL)
        subscription = exo_find_subscription(state, call_id);
    free(call_id);
    record = subscription == NULL ? NULL : subscription->lib;
    if (record != NULL && is_within(record, event->request))
        status = refusal(state, record, event->request);
    if (status == 0)
        status = post_notify(state, subscription, event->request);
    exo_answer_request(state, event->tid, status != 0 ? status : 200);
    if (status == 0)
        follow_notify(state, subscription, event->request);
    return 1;
}

/* ------------------------------------------------------------------------------------------------------
 * Time, and the end
 */
void exo_subscription_due(struct exosip *state, struct sb_object *subscription)
{
    struct exo_subscription *record = subscription->lib;
    int failed = record->polls && !record->notified;
    if (!subscription->outgoing)
        exo_notifier_due(state, subscription);
    else if (record->lease.busy || record->lease.expires > 0)
        exo_lease_due(state, subscription);
    else /* no NOTIFY after the SUBSCRIBE that ended it, or asked for the state */
        exo_post_lease(state, subscription, failed ? SB_STATE_FAILED : SB_STATE_ENDED, failed ? 408 : 200, NULL, 0,
                       NULL);
}

void exo_subscription_free(struct exosip *state, struct exo_subscription *record)
{
    struct exo_notify *waiting;
    if (state != NULL && record->did > 0) {
        exo_lock(state);
        eXosip_insubscription_remove(EXO_FIRST(state) record->did);
        exo_unlock(state);
    }
    while ((waiting = record->waiting) != NULL) {
        record->waiting = waiting->next;
        exo_notify_free(waiting);
    }
    osip_dialog_free(record->dialog);
    exo_content_free(record->content);
    free(record->call_id);
    free(record->tag);
    free(record->to);
    free(record->from);
    free(record->route);
    free(record->event);
    free(record);
}

/* ------------------------------------------------------------------------------------------------------
 * PUBLISH
 */
static int add_header(struct exo_content *copy, const char *name, const char *value)
{
    sb_header *header = copy->headers + copy->content.header_count;
    if (copy->content.header_count == SB_MAX_HEADERS)
        return SB_ETOOBIG;
    header->name = strdup(name);
    header->value = strdup(value);
    copy->content.headers = copy->headers;
    copy->content.header_count++;
    return header->name != NULL && header->value != NULL ? SB_OK : SB_ENOMEM;
}

int exo_publish(void *state, struct sb_object *transaction, const sb_parties *parties, const char *event,
                const char *etag, int expires, const sb_content *content)
{
    struct exo_content *copy = exo_content_copy(content);
    char seconds[16];
    int code;
    if (copy == NULL)
        return SB_ENOMEM;
    snprintf(seconds, sizeof seconds, "%d", expires);
    code = add_header(copy, "Event", event);
    if (code == SB_OK)
        code = add_header(copy, "Expires", seconds);
    if (code == SB_OK && etag != NULL)
        code = add_header(copy, "SIP-If-Match", etag);
    if (code == SB_OK)
        code = exo_request(state, transaction, "PUBLISH", parties, &copy->content);
    exo_content_free(copy);
    return code;
}
