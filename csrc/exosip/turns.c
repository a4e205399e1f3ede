/* turns.c - see turns.h.
 *
 * In each turn (eXosip_execute()) the library waits for one message or for a word of the application, lets its
 * transactions do what is to be done, and then goes through all of its calls, registrations and subscriptions to find
 * those that are over. With a thousand calls, that takes longer than the message. Here messages and transactions have
 * turns of their own, and only now and then one of the library's follows: twenty times a second, and less often when it
 * takes so long that this would be a good part of the time.
 */
#include "turns.h"

#include "auth.h"
#include "clock.h"
#include "library.h"

#include <osip2/osip.h>

enum {
    SHORTEST_MS = 50, /* from one of the library's turns to the next, while there is something to do */
    LONGEST_MS = 500, /* RFC 3261, T1: what the library repeats has no finer times */
    SHARE = 50,
    IDLE_MS = 1000,   /* the longest wait when there was nothing: what a turn of ours has left over does not wait longer */
    AS_EVER_MS = 3600 * 1000,
    BROKEN = -2000    /* what the library's thread ends for */
};

static volatile int is_on;

void exo_take_turns(int on)
{
    is_on = on;
}

int64_t exo_pause_after(int64_t took_ms)
{
    int64_t pause = took_ms * SHARE;
    return pause < SHORTEST_MS ? SHORTEST_MS : pause < LONGEST_MS ? pause : LONGEST_MS;
}

#if SB_EXOSIP_API == 3
/* In no header, but 3.x exports it: wait for as long as that, read so many messages and hand them to transactions. */
int eXosip_read_message(int count, int seconds, int microseconds) __attribute__((weak));

static void execute(osip_t *osip)
{
    eXosip_lock();
    osip_timers_ict_execute(osip);
    osip_timers_nict_execute(osip);
    osip_timers_ist_execute(osip);
    osip_timers_nist_execute(osip);
    osip_nist_execute(osip);
    osip_nict_execute(osip);
    osip_ist_execute(osip);
    osip_ict_execute(osip);
    eXosip_unlock();
}

/* How long a turn may wait, in milliseconds. */
static int64_t wait_for(void *osip, void (*time_left)(void *osip, struct timeval *left), int64_t most)
{
    struct timeval left;
    time_left(osip, &left);
    if (left.tv_sec > 0 || left.tv_usec / 1000 >= most)
        return most;
    return left.tv_usec / 1000 + 1; /* rounded up: a timer is not due before its time */
}

int exo_between_turns(void *osip, void (*time_left)(void *osip, struct timeval *left))
{
    static int64_t left_at; /* when the library's turn began; 0: it has waited in it */
    int64_t now = sb_monotonic_ms(), until = now + exo_pause_after(left_at == 0 ? 0 : now - left_at);
    int is_busy = 0;
    exo_allocate_near();
    if (eXosip_read_message == NULL)
        return AS_EVER_MS;
    while (is_on && now < until) {
        int64_t begun = now, wait = wait_for(osip, time_left, until - now);
        if (eXosip_read_message(1, 0, (int)wait * 1000) == BROKEN)
            return 0;
        execute(osip);
        now = sb_monotonic_ms();
        is_busy |= now - begun < wait || now < until;
    }
    left_at = is_busy ? now : 0;
    return is_busy ? 0 : IDLE_MS;
}
#else
int exo_between_turns(void *osip, void (*time_left)(void *osip, struct timeval *left))
{
    (void)osip;
    (void)time_left;
    return is_on ? AS_EVER_MS : 0;
}
#endif
