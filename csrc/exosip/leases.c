/* leases.c - the calls of struct sb_lease_calls on libeXosip2, and what its events mean for a lease. */
#include "leases.h"

#include "clock.h"
#include "message.h"
#include "register.h"
#include "request.h"
#include "resolve.h"
#include "state.h"
#include "subscribe.h"
#include "subscriber.h"
#include "values.h"

void exo_lease_sent(struct exo_lease *lease)
{
    lease->started_ms = sb_monotonic_ms();
    exo_set_due(&lease->record, lease->started_ms + EXO_OVERDUE);
}

/* ------------------------------------------------------------------------------------------------------
 * For the lease
 */
static int send_next(void *state, struct sb_object *object)
{
    return object->kind == SB_KIND_REGISTRATION ? exo_send_register(state, object->lib)
                                                : exo_send_subscribe(state, object->lib);
}

static int begin(void *state, struct sb_object *object)
{
    ((struct exo_lease *)object->lib)->retries = 0;
    return send_next(state, object);
}

static void wake(struct sb_object *object, int64_t at_ms)
{
    exo_set_due(&((struct exo_lease *)object->lib)->record, at_ms);
}

static void post(void *state, sb_event *event, const void *message)
{
    exo_post(state, event, (osip_message_t *)message);
}

static const struct sb_lease_calls CALLS = {
    .begin = begin,
    .send = send_next,
    .wake = wake,
    .post = post,
};

void exo_lease_init(struct exo_lease *lease, int expires)
{
    sb_lease_init(&lease->lease, &CALLS, expires);
}

int exo_lease_change(void *state, struct sb_object *object, int expires)
{
    struct exo_lease *lease = object->lib;
    return lease == NULL ? SB_ESTATE : sb_lease_change(&lease->lease, state, object, expires); /* not sent yet */
}

int exo_lease_end(void *state, struct sb_object *object)
{
    return exo_give_up(state, object) ? SB_OK : exo_lease_change(state, object, 0);
}

void exo_lease_due(struct exosip *state, struct sb_object *object)
{
    struct exo_lease *lease = object->lib;
    exo_set_due(&lease->record, 0);
    lease->retries = 0;
    if (object->kind == SB_KIND_REGISTRATION)
        sb_lease_due(&lease->lease, state, object);
    else
        sb_subscriber_due(&lease->lease, state, object);
}

/* ------------------------------------------------------------------------------------------------------
 * Answers
 */
void exo_lease_failed(struct exosip *state, struct sb_object *object, int is_within, osip_message_t *response)
{
    struct exo_lease *lease = object->lib;
    int status = response == NULL ? exo_status_without_response(lease->started_ms) : response->status_code;
    int min_expires = sb_seconds(exo_header(response, "min-expires"));
    sb_lease_refused(&lease->lease, state, object, status, min_expires, is_within, response);
}
