/* closing.c - closes any engine in order: it ends calls, registrations and subscriptions before the library goes. */
#include <unistd.h>

#include "clock.h"
#include "core_private.h"

/* The shortest time that a library gets to send what it was asked to send. */
enum { SENDING_MS = 100 };

static void end_call(struct sb_object *call, void *state)
{
    int code;
    if (call->lib == NULL || call->state == SB_CALL_ENDING)
        return;
    if (call->state == SB_CALL_INCOMING)
        code = sb_backend.refuse(state, call, 480, NULL, NULL, NULL);
    else
        code = sb_backend.hangup(state, call, NULL);
    if (code == SB_OK)
        call->state = SB_CALL_ENDING;
}

static void end_registration(struct sb_object *registration, void *state)
{
    if (registration->lib != NULL && sb_backend.reg_end != NULL)
        sb_backend.reg_end(state, registration);
}

static void end_subscription(struct sb_object *subscription, void *state)
{
    int code = SB_ESTATE;
    if (subscription->lib == NULL)
        return;
    if (subscription->state == SB_SUBSCRIPTION_OURS)
        code = sb_backend.unsubscribe(state, subscription);
    else if (subscription->state == SB_SUBSCRIPTION_GRANTED) /* RFC 6665, 4.1.3: the subscriber may subscribe again */
        code = sb_backend.notify(state, subscription, "terminated;reason=deactivated", NULL);
    if (code == SB_OK)
        subscription->state = SB_SUBSCRIPTION_ENDING;
}

static void count_ending(struct sb_object *subscription, void *count)
{
    *(int *)count += subscription->state == SB_SUBSCRIPTION_ENDING;
}

static void count_one(struct sb_object *object, void *count)
{
    (void)object;
    ++*(int *)count;
}

/* Calls and the like that have not ended. */
static int live(struct sb_core *core)
{
    int count = 0;
    sb_core_lock(core);
    sb_core_each(core, SB_KIND_CALL, count_one, &count);
    sb_core_each(core, SB_KIND_REGISTRATION, count_one, &count);
    sb_core_each(core, SB_KIND_SUBSCRIPTION, count_ending, &count);
    sb_core_unlock(core);
    return count;
}

void sb_core_end_all(struct sb_core *core, int grace_ms)
{
    int64_t until = sb_monotonic_ms() + (grace_ms > SENDING_MS ? grace_ms : SENDING_MS);
    sb_core_lock(core);
    core->closing = 1;
    sb_core_each(core, SB_KIND_CALL, end_call, core->state);
    sb_core_each(core, SB_KIND_REGISTRATION, end_registration, core->state);
    sb_core_each(core, SB_KIND_SUBSCRIPTION, end_subscription, core->state);
    sb_core_unlock(core);
    while (live(core) > 0 && sb_monotonic_ms() < until)
        usleep(2000);
}

int sb_core_closing(const struct sb_core *core)
{
    return core->closing;
}
