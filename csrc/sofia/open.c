/* open.c - the engine on Sofia-SIP: open, close, and its thread. */
#include "open.h"

#include <resolv.h>
#include <stdlib.h>
#include <unistd.h>

#include "core.h"
#include "credentials.h"
#include "listen.h"
#include "loop.h"
#include "record.h"
#include "state.h"
#include "trace.h"

static void on_tidy(struct sof_record *house)
{
    sb_core_tidy(house->state->core);
    sof_set_timer(house, SB_TIDY_MS, on_tidy);
}

/* Tell open() how it went. */
static void tell(struct sofia *state, int outcome)
{
    pthread_mutex_lock(&state->opening);
    state->outcome = outcome;
    pthread_cond_signal(&state->opened);
    pthread_mutex_unlock(&state->opening);
}

static int start(struct sofia *state)
{
    int code;
    state->root = su_root_create(state);
    if (state->root == NULL)
        return SB_ENOMEM;
    su_root_threading(state->root, 0);
    code = sof_register_wake(state);
    if (code == SB_OK)
        code = sof_create_agent(state);
    if (code == SB_OK)
        code = sof_compose_headers(state);
    return code;
}

/* The library sends some answers (505 to another version of SIP) to the host that a Via names. It looks the host up
 * with getaddrinfo(), and everything else waits: one datagram could stop the engine for as long as DNS takes. So in
 * this thread getaddrinfo() reads the hosts file alone. For requests the library has its own resolver, which asks DNS.
 */
static int never_wait_for_dns(void)
{
    int servers = 0;
#ifdef __GLIBC__
    if (res_init() == 0) {
        servers = _res.nscount;
        _res.nscount = 0;
    }
#endif
    return servers;
}

/* Restore it: otherwise glibc does not free the memory that belongs to the thread. */
static void wait_for_dns_again(int servers)
{
    (void)servers;
#ifdef __GLIBC__
    if (servers > 0)
        _res.nscount = servers;
#endif
}

static void *loop(void *data)
{
    struct sofia *state = data;
    int code, servers = never_wait_for_dns();
    code = start(state);
    tell(state, code);
    if (code == SB_OK) {
        state->house.state = state;
        on_tidy(&state->house);
        su_root_run(state->root);
        su_root_step(state->root, 0); /* deliver what was posted last: a root with messages is never freed */
        su_timer_destroy(state->house.timer);
    }
    if (state->agent != NULL)
        nta_agent_destroy(state->agent);
    if (state->root != NULL)
        su_root_destroy(state->root);
    sof_trace_to(NULL);
    wait_for_dns_again(servers);
    return NULL;
}

static void state_free(struct sofia *state)
{
    struct sof_command *command;
    while ((command = state->first) != NULL) {
        state->first = command->next;
        sof_command_free(command);
    }
    free(state->stop);
    sb_credentials_free(&state->credentials);
    close(state->wake[0]);
    close(state->wake[1]);
    pthread_cond_destroy(&state->opened);
    pthread_mutex_destroy(&state->opening);
    su_home_deinit(state->home);
    free(state);
}

static struct sofia *state_new(struct sb_core *core, const sb_config *config)
{
    struct sofia *state = calloc(1, sizeof *state);
    if (state == NULL)
        return NULL;
    state->stop = calloc(1, sizeof *state->stop);
    if (state->stop == NULL || sof_make_wake(state->wake) != SB_OK) {
        free(state->stop);
        free(state);
        return NULL;
    }
    state->core = core;
    state->config = config;
    state->last = &state->first;
    state->outcome = 1;
    su_home_init(state->home);
    pthread_mutex_init(&state->opening, NULL);
    pthread_cond_init(&state->opened, NULL);
    return state;
}

static int await_start(struct sofia *state)
{
    int outcome;
    pthread_mutex_lock(&state->opening);
    while (state->outcome > 0)
        pthread_cond_wait(&state->opened, &state->opening);
    outcome = state->outcome;
    pthread_mutex_unlock(&state->opening);
    return outcome;
}

static void initialize(void)
{
    su_init();
    sof_be_quiet();
}

int sof_open(struct sb_core *core, const sb_config *config, void **opened, int *port)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct sofia *state;
    int code;
    code = sof_check_address(config);
    if (code != SB_OK)
        return code;
    pthread_once(&once, initialize);
    state = state_new(core, config);
    if (state == NULL)
        return SB_ENOMEM;
    if (pthread_create(&state->thread, NULL, loop, state) != 0) {
        state_free(state);
        return SB_ENOMEM;
    }
    code = await_start(state);
    if (code != SB_OK) {
        pthread_join(state->thread, NULL);
        state_free(state);
        return code;
    }
    state->config = NULL;
    *port = state->port;
    *opened = state;
    return SB_OK;
}

/* ------------------------------------------------------------------------------------------------------
 * Close
 */
/* Free the records now, while nta can still give up its part of them. */
static void run_stop(struct sofia *state, struct sof_command *command)
{
    int kind;
    (void)command;
    for (kind = SB_KIND_CALL; kind <= SB_KIND_TRANSACTION; kind++)
        sb_core_each(state->core, kind, sof_give_back, NULL);
    su_root_break(state->root);
}

void sof_close(void *data)
{
    struct sofia *state = data;
    sb_core_lock(state->core);
    state->stop->run = run_stop;
    sof_enqueue(state, state->stop);
    state->stop = NULL;
    sb_core_unlock(state->core);
    pthread_join(state->thread, NULL);
    state_free(state);
}
