/* library.h - the one place that knows which API of libeXosip2 the engine is compiled against.
 *
 * 3.x keeps one global state; 5.x passes a context to nearly every call, and acknowledges a 2xx by the INVITE's
 * transaction instead of the dialog. Everything else that the engine uses is alike: the engine writes
 * `eXosip_quit(EXO_ALONE(state))` and `eXosip_call_build_answer(EXO_FIRST(state) tid, ...)`, and needs no event that is
 * missing in 5.x. Events are renumbered between the versions: their numbers stay symbolic.
 */
#ifndef SB_EXOSIP_LIBRARY_H
#define SB_EXOSIP_LIBRARY_H

/* Without it eXosip_lock() is an empty macro. */
#ifndef OSIP_MT
#define OSIP_MT 1
#endif

#include <sys/types.h> /* the headers of 3.x use these without including them */
#include <time.h>

#include <eXosip2/eXosip.h>

/* 3 or 5. There is no version macro, and only 5.x has this option. */
#ifdef EXOSIP_OPT_AUTO_MASQUERADE_CONTACT
#define SB_EXOSIP_API 5
#else
#define SB_EXOSIP_API 3
#endif

#if SB_EXOSIP_API == 5
typedef struct eXosip_t exo_context;
#define EXO_ALONE(state) (state)->context         /* the context as the only argument */
#define EXO_FIRST(state) (state)->context,        /* the context before other arguments */
#else
typedef void exo_context;                         /* global: there is none */
#define EXO_ALONE(state)
#define EXO_FIRST(state)
#endif

/* What _build.py found out about the options (SB_HAS_EXOSIP_OPT_...: 1 or 0). They are macros in some versions and an
 * enumeration in 3.3.0, which the preprocessor cannot see. */
#if !defined(SB_HAS_EXOSIP_OPT_DONT_SEND_101) || !defined(SB_HAS_EXOSIP_OPT_UDP_KEEP_ALIVE) || \
    !defined(SB_HAS_EXOSIP_OPT_DNS_CAPABILITIES)
#error "compile with what declared() in sipbridge/_build.py gives"
#endif

/* sipbridge was run with 3.3, 3.6 and 5.3 (probe.c accepts no other), and of 3.x only 3.6 has this option. */
#define EXO_IS_3_3 (SB_EXOSIP_API == 3 && !SB_HAS_EXOSIP_OPT_DNS_CAPABILITIES)

/* Whether it takes TCP connections. 3.3 takes what it reads at once for one message, and locks while it connects. 5.x
 * accepts none unless it was built with ENABLE_MAIN_SOCKET, which is not its default. */
#define EXO_HAS_TCP (SB_EXOSIP_API == 3 && !EXO_IS_3_3)

/* How the library's version begins that this is compiled for. 3.3 and 3.6 call themselves libeXosip2.so.4, and have
 * different numbers for the same options. */
#if SB_EXOSIP_API == 3
#define SB_EXOSIP_LINE (EXO_IS_3_3 ? "3.3" : "3.6")
#else
#define SB_EXOSIP_LINE "5.3"
#endif

/* For a function whose parameter `state` only the other APIs need. */
#define EXO_UNUSED(parameter) ((void)(parameter))

/* 5.x renamed what makes subscriptions. */
#if SB_EXOSIP_API == 5
#define eXosip_subscribe_build_initial_request eXosip_subscription_build_initial_subscribe
#define eXosip_subscribe_send_initial_request eXosip_subscription_send_initial_request
#define eXosip_subscribe_remove eXosip_subscription_remove
#endif

/* The number by which the library knows the 2xx that you acknowledge. */
#if SB_EXOSIP_API == 5
#define EXO_ACK_ID(did, tid) (tid)
#else
#define EXO_ACK_ID(did, tid) (did)
#endif

#endif
