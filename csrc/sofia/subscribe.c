/* subscribe.c - subscriptions of ours (RFC 6665, 4.1), and PUBLISH (RFC 3903). */
#include "subscribe.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>

#include "core.h"
#include "entry.h"
#include "event.h"
#include "leases.h"
#include "loop.h"
#include "message.h"
#include "notify.h"
#include "record.h"
#include "request.h"
#include "state.h"
#include "subscriber.h"
#include "values.h"

/* ------------------------------------------------------------------------------------------------------
 * What becomes of a SUBSCRIBE
 */

/* Until there is a dialog the first SUBSCRIBE is sent again, later one within the dialog. */
static int send_next(struct sof_lease *lease)
{
    struct sof_subscription *record = (struct sof_subscription *)lease;
    msg_t *draft = record->again;
    if (!lease->established || draft == NULL)
        return sof_lease_send_again(lease);
    record->again = NULL;
    if (sof_set_expires(draft, lease->lease.expires) != SB_OK) {
        msg_destroy(draft);
        return SB_ENOMEM;
    }
    return sof_lease_send(lease, draft);
}

static void on_success(struct sof_lease *lease, struct sb_object *subscription, int status, const sip_t *sip)
{
    struct sofia *state = lease->record.state;
    char text[SOF_EXPIRES_SIZE];
    if (!lease->established)
        nta_leg_rtag(lease->record.leg, sip->sip_to->a_tag);
    lease->established = 1;
    nta_leg_client_route(lease->record.leg, sip->sip_record_route, sip->sip_contact);
    sb_subscriber_granted(&lease->lease, state, state->core, subscription, sof_expires(text, sip), status, sip);
}

/* ------------------------------------------------------------------------------------------------------
 * NOTIFY
 */
static int refusal(const struct sof_subscription *record, const sip_t *sip)
{
    su_home_t home[1] = {SU_HOME_INIT(home)};
    const sip_subscription_state_t *told = sip->sip_subscription_state;
    int status = sb_subscriber_refusal(record->lease.record.state->core, record->event, sof_event_header(home, sip),
                                       told != NULL && told->ss_substate != NULL);
    su_home_deinit(home);
    return status;
}

/* Returns 0, or the status to refuse it with. */
static int post_notify(struct sof_subscription *record, const struct sb_object *subscription, const sip_t *sip)
{
    sb_event event;
    sb_event_notify(&event, subscription, sb_granted(sip->sip_subscription_state->ss_expires, NULL, 0));
    return sof_post_request(record->lease.record.state, &event, sip);
}

/* Do what follows when the user was told of a NOTIFY. */
static void follow_notify(struct sof_subscription *record, struct sb_object *subscription, nta_leg_t *leg,
                          const sip_t *sip)
{
    const sip_subscription_state_t *told = sip->sip_subscription_state;
    if (!record->lease.established)
        nta_leg_rtag(leg, sip->sip_from->a_tag); /* it came before the 2xx (4.4.1) */
    record->lease.established = 1;
    nta_leg_server_route(leg, sip->sip_record_route, sip->sip_contact);
    sb_subscriber_notified(&record->lease.lease, record->lease.record.state, subscription,
                           strcasecmp(told->ss_substate, "terminated") == 0, told->ss_reason,
                           sb_granted(told->ss_expires, NULL, 0), sip);
}

static int on_notify(struct sof_record *data, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
    struct sof_subscription *record = (struct sof_subscription *)data;
    struct sb_object *subscription;
    int status = 481;
    if (sip->sip_request->rq_method == sip_method_ack)
        return 200; /* nothing is sent; it is forgotten */
    sof_enter_request(data->state, irq);
    subscription = sof_object(data, SB_KIND_SUBSCRIPTION);
    if (subscription != NULL && sip->sip_request->rq_method != sip_method_notify)
        status = 405;
    else if (subscription != NULL && (status = refusal(record, sip)) == 0 &&
             (status = post_notify(record, subscription, sip)) == 0) {
        sof_answer(data->state, irq, 200);
        follow_notify(record, subscription, leg, sip);
    }
    sof_leave(data->state);
    return status;
}

/* ------------------------------------------------------------------------------------------------------
 * SUBSCRIBE
 */
static const struct sof_lease_kind SUBSCRIPTION = {
    .object = SB_KIND_SUBSCRIPTION,
    .method = "SUBSCRIBE",
    .on_request = on_notify,
    .send_next = send_next,
    .on_success = on_success,
    .on_due = sb_subscriber_due,
};

/* Build the first SUBSCRIBE, and the one within the dialog. The latter has no body: the notifier keeps the first one's.
 */
static int draft_both(struct sofia *state, struct sof_subscription *record, const sb_parties *parties,
                      const char *event, int expires, const sb_content *content, msg_t **first)
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
        code = sof_set_expires(*first, expires);
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
    record->event = su_strdup(record->lease.record.home, event);
    if (record->event == NULL)
        return SB_ENOMEM;
    code = draft_both(state, record, parties, event, expires, content, &draft);
    if (code != SB_OK)
        return code;
    return sof_lease_start(&record->lease, &SUBSCRIPTION, subscription, expires, draft);
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
