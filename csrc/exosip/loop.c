/* loop.c - the thread that takes the library's events. It also watches the times that the library does not. */
#include "loop.h"

#include <poll.h>
#include <unistd.h>

#include "alive.h"
#include "call.h"
#include "call_events.h"
#include "clock.h"
#include "core.h"
#include "due.h"
#include "leases.h"
#include "library.h"
#include "notify.h"
#include "register.h"
#include "request.h"
#include "resolve.h"
#include "screen.h"
#include "state.h"
#include "subscribe.h"
#include "turns.h"

enum {
    MOST_EVENTS = 500, /* that are taken one after the other */
    LOOK_MS = 50       /* from one look at what is due to the next */
};

static void dispatch(struct exosip *state, eXosip_event_t *event)
{
    switch (event->type) {
    case EXOSIP_REGISTRATION_SUCCESS:
    case EXOSIP_REGISTRATION_FAILURE: exo_on_registration(state, event); break;
    case EXOSIP_MESSAGE_NEW: exo_on_request(state, event, NULL); break;
    case EXOSIP_MESSAGE_ANSWERED:
    case EXOSIP_MESSAGE_REDIRECTED:
    case EXOSIP_MESSAGE_REQUESTFAILURE:
    case EXOSIP_MESSAGE_SERVERFAILURE:
    case EXOSIP_MESSAGE_GLOBALFAILURE: exo_on_response(state, event); break;
    case EXOSIP_SUBSCRIPTION_ANSWERED:
    case EXOSIP_SUBSCRIPTION_REDIRECTED:
    case EXOSIP_SUBSCRIPTION_REQUESTFAILURE:
    case EXOSIP_SUBSCRIPTION_SERVERFAILURE:
    case EXOSIP_SUBSCRIPTION_GLOBALFAILURE: exo_on_subscription(state, event); break;
    case EXOSIP_SUBSCRIPTION_NOTIFY: exo_on_notify(state, event); break;
    case EXOSIP_NOTIFICATION_ANSWERED:
    case EXOSIP_NOTIFICATION_REDIRECTED:
    case EXOSIP_NOTIFICATION_REQUESTFAILURE:
    case EXOSIP_NOTIFICATION_SERVERFAILURE:
    case EXOSIP_NOTIFICATION_GLOBALFAILURE: exo_on_notification(state, event); break;
    case EXOSIP_IN_SUBSCRIPTION_NEW: exo_on_subscribe(state, event); break;
    default: exo_on_call(state, event); break;
    }
}

/* All that are due are noted before one is handled, since that may remove others. */
static void handle_due(struct exosip *state)
{
    struct sb_object *object;
    struct exo_due due;
    int i;
    exo_find_due(sb_monotonic_ms(), &due);
    for (i = 0; i < due.count; i++) {
        object = sb_core_find(state->core, due.found[i].kind, due.found[i].id);
        if (object == NULL)
            continue;
        if (object->kind == SB_KIND_CALL)
            exo_call_due(state, object);
        else if (object->kind == SB_KIND_TRANSACTION)
            exo_transaction_due(state, object);
        else if (object->kind == SB_KIND_SUBSCRIPTION && !object->outgoing)
            exo_notifier_due(state, object);
        else
            exo_lease_due(state, object);
    }
}

/* When what is done now and then has to be done again, in milliseconds. */
struct times {
    int64_t now;
    int64_t look; /* at what is due */
    int64_t idle; /* to ask the library although it has not told of an event */
    int64_t tidy;
};

/* Wait for an event, until it is time to look at what is due. Asked for one when there is none, the library goes through
 * all of its calls (to repeat a 200 that has no ACK). So it is asked as often as it has written an octet to its socket,
 * which it does for each event, and else only now and then. `asked` counts how often that is still to be done. */
static eXosip_event_t *next_event(struct exosip *state, struct times *next, ssize_t *asked)
{
    struct pollfd told = {eXosip_event_geteventsocket(EXO_ALONE(state)), POLLIN, 0};
    int64_t until = next->look < next->idle ? next->look : next->idle, begun;
    eXosip_event_t *event;
    char octets[MOST_EVENTS];
    EXO_UNUSED(state);
    if (*asked == 0 && next->now < until && poll(&told, 1, (int)(until - next->now)) > 0)
        *asked = read(told.fd, octets, sizeof octets);
    if (*asked > 0) {
        (*asked)--;
        return eXosip_event_wait(EXO_FIRST(state) 0, 0);
    }
    *asked = 0;
    begun = sb_monotonic_ms();
    if (begun < next->idle)
        return NULL;
    event = eXosip_event_wait(EXO_FIRST(state) 0, 0);
    next->now = sb_monotonic_ms();
    next->idle = next->now + exo_pause_after(next->now - begun);
    return event;
}

/* What is due, and what has to be given back, under the core's lock. */
static void look_at_the_clock(struct exosip *state, struct times *next)
{
    int64_t begun = sb_monotonic_ms();
    next->now = begun;
    if (begun >= next->look) {
        handle_due(state);
        next->now = sb_monotonic_ms();
        next->look = next->now + LOOK_MS;
    }
    if (begun >= next->tidy) {
        sb_core_tidy(state->core);
        next->tidy = begun + SB_TIDY_MS;
    }
}

void *exo_loop(void *data)
{
    struct exosip *state = data;
    struct times next = {0, 0, 0, 0};
    ssize_t asked = 0;
    int stopping = 0;
    while (!stopping) {
        eXosip_event_t *event = next_event(state, &next, &asked);
        sb_core_lock(state->core);
        if (event != NULL && exo_restore(state, event))
            dispatch(state, event);
        exo_take_found(state);
        sb_core_pong(state->core);
        look_at_the_clock(state, &next);
        stopping = state->stopping;
        sb_core_unlock(state->core);
        if (event != NULL)
            eXosip_event_free(event);
    }
    return NULL;
}
