/* timers.h - times and limits that both engines have. */
#ifndef SB_TIMERS_H
#define SB_TIMERS_H

/* How long a final response is waited for, in milliseconds (17.1.1.1). */
enum { SB_64_T1_MS = 32000 };

/* How often a request is sent again for a challenge: once, and once more each time that only the nonce was stale (22.4,
 * RFC 2617 3.2.1). The same limit holds for a lease that asks again with more seconds (423). */
enum { SB_MAX_RETRIES = 3 };

/* After a SUBSCRIBE that ends a subscription: milliseconds for the last NOTIFY, which a notifier sends at once. */
enum { SB_LAST_NOTIFY_MS = 5000 };

/* Timer N (RFC 6665, 4.1.2.4), in milliseconds, 64*T1: a granted subscription fails when no NOTIFY comes by then. */
enum { SB_TIMER_N_MS = 32000 };

/* How long a call of ours may ring, in milliseconds, without another word from the peer. A peer has to send one each
 * minute (13.3.1.1). A proxy gives up after 180 s (16.6, Timer C). libeXosip2 does so as well, but does not say it. */
#ifndef SB_RING_LIMIT /* the tests' own build has a shorter one */
#define SB_RING_LIMIT 170000
#endif
enum { SB_RING_LIMIT_MS = SB_RING_LIMIT };

/* The most NOTIFYs of one subscription that may wait for the answer to the one before. */
enum { SB_MAX_NOTIFIES = 64 };

/* The most seconds that a subscriber is waited for. */
enum { SB_DAY = 24 * 3600 };

/* The seconds for a SUBSCRIBE without Expires (RFC 6665, 3.1.1). */
enum { SB_DEFAULT_SUBSCRIPTION = 3600 };

#endif
