/* leases.c - the calls of struct sb_lease_calls on nta, and what responses mean for a lease. */
#include "leases.h"

#include <stdio.h>

#include "clock.h"
#include "core.h"
#include "entry.h"
#include "loop.h"
#include "message.h"
#include "record.h"
#include "state.h"

/* ------------------------------------------------------------------------------------------------------
 * Requests
 */
int sof_lease_send_again(struct sof_lease *lease)
{
    int code = sof_set_expires(lease->request.draft, lease->lease.expires);
    return code == SB_OK ? sof_send_again(&lease->request) : code;
}

static int on_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip);

int sof_lease_send(struct sof_lease *lease, msg_t *draft)
{
    return sof_send(&lease->request, &lease->record, &lease->record, lease->kind->method, draft, on_response);
}

static void on_unresolved(struct sof_record *data)
{
    struct sof_lease *lease = (struct sof_lease *)data;
    struct sb_object *object = sof_object(data, lease->kind->object);
    if (object != NULL && sof_is_unresolved(&lease->request))
        sb_lease_post(&lease->lease, data->state, object, SB_STATE_FAILED, 503, SB_UNRESOLVED, 0, NULL);
}

static void run_first(struct sofia *state, struct sof_command *command)
{
    struct sb_object *object = sb_core_find(state->core, command->kind, command->id);
    struct sof_lease *lease;
    msg_t *draft = command->msg;
    int code;
    if (object == NULL)
        return;
    lease = object->lib;
    command->msg = NULL;
    code = sof_dialog_new(&lease->record, draft, lease->kind->on_request);
    if (code == SB_OK)
        code = sof_lease_send(lease, draft);
    else
        msg_destroy(draft);
    if (code != SB_OK)
        sb_lease_post(&lease->lease, state, object, SB_STATE_FAILED, 503, NULL, 0, NULL);
    else
        sof_set_timer(&lease->record, SOF_LOOKUP_MS, on_unresolved);
}

static void run_next(struct sofia *state, struct sof_command *command)
{
    struct sb_object *object = sb_core_find(state->core, command->kind, command->id);
    struct sof_lease *lease;
    if (object == NULL)
        return;
    lease = object->lib;
    lease->request.retries = 0;
    sb_lease_send(&lease->lease, state, object);
}

/* ------------------------------------------------------------------------------------------------------
 * For the lease
 */
static int begin(void *state, struct sb_object *object)
{
    return sof_post_command(state, run_next, object, NULL) == NULL ? SB_ENOMEM : SB_OK;
}

static int send_next(void *state, struct sb_object *object)
{
    struct sof_lease *lease = object->lib;
    (void)state;
    sof_set_timer(&lease->record, 0, NULL);
    return lease->kind->send_next(lease);
}

static void on_due(struct sof_record *data)
{
    struct sof_lease *lease = (struct sof_lease *)data;
    struct sb_object *object = sof_object(data, lease->kind->object);
    if (object == NULL || lease->lease.busy) /* run_next() is about to send the next request */
        return;
    lease->request.retries = 0;
    lease->kind->on_due(&lease->lease, data->state, object);
}

static void wake(struct sb_object *object, int64_t at_ms)
{
    int64_t now = sb_monotonic_ms();
    sof_set_timer(object->lib, at_ms > now ? (unsigned)(at_ms - now) : 1, on_due);
}

static void post(void *state, sb_event *event, const void *message)
{
    sof_post(state, event, message);
}

static const struct sb_lease_calls CALLS = {
    .begin = begin,
    .send = send_next,
    .wake = wake,
    .post = post,
};

int sof_lease_start(struct sof_lease *lease, const struct sof_lease_kind *kind, const struct sb_object *object,
                    int expires, msg_t *draft)
{
    lease->kind = kind;
    sb_lease_init(&lease->lease, &CALLS, expires);
    return sof_post_command(lease->record.state, run_first, object, draft) == NULL ? SB_ENOMEM : SB_OK;
}

int sof_lease_change(void *state, struct sb_object *object, int expires)
{
    return sb_lease_change(&((struct sof_lease *)object->lib)->lease, state, object, expires);
}

int sof_lease_end(void *state, struct sb_object *object)
{
    return sof_lease_change(state, object, 0);
}

/* ------------------------------------------------------------------------------------------------------
 * Answers
 */
const char *sof_expires(char text[SOF_EXPIRES_SIZE], const sip_t *sip)
{
    if (sip->sip_expires == NULL)
        return NULL;
    snprintf(text, SOF_EXPIRES_SIZE, "%lu", (unsigned long)sip->sip_expires->ex_delta);
    return text;
}

static int min_expires(const sip_t *sip)
{
    const sip_min_expires_t *least = sip == NULL ? NULL : sip_min_expires(sip);
    return least == NULL || least->me_delta >= INT_MAX ? 0 : (int)least->me_delta;
}

static void on_failure(struct sof_lease *lease, struct sb_object *object, int status, const sip_t *sip)
{
    if (sof_real(sip) == NULL && status != 408)
        status = 503;
    sb_lease_refused(&lease->lease, lease->record.state, object, status, min_expires(sof_real(sip)), lease->established,
                     sip);
}

static int on_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip)
{
    struct sof_lease *lease = (struct sof_lease *)data;
    struct sb_object *object;
    int status = nta_outgoing_status(orq);
    sof_enter_response(data->state, orq);
    object = sof_object(data, lease->kind->object);
    if (object != NULL && status >= 200 && !sof_retry(&lease->request, sof_real(sip))) {
        if (status >= 300) {
            on_failure(lease, object, status, sip);
        } else {
            lease->request.retries = 0;
            lease->kind->on_success(lease, object, status, sip);
        }
    }
    sof_leave(data->state);
    return 0;
}
