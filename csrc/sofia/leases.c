/* lease.c - what is granted for some seconds, and asked for again before they are over: registrations (10.2), and
 * subscriptions of ours (RFC 6665, 4.1.2). */
#include "lease.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "core.h"
#include "loop.h"
#include "message.h"
#include "record.h"
#include "request.h"
#include "state.h"
#include "values.h"

void sof_post_lease(const struct sof_lease *lease, const struct sb_object *object, int new_state, int status,
                    const char *reason, int expires, const sip_t *sip)
{
    sb_event event;
    sb_core_lease_event(&event, object, new_state, status, reason, expires);
    sof_post(lease->record.state, &event, sip);
}

/* ------------------------------------------------------------------------------------------------------
 * Requests
 */
int sof_lease_send_again(struct sof_lease *lease)
{
    int code = sof_set_expires(lease->request.draft, lease->expires);
    return code == SB_OK ? sof_send_again(&lease->request) : code;
}

static void send_next(struct sof_lease *lease, struct sb_object *object)
{
    sof_set_timer(&lease->record, 0, NULL);
    lease->outdated = 0;
    lease->busy = 1;
    if (lease->kind->send_next(lease) != SB_OK)
        sof_post_lease(lease, object, SB_STATE_FAILED, 503, NULL, 0, NULL);
}

static void on_due(struct sof_record *data)
{
    struct sof_lease *lease = (struct sof_lease *)data;
    struct sb_object *object = sof_object(data, lease->kind->object);
    lease->request.retries = 0;
    if (object != NULL && lease->notify_ms != 0 && lease->notify_ms <= sb_monotonic_ms())
        sof_post_lease(lease, object, SB_STATE_FAILED, 408, NULL, 0, NULL);
    else if (object != NULL)
        send_next(lease, object);
}

void sof_lease_due(struct sof_lease *lease, int seconds)
{
    int64_t now = sb_monotonic_ms(), due;
    if (seconds > 0)
        lease->refresh_ms = now + sb_core_refresh_ms(seconds);
    due = lease->notify_ms != 0 && lease->notify_ms < lease->refresh_ms ? lease->notify_ms : lease->refresh_ms;
    sof_set_timer(&lease->record, due > now ? (unsigned)(due - now) : 1, on_due);
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
        sof_post_lease(lease, object, SB_STATE_FAILED, 503, SB_UNRESOLVED, 0, NULL);
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
        sof_post_lease(lease, object, SB_STATE_FAILED, 503, NULL, 0, NULL);
    else
        sof_set_timer(&lease->record, SOF_LOOKUP_MS, on_unresolved);
}

int sof_lease_start(struct sof_lease *lease, const struct sb_object *object, msg_t *draft)
{
    lease->busy = 1;
    return sof_post_command(lease->record.state, run_first, object, draft) == NULL ? SB_ENOMEM : SB_OK;
}

static void run_next(struct sofia *state, struct sof_command *command)
{
    struct sb_object *object = sb_core_find(state->core, command->kind, command->id);
    if (object != NULL)
        on_due(object->lib);
}

int sof_lease_change(void *state, struct sb_object *object, int expires)
{
    struct sof_lease *lease = object->lib;
    if (lease->expires == 0)
        return SB_ESTATE;
    if (!lease->busy && sof_post_command(state, run_next, object, NULL) == NULL)
        return SB_ENOMEM;
    lease->outdated = lease->busy; /* once the answer to the one under way is there */
    lease->expires = expires;
    lease->busy = 1;
    return SB_OK;
}

int sof_lease_end(void *state, struct sb_object *object)
{
    return sof_lease_change(state, object, 0);
}

/* ------------------------------------------------------------------------------------------------------
 * Answers
 */
static int granted(const struct sof_lease *lease, const char *seconds, const sip_t *sip)
{
    char expires[16] = "";
    if (sip->sip_expires != NULL)
        snprintf(expires, sizeof expires, "%lu", (unsigned long)sip->sip_expires->ex_delta);
    return sb_granted(seconds, expires, lease->expires);
}

int sof_lease_goes_on(struct sof_lease *lease, struct sb_object *object, const char *seconds, int status,
                      const sip_t *sip)
{
    int left = granted(lease, seconds, sip);
    lease->request.retries = 0;
    if (lease->outdated) {
        send_next(lease, object);
        return 1;
    }
    if (lease->expires == 0 || left == 0) { /* nothing is kept for us: it is over, as if it had been asked for */
        lease->expires = 0;
        return 0;
    }
    sof_lease_due(lease, left);
    sof_post_lease(lease, object, SB_STATE_ACTIVE, status, NULL, left, sip);
    return 1;
}

/* 423 Interval Too Brief (10.2.8; RFC 6665, 4.2.1.1): ask for what the other side wants at least. */
static int is_too_brief(struct sof_lease *lease, int status, const sip_t *sip)
{
    const sip_min_expires_t *least = sip == NULL ? NULL : sip_min_expires(sip);
    if (status != 423 || lease->expires == 0 || lease->request.retries >= SOF_MAX_RETRIES || least == NULL ||
        least->me_delta >= INT_MAX || (int)least->me_delta <= lease->expires)
        return 0;
    lease->expires = (int)least->me_delta;
    lease->request.retries++;
    return 1;
}

static void on_failure(struct sof_lease *lease, struct sb_object *object, int status, const sip_t *sip)
{
    int ended = status == 481 && lease->expires == 0 && lease->established;
    if (is_too_brief(lease, status, sof_real(sip))) {
        send_next(lease, object);
        return;
    }
    if (sof_real(sip) == NULL && status != 408)
        status = 503;
    sof_post_lease(lease, object, ended ? SB_STATE_ENDED : SB_STATE_FAILED, status, NULL, 0, sip);
}

static int on_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip)
{
    struct sof_lease *lease = (struct sof_lease *)data;
    struct sb_object *object;
    int status = nta_outgoing_status(orq);
    sof_enter(data->state);
    object = sof_object(data, lease->kind->object);
    if (object != NULL && status >= 200 && !sof_retry(&lease->request, sof_real(sip))) {
        lease->busy = 0;
        if (status < 300)
            lease->kind->on_success(lease, object, status, sip);
        else
            on_failure(lease, object, status, sip);
    }
    sof_leave(data->state);
    return 0;
}
