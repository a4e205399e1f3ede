/* entry.c - see entry.h. */
#include "entry.h"

#include "clock.h"
#include "loop.h"
#include "state.h"

/* Note the origin of a message, which is given back here; NULL: there is none. A callback within a callback is about what
 * nta has made up itself. */
static void note(struct sofia *state, msg_t *msg)
{
    const su_addrinfo_t *info = msg == NULL ? NULL : msg_addrinfo(msg);
    int64_t now = sb_wall_clock_us(); /* before the wait for the lock */
    if (state->entered == 0 && info != NULL && info->ai_addr != NULL && msg_addr(msg)->su_family != 0) {
        int of_stream = state->transport == SB_TLS ? SB_TLS : SB_TCP;
        sb_origin_set(&state->origin, info->ai_addr, info->ai_socktype == SOCK_STREAM ? of_stream : SB_UDP);
        state->origin.time_us = now;
    }
    if (msg != NULL)
        msg_destroy(msg);
}

void sof_enter_request(struct sofia *state, nta_incoming_t *irq)
{
    note(state, nta_incoming_getrequest(irq));
    sof_hear(state);
}

void sof_enter_response(struct sofia *state, nta_outgoing_t *orq)
{
    note(state, nta_outgoing_getresponse(orq));
    sof_enter(state);
}

void sof_enter_follow_up(struct sofia *state, nta_incoming_t *irq, const sip_t *sip)
{
    if (sip == NULL) { /* a timer's */
        sof_enter(state);
        return;
    }
    note(state, nta_incoming_getrequest_ackcancel(irq));
    sof_hear(state);
}
