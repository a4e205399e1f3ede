/* lease.c - what is granted for some seconds, and asked for again before they are over: registrations (10.2), and
 * subscriptions of ours (RFC 6665, 4.1.2). */
#include "lease.h"

#include <stdlib.h>

#include "auth.h"
#include "clock.h"
#include "core.h"
#include "message.h"
#include "register.h"
#include "request.h"
#include "resolve.h"
#include "state.h"
#include "subscribe.h"
#include "values.h"

enum { RETRY_MS = 100 };

void exo_post_lease(struct exosip *state, const struct sb_object *object, int new_state, int status,
                    const char *reason, int expires, osip_message_t *message)
{
    sb_event event;
    sb_core_lease_event(&event, object, new_state, status, reason, expires);
    exo_post(state, &event, message);
}

/* ------------------------------------------------------------------------------------------------------
 * Requests
 */
static int send_next(struct exosip *state, struct sb_object *object)
{
    return object->kind == SB_KIND_REGISTRATION ? exo_send_register(state, object->lib)
                                                : exo_send_subscribe(state, object->lib);
}

void exo_lease_again(struct exosip *state, struct sb_object *object)
{
    struct exo_lease *lease = object->lib;
    int code = send_next(state, object);
    if (code == SB_ESTATE)
        lease->record.due_ms = sb_monotonic_ms() + RETRY_MS;
    else if (code != SB_OK)
        exo_post_lease(state, object, SB_STATE_FAILED, 503, NULL, 0, NULL);
}

void exo_lease_sent(struct exo_lease *lease)
{
    lease->busy = 1;
    lease->outdated = 0;
    lease->started_ms = sb_monotonic_ms();
    lease->record.due_ms = lease->started_ms + EXO_OVERDUE;
}

int exo_lease_change(void *state, struct sb_object *object, int expires)
{
    struct exo_lease *lease = object->lib; /* NULL: it waits for its address */
    int before = lease == NULL ? 0 : lease->expires, code;
    if (before == 0)
        return SB_ESTATE;
    lease->expires = expires;
    if (lease->busy) {
        lease->outdated = 1; /* once the answer to the one under way is there */
        return SB_OK;
    }
    lease->retries = 0;
    code = send_next(state, object);
    if (code != SB_OK)
        lease->expires = before;
    return code;
}

int exo_lease_end(void *state, struct sb_object *object)
{
    return exo_give_up(state, object) ? SB_OK : exo_lease_change(state, object, 0);
}

void exo_lease_left(struct exo_lease *lease, int seconds)
{
    if (seconds > 0)
        lease->refresh_ms = sb_monotonic_ms() + sb_core_refresh_ms(seconds);
    lease->record.due_ms = lease->refresh_ms;
    if (lease->notify_ms != 0 && lease->notify_ms < lease->refresh_ms)
        lease->record.due_ms = lease->notify_ms;
}

void exo_lease_due(struct exosip *state, struct sb_object *object)
{
    struct exo_lease *lease = object->lib;
    lease->record.due_ms = 0;
    /* The library has not said a word of it for longer than it may take, or the notifier has not. */
    if (lease->busy || (lease->notify_ms != 0 && lease->notify_ms <= sb_monotonic_ms())) {
        exo_post_lease(state, object, SB_STATE_FAILED, 408, NULL, 0, NULL);
        return;
    }
    lease->retries = 0;
    exo_lease_again(state, object);
}

/* ------------------------------------------------------------------------------------------------------
 * Answers
 */
int exo_lease_goes_on(struct exosip *state, struct sb_object *object, const char *seconds, osip_message_t *response)
{
    struct exo_lease *lease = object->lib;
    int granted;
    lease->busy = lease->retries = 0;
    if (lease->outdated) {
        exo_lease_again(state, object);
        return 1;
    }
    if (lease->expires == 0)
        return 0;
    granted = sb_granted(seconds, exo_header(response, "expires"), lease->expires);
    if (granted == 0) { /* nothing is kept for us: it is over, as if it had been asked for */
        lease->expires = 0;
        return 0;
    }
    exo_lease_left(lease, granted);
    exo_post_lease(state, object, SB_STATE_ACTIVE, response->status_code, NULL, granted, response);
    return 1;
}

/* 423 Interval Too Brief (10.2.8; RFC 6665, 4.2.1.1): ask for what the other side wants at least. */
static int is_too_brief(struct exo_lease *lease, osip_message_t *response)
{
    int least = sb_seconds(exo_header(response, "min-expires"));
    if (response->status_code != 423 || lease->expires == 0 || lease->retries >= EXO_MAX_RETRIES ||
        least <= lease->expires)
        return 0;
    lease->expires = least;
    lease->retries++;
    return 1;
}

void exo_lease_failed(struct exosip *state, struct sb_object *object, int is_within, osip_message_t *response)
{
    struct exo_lease *lease = object->lib;
    int status = response != NULL ? response->status_code : 0;
    int ended = status == 481 && lease->expires == 0 && is_within;
    lease->busy = 0;
    if (response != NULL && is_too_brief(lease, response)) {
        exo_lease_again(state, object);
        return;
    }
    if (status == 0)
        status = sb_monotonic_ms() - lease->started_ms >= EXO_64_T1 - 1000 ? 408 : 503;
    exo_post_lease(state, object, ended ? SB_STATE_ENDED : SB_STATE_FAILED, status, NULL, 0, response);
}
