/* state.h - the engine on libeXosip2.
 *
 * Locks: the core's lock first, then eXosip_lock, which is not recursive. The engine's functions are called with the
 * core locked and take eXosip_lock (exo_lock) themselves around calls of the library, unless they say otherwise.
 */
#ifndef SB_EXOSIP_STATE_H
#define SB_EXOSIP_STATE_H

#include <pthread.h>

#include "core.h"
#include "library.h"

struct exo_avoid;
struct exo_resolver;
struct sb_credential;

struct exosip {
    struct sb_core *core;
    exo_context *context;
    pthread_t pump;
    int stopping;                /* tells the pump to return; under the core's lock */
    char *address;               /* "sip:host:port", the default From */
    char *route;                 /* "<sip:proxy;lr>" or NULL */
    struct exo_avoid *avoid;
    struct exo_resolver *resolver;
    struct sb_credential *credentials;
    void *calls;                 /* tsearch() trees of struct sb_object: calls by the library's cid, */
    void *registrations;         /* registrations by rid, */
    void *requests;              /* our transactions outside dialogs by Call-ID, */
    void *subscriptions;         /* our subscriptions by Call-ID, */
    void *notifiers;             /* those from outside by did */
};

/* Not recursive; never around eXosip_event_wait(). */
static inline void exo_lock(struct exosip *state)
{
    EXO_UNUSED(state);
    eXosip_lock(EXO_ALONE(state));
}

static inline void exo_unlock(struct exosip *state)
{
    EXO_UNUSED(state);
    eXosip_unlock(EXO_ALONE(state));
}

/* Whether the library looks up IPv6 addresses, or IPv4's. */
static inline void exo_enable_ipv6(struct exosip *state, int on)
{
    EXO_UNUSED(state);
#if SB_EXOSIP_API == 5
    eXosip_set_option(EXO_FIRST(state) EXOSIP_OPT_ENABLE_IPV6, &on);
#else
    eXosip_enable_ipv6(on);
#endif
}

#endif
