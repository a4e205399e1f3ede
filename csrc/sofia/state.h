/* state.h - the engine on Sofia-SIP.
 *
 * It uses Sofia-SIP's transaction layer (nta), which does retransmissions, timers, routes and transports. What dialogs
 * are used for (calls, registrations) the engine does itself, by the contract's rules. nta must not be used from
 * several threads, so one thread of ours runs it: "the loop". The contract's functions check, build the message, and
 * leave a command for the loop. What comes from the network arrives on the loop.
 *
 * Locks: the core's lock guards the commands and every object. The loop holds it during commands and callbacks
 * (sof_enter, which nests).
 */
#ifndef SB_SOFIA_STATE_H
#define SB_SOFIA_STATE_H

#include <pthread.h>

#include "core.h"
#include "library.h"
#include "origin.h"
#include "record.h"

struct sb_credential;

struct sofia {
    struct sb_core *core;
    su_home_t home[1];         /* what lives as long as the engine */
    pthread_t thread;
    su_root_t *root;           /* the loop's, as all of nta */
    nta_agent_t *agent;
    nta_leg_t *leg;            /* takes what belongs to no dialog */
    su_wait_t wait[1];
    int wake[2];               /* a pipe: an octet, where there are commands for a loop that may sleep */
    int comes_round;           /* under the core's lock: it looks for commands before it sleeps */
    int entered;               /* how deep the loop is in sof_enter */
    unsigned entries;          /* how often it was */
    struct sb_origin origin;   /* of the message that it is in there for; all 0: of none. The loop's, as is */
    struct sb_origin paused;   /* the same, kept between sof_pause() and sof_resume() */
    struct sof_command *first, **last; /* under the core's lock */
    unsigned probes_posted, probes_run; /* the same */
    struct sof_command *stop;          /* kept ready: close() cannot fail */
    struct sb_credential *credentials;

    char *address;             /* "sip:host:port", the default From */
    sip_contact_t *contact;    /* where we are to be reached */
    sip_contact_t *secure;     /* that with sips: where we are on TLS */
    sip_route_t *route;        /* the outbound proxy, or NULL */
    sip_user_agent_t *user_agent;
    sip_server_t *server;
    int port;
    int transport;             /* enum sb_transport */
    struct sof_record house;   /* belongs to no object: it has the timer for sb_core_tidy() */

    const sb_config *config;   /* while it opens */
    pthread_mutex_t opening;
    pthread_cond_t opened;
    int outcome;               /* 1 until it is known: SB_OK or an error */
};

#endif
