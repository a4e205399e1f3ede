#include "lease.h"

#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "event.h"
#include "timers.h"
#include "values.h"

/* How long to wait when the library cannot send a request yet. */
enum { RETRY_MS = 100 };

void sb_lease_init(struct sb_lease *lease, const struct sb_lease_calls *calls, int expires)
{
    memset(lease, 0, sizeof *lease);
    lease->calls = calls;
    lease->expires = expires;
    lease->polls = expires == 0;
    lease->busy = 1;
}

void sb_lease_post(const struct sb_lease *lease, void *state, const struct sb_object *object, int new_state, int status,
                   const char *reason, int expires, const void *message)
{
    sb_event event;
    sb_event_lease(&event, object, new_state, status, expires);
    event.reason = reason;
    lease->calls->post(state, &event, message);
}

static void fail(const struct sb_lease *lease, void *state, const struct sb_object *object, int status,
                 const void *message)
{
    sb_lease_post(lease, state, object, SB_STATE_FAILED, status, NULL, 0, message);
}

/* ------------------------------------------------------------------------------------------------------
 * Requests
 */
void sb_lease_sent(struct sb_lease *lease)
{
    lease->busy = 1;
    lease->outdated = 0;
}

int sb_lease_change(struct sb_lease *lease, void *state, struct sb_object *object, int expires)
{
    int before = lease->expires, code;
    if (before == 0)
        return SB_ESTATE;
    lease->expires = expires;
    if (lease->busy) {
        lease->outdated = 1;
        return SB_OK;
    }
    lease->briefs = 0;
    code = lease->calls->begin(state, object);
    if (code == SB_OK)
        sb_lease_sent(lease);
    else
        lease->expires = before;
    return code;
}

void sb_lease_send(struct sb_lease *lease, void *state, struct sb_object *object)
{
    int code = lease->calls->send(state, object);
    if (code == SB_ESTATE) {
        lease->calls->wake(object, sb_monotonic_ms() + RETRY_MS);
    } else if (code != SB_OK) {
        fail(lease, state, object, 503, NULL);
    } else {
        sb_lease_sent(lease);
    }
}

void sb_lease_due(struct sb_lease *lease, void *state, struct sb_object *object)
{
    if (lease->busy || (lease->notify_ms != 0 && lease->notify_ms <= sb_monotonic_ms())) {
        fail(lease, state, object, 408, NULL);
        return;
    }
    lease->briefs = 0;
    sb_lease_send(lease, state, object);
}

unsigned sb_refresh_ms(int seconds)
{
    int64_t ms = (int64_t)seconds * (seconds < 60 ? 500 : 900);
    return ms > SB_DAY * INT64_C(1000) ? SB_DAY * 1000u : (unsigned)ms;
}

void sb_lease_left(struct sb_lease *lease, struct sb_object *object, int seconds)
{
    int64_t at_ms;
    if (seconds > 0)
        lease->refresh_ms = sb_monotonic_ms() + sb_refresh_ms(seconds);
    at_ms = lease->refresh_ms;
    if (lease->notify_ms != 0 && lease->notify_ms < at_ms)
        at_ms = lease->notify_ms;
    lease->calls->wake(object, at_ms);
}

/* ------------------------------------------------------------------------------------------------------
 * Answers
 */
int sb_lease_goes_on(struct sb_lease *lease, void *state, struct sb_object *object, const char *of_contact,
                     const char *expires, int status, const void *message)
{
    int seconds = sb_granted(of_contact, expires, lease->expires);
    lease->busy = lease->briefs = 0;
    if (lease->outdated) {
        sb_lease_send(lease, state, object);
        return 1;
    }
    if (lease->expires == 0 || seconds == 0) { /* nothing is kept for us: this is an end, too */
        lease->expires = 0;
        return 0;
    }
    sb_lease_left(lease, object, seconds);
    sb_lease_post(lease, state, object, SB_STATE_ACTIVE, status, NULL, seconds, message);
    return 1;
}

/* 423 Interval Too Brief (10.2.8; RFC 6665, 4.2.1.1): ask for what the other side wants at least. */
static int is_too_brief(struct sb_lease *lease, int status, int min_expires)
{
    if (status != 423 || lease->expires == 0 || lease->briefs >= SB_MAX_RETRIES || min_expires <= lease->expires)
        return 0;
    lease->expires = min_expires;
    lease->briefs++;
    return 1;
}

void sb_lease_refused(struct sb_lease *lease, void *state, struct sb_object *object, int status, int min_expires,
                      int is_within, const void *message)
{
    lease->busy = 0;
    if (is_too_brief(lease, status, min_expires))
        sb_lease_send(lease, state, object);
    else if (status == 481 && lease->expires == 0 && is_within) /* the other side had forgotten it */
        sb_lease_post(lease, state, object, SB_STATE_ENDED, status, NULL, 0, message);
    else
        fail(lease, state, object, status, message);
}
