/* open.c - the engine on libeXosip2: open and close.
 *
 * The library runs a thread of its own for the network. Ours (loop.c) takes the events that it queues, turns them into
 * the contract's, and looks at the clock for what the library does not.
 */
#include "open.h"

#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth.h"
#include "core.h"
#include "credentials.h"
#include "dialogs.h"
#include "due.h"
#include "index.h"
#include "library.h"
#include "listen.h"
#include "lookup.h"
#include "loop.h"
#include "mark.h"
#include "message.h"
#include "screen.h"
#include "state.h"
#include "timers.h"
#include "trace.h"
#include "turns.h"

enum {
    RARELY_MS = SB_DAY * 1000,
    SPARE_DESCRIPTORS = 8 /* descriptors that the library opens at once: two socket pairs, their listener, its socket */
};

/* 3.x has one state per process, and the shield and the callbacks know one engine. */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static int is_open;

static void set_options(struct exosip *state, const sb_config *config)
{
    /* Milliseconds. With 0, on TCP, the library would look at every connection whenever it wakes. */
    int off = 0, on = 1, keepalive = config->keepalive > 0 ? config->keepalive * 1000 : RARELY_MS;
    (void)off;
    (void)on;
    (void)keepalive;
#if SB_HAS_EXOSIP_OPT_DONT_SEND_101
    /* The library would answer each INVITE with 101, after which the scripts of some peers end. */
    eXosip_set_option(EXO_FIRST(state) EXOSIP_OPT_DONT_SEND_101, &on);
#endif
#if SB_HAS_EXOSIP_OPT_UDP_KEEP_ALIVE
    /* Pings keep connections open. But over UDP the library would send a registrar four octets ("jaK") every 17 s,
     * which are not SIP. */
    eXosip_set_option(EXO_FIRST(state) EXOSIP_OPT_UDP_KEEP_ALIVE, config->transport == SB_UDP ? &off : &keepalive);
#endif
#if SB_EXOSIP_API == 5
    /* Each response would tell it what Contact names from then on, to whatever peer. */
    eXosip_set_option(EXO_FIRST(state) EXOSIP_OPT_AUTO_MASQUERADE_CONTACT, &off);
#endif
#if SB_HAS_EXOSIP_OPT_DNS_CAPABILITIES
    /* resolve.c asks DNS: the library would hold eXosip_lock while it waits for the answer. */
    eXosip_set_option(EXO_FIRST(state) EXOSIP_OPT_DNS_CAPABILITIES, &off);
#endif
    if (config->user_agent != NULL)
        eXosip_set_user_agent(EXO_FIRST(state) config->user_agent);
    if (config->trace)
        exo_trace_to(state->core);
    exo_mark_for(state->core);
    eXosip_set_cbsip_message(EXO_FIRST(state) exo_on_message);
}

/* The library waits with select(), which writes past the end of its set for a descriptor beyond FD_SETSIZE. */
static int check_descriptors(void)
{
    int fds[SPARE_DESCRIPTORS], count = 0, code = SB_OK;
    while (count < SPARE_DESCRIPTORS && code == SB_OK) {
        fds[count] = socket(AF_INET, SOCK_DGRAM, 0);
        if (fds[count] < 0 || fds[count] >= FD_SETSIZE)
            code = SB_ENOMEM;
        count += fds[count] >= 0;
    }
    while (count > 0)
        close(fds[--count]);
    return code;
}

/* Set up the library, which runs now. Returns the port, or an error. */
static int set_up(struct exosip *state, const sb_config *config)
{
    struct exo_place place;
    int code = exo_find_place(config, &place);
    if (code != SB_OK)
        return code;
    set_options(state, config);
    return exo_listen(state, config, &place);
}

/* Whether the library that was loaded has the version that this was compiled for. */
static int is_the_library(void)
{
    size_t length = strlen(SB_EXOSIP_LINE);
    return strncmp(eXosip_get_version(), SB_EXOSIP_LINE, length) == 0 && eXosip_get_version()[length] == '.';
}

static int start_library(struct exosip *state)
{
    int code = is_the_library() ? check_descriptors() : SB_EVERSION;
    EXO_UNUSED(state);
    if (code != SB_OK)
        return code;
#if SB_EXOSIP_API == 5
    /* Unless it is told otherwise, it writes its warnings to standard output, and those of libosip2 with them. */
    osip_trace_initialize(TRACE_LEVEL0, NULL);
    state->context = eXosip_malloc();
    if (state->context == NULL)
        return SB_ENOMEM;
#endif
    exo_wipe_what_is_freed();
    exo_take_turns(1);
    /* The memory of a library that failed to start cannot be freed: eXosip_quit() would crash. */
    return exo_error(eXosip_init(EXO_ALONE(state)));
}

static void stop_library(struct exosip *state)
{
    exo_forget_secrets(state);
    exo_take_turns(0);
    eXosip_quit(EXO_ALONE(state));
    exo_trace_to(NULL);
    exo_mark_for(NULL);
    exo_drop_cancels();
    exo_forget_dialogs();
#if SB_EXOSIP_API == 5
    osip_free(state->context);
#endif
}

static void state_free(struct exosip *state)
{
    sb_credentials_free(&state->credentials);
    exo_resolver_free(state->resolver);
    exo_avoid_free(state->avoid);
    free(state->address);
    free(state->route);
    free(state);
}

static int open_locked(struct sb_core *core, const sb_config *config, struct exosip **opened, int *port)
{
    struct exosip *state = calloc(1, sizeof *state);
    int code;
    if (state == NULL)
        return SB_ENOMEM;
    state->core = core;
    state->avoid = exo_avoid_new();
    state->resolver = state->avoid == NULL ? NULL : exo_resolver_new(config, state->avoid);
    code = state->resolver == NULL ? SB_ENOMEM : start_library(state);
    if (code != SB_OK) {
        state_free(state);
        return code;
    }
    code = set_up(state, config);
    if (code > 0) {
        *port = code;
        code = pthread_create(&state->pump, NULL, exo_loop, state) == 0 ? SB_OK : SB_ENOMEM;
    }
    if (code != SB_OK) {
        stop_library(state);
        state_free(state);
        return code;
    }
    *opened = state;
    return SB_OK;
}

int exo_open(struct sb_core *core, const sb_config *config, void **state, int *port)
{
    struct exosip *opened = NULL;
    int code = exo_check_offer(config);
    if (code != SB_OK)
        return code;
    pthread_mutex_lock(&opening);
    code = is_open ? SB_EBUSY : open_locked(core, config, &opened, port);
    if (code == SB_OK) {
        is_open = 1;
        *state = opened;
    }
    pthread_mutex_unlock(&opening);
    return code;
}

/* ------------------------------------------------------------------------------------------------------
 * Close
 */
void exo_close(void *data)
{
    struct exosip *state = data;
    sb_core_lock(state->core);
    state->stopping = 1;
    sb_core_unlock(state->core);
    pthread_join(state->pump, NULL);
    pthread_mutex_lock(&opening);
    stop_library(state);
    exo_forget_due();
    is_open = 0;
    pthread_mutex_unlock(&opening);
    exo_clear_indexes(state);
    state_free(state);
}
