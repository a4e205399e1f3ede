/* subscribe.c - subscriptions of ours (RFC 6665, 4.1), and PUBLISH (RFC 3903).
 *
 * The library answers 500 to each NOTIFY that comes within 32 s of the one before. But it does so only for
 * subscriptions that it knows; any other NOTIFY it hands to us like any request. So we send each SUBSCRIBE as a first
 * one, and have the library forget the subscription once it is answered. The dialog is ours, and so is what makes a
 * SUBSCRIBE one of that dialog.
 */
#include "subscribe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "auth.h"
#include "clock.h"
#include "core.h"
#include "event.h"
#include "index.h"
#include "leases.h"
#include "library.h"
#include "message.h"
#include "notify.h"
#include "request.h"
#include "state.h"
#include "subscriber.h"
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

/* Turn a SUBSCRIBE, built as a first one, into a repetition of the one before, which was refused (8.1.3.5). */
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

/* Turn a SUBSCRIBE, built as a first one, into the next one of the dialog (12.2.1.1). */
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
    const struct exo_addresses *addresses = &record->addresses;
    int code = exo_error(eXosip_subscribe_build_initial_request(EXO_FIRST(state) message, addresses->to,
                                                                addresses->from, addresses->route, record->event,
                                                                record->lease.lease.expires));
    EXO_UNUSED(state);
    if (code == SB_OK && *message == NULL)
        code = SB_ELIBRARY;
    if (code == SB_OK && record->dialog != NULL) {
        content.content_type = NULL; /* the notifier keeps the filter until it gets another */
        content.body_len = 0;
        code = move_into(*message, record->dialog);
    } else if (code == SB_OK && record->call_id != NULL) {
        code = repeat(*message, record);
    }
    if (code == SB_OK) /* the library itself writes no more than eight digits */
        code = exo_set_expires(*message, record->lease.lease.expires);
    return code == SB_OK ? exo_fill(*message, &content) : code;
}

/* Note what tells the first SUBSCRIBE from others. */
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

/* Fill in the record. SB_OK, or an error; then the contract frees the record. */
static int record_set(struct exo_subscription *record, struct exosip *state, const sb_parties *parties,
                      const char *event, const sb_content *content)
{
    int code = exo_addresses_set(&record->addresses, state, parties);
    if (code != SB_OK)
        return code;
    record->event = strdup(event);
    record->content = exo_content_copy(content);
    return record->event != NULL && record->content != NULL ? SB_OK : SB_ENOMEM;
}

int exo_subscribe(void *data, struct sb_object *subscription, const sb_parties *parties, const char *event,
                  int expires, const sb_content *content)
{
    struct exosip *state = data;
    struct exo_subscription *record;
    int code = exo_check_target(parties);
    if (code != SB_OK)
        return code;
    record = calloc(1, sizeof *record);
    if (record == NULL)
        return SB_ENOMEM;
    exo_lease_init(&record->lease, expires);
    exo_keep(subscription, record);
    code = record_set(record, state, parties, event, content);
    if (code == SB_OK)
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

static void on_success(struct exosip *state, eXosip_event_t *event, struct sb_object *subscription)
{
    struct exo_subscription *record = subscription->lib;
    struct sb_lease *lease = &record->lease.lease;
    osip_message_t *response = event->response;
    learn_dialog(record, response);
    record->lease.retries = 0;
    if (record->dialog == NULL)
        sb_lease_post(lease, state, subscription, SB_STATE_FAILED, 503, NULL, 0, response);
    else
        sb_subscriber_granted(lease, state, state->core, subscription, exo_header(response, "expires"),
                              response->status_code, response);
}

static struct sb_object *subscription_of(struct exosip *state, const osip_message_t *request)
{
    char *call_id = exo_call_id(request);
    struct sb_object *subscription = call_id == NULL ? NULL : exo_find_subscription(state, call_id);
    free(call_id);
    return subscription;
}

/* Answer a challenge. True when the request goes again. */
static int is_repeated(struct exosip *state, eXosip_event_t *event, struct exo_subscription *record)
{
    if (!exo_retry(state, event, &record->lease.retries))
        return 0;
    if (record->dialog != NULL)
        record->dialog->local_cseq++; /* 22.2 */
    exo_set_due(&record->lease.record, sb_monotonic_ms() + EXO_OVERDUE);
    return 1;
}

void exo_on_subscription(struct exosip *state, eXosip_event_t *event)
{
    struct sb_object *subscription = subscription_of(state, event->request);
    struct exo_subscription *record = subscription == NULL ? NULL : subscription->lib;
    int success = event->type == EXOSIP_SUBSCRIPTION_ANSWERED && event->response != NULL;
    if (record != NULL && !success && is_repeated(state, event, record))
        return;
    if (event->did > 0)
        forget(state, event->did);
    if (record == NULL)
        return;
    exo_set_due(&record->lease.record, 0);
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

/* The status to answer with before the user sees it, or 0. */
static int refusal(struct exosip *state, struct exo_subscription *record, osip_message_t *notify)
{
    int has_state = exo_header(notify, "subscription-state") != NULL && !exo_is_dangerous(notify);
    if (record->dialog != NULL && exo_cseq(notify) < record->dialog->remote_cseq)
        return 500; /* 12.2.2 */
    return sb_subscriber_refusal(state->core, record->event, exo_event_header(notify), has_state);
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
    sb_event_notify(&event, subscription, seconds_left(exo_header(notify, "subscription-state")));
    return exo_post_request(state, &event, notify);
}

/* Why it is over, as Subscription-State says. */
static void copy_reason(char *reason, size_t size, const char *told)
{
    int length;
    const char *value = sb_parameter(told, "reason", &length);
    reason[0] = '\0';
    if (value != NULL)
        snprintf(reason, size, "%.*s", length, value);
}

/* Do what follows when the user was told of a NOTIFY. */
static void follow_notify(struct exosip *state, struct sb_object *subscription, osip_message_t *notify)
{
    struct exo_subscription *record = subscription->lib;
    const char *told = exo_header(notify, "subscription-state");
    int is_over = sb_bare(told) == 10 && strncasecmp(told, "terminated", 10) == 0;
    char reason[64];
    copy_reason(reason, sizeof reason, told);
    if (record->dialog != NULL) {
        osip_dialog_update_osip_cseq_as_uas(record->dialog, notify);
        osip_dialog_update_route_set_as_uas(record->dialog, notify);
    }
    sb_subscriber_notified(&record->lease.lease, state, subscription, is_over, reason, seconds_left(told), notify);
}

/* A NOTIFY that the library answered itself, while the SUBSCRIBE was on its way. */
void exo_on_notify(struct exosip *state, eXosip_event_t *event)
{
    struct sb_object *subscription = subscription_of(state, event->request);
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

/* libosip2 does not compare our own tag. Before the 2xx (4.1.2.4) there is nothing else to compare, and 3.6 compares it
 * itself. */
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
    struct sb_object *subscription;
    struct exo_subscription *record;
    int status = 481;
    if (!exo_is_method(event->request, "NOTIFY") || to_tag(event->request) == NULL)
        return 0;
    subscription = subscription_of(state, event->request);
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
 * The end
 */
void exo_subscription_free(struct exosip *state, struct exo_subscription *record)
{
    if (state != NULL && record->did > 0) {
        exo_lock(state);
        eXosip_insubscription_remove(EXO_FIRST(state) record->did);
        exo_unlock(state);
    }
    sb_notifier_clear(&record->notifier);
    osip_dialog_free(record->dialog);
    exo_content_free(record->content);
    free(record->call_id);
    free(record->tag);
    exo_addresses_clear(&record->addresses);
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
