/* open.c - the engine on Sofia-SIP: open, close, and the loop. */
#include "engine_sofia.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sofia_features.h>
#include <sofia-sip/sresolv.h>

/* How long a peer has to answer a ping, before the connection is given up (RFC 5626, 4.4.1). */
enum { PONG_MS = 10000 };

/* How often to look whether the loop has come round. */
enum { PROBE_US = 1000 };

/* ------------------------------------------------------------------------------------------------------
 * Commands, from any thread to the loop
 */
static void wake_loop(struct sofia *state)
{
    ssize_t written;
    do
        written = write(state->wake[1], "", 1);
    while (written < 0 && errno == EINTR);
}

static void command_free(struct sof_command *command)
{
    if (command->msg != NULL)
        msg_destroy(command->msg);
    free(command);
}

/* Under the lock. */
static void enqueue(struct sofia *state, struct sof_command *command)
{
    int was_empty = state->first == NULL;
    command->next = NULL;
    *state->last = command;
    state->last = &command->next;
    if (was_empty)
        wake_loop(state);
}

struct sof_command *sof_post_command(struct sofia *state, void (*run)(struct sofia *, struct sof_command *),
                                     const struct sb_object *object, msg_t *msg)
{
    struct sof_command *command = calloc(1, sizeof *command);
    if (command == NULL) {
        if (msg != NULL)
            msg_destroy(msg);
        return NULL;
    }
    command->run = run;
    command->msg = msg;
    if (object != NULL) {
        command->id = object->id;
        command->kind = object->kind;
    }
    enqueue(state, command);
    return command;
}

void sof_enter(struct sofia *state)
{
    if (state->entered++ == 0)
        sb_core_lock(state->core);
}

void sof_leave(struct sofia *state)
{
    if (--state->entered == 0)
        sb_core_unlock(state->core);
}

static void run_commands(struct sofia *state)
{
    struct sof_command *command;
    sof_enter(state);
    while ((command = state->first) != NULL) {
        state->first = command->next;
        if (state->first == NULL)
            state->last = &state->first;
        command->run(state, command);
        command_free(command);
    }
    sof_leave(state);
}

static int on_wake(struct sofia *unused, su_wait_t *wait, struct sofia *state)
{
    char octets[64];
    (void)unused;
    (void)wait;
    while (read(state->wake[0], octets, sizeof octets) > 0)
        ;
    run_commands(state);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------
 * Records
 */
void *sof_record_new(struct sofia *state, sb_id id, size_t size)
{
    struct sof_record *record = calloc(1, size);
    if (record == NULL)
        return NULL;
    record->state = state;
    record->id = id;
    record->disposal = calloc(1, sizeof *record->disposal);
    if (record->disposal != NULL && su_home_init(record->home) == 0)
        return record;
    free(record->disposal);
    free(record);
    return NULL;
}

struct sb_object *sof_object(const struct sof_record *record, int kind)
{
    return sb_core_find(record->state->core, kind, record->id);
}

static void on_timer(struct sofia *unused, su_timer_t *timer, struct sof_record *record)
{
    struct sofia *state = record->state;
    (void)unused;
    (void)timer;
    sof_enter(state);
    if (record->fire != NULL)
        record->fire(record);
    sof_leave(state);
}

void sof_set_timer(struct sof_record *record, unsigned ms, void (*fire)(struct sof_record *record))
{
    record->fire = ms == 0 ? NULL : fire;
    if (record->timer == NULL && ms > 0)
        record->timer = su_timer_create(su_root_task(record->state->root), 0);
    if (record->timer == NULL)
        return;
    su_timer_reset(record->timer);
    if (ms > 0)
        su_timer_set_interval(record->timer, on_timer, record, ms);
}

static void record_free(struct sof_record *record, int kind)
{
    switch (kind) {
    case SB_KIND_CALL: sof_call_free((struct sof_call *)record); break;
    case SB_KIND_REGISTRATION: sof_request_clear(&((struct sof_lease *)record)->request); break;
    case SB_KIND_SUBSCRIPTION: sof_subscription_free((struct sof_subscription *)record); break;
    case SB_KIND_TRANSACTION: sof_transaction_free((struct sof_transaction *)record); break;
    default: break;
    }
    sof_forget_secrets(record, NULL);
    if (record->timer != NULL)
        su_timer_destroy(record->timer);
    if (record->leg != NULL)
        nta_leg_destroy(record->leg);
    su_home_deinit(record->home);
    free(record);
}

static void run_dispose(struct sofia *state, struct sof_command *command)
{
    (void)state;
    record_free(command->record, command->kind);
}

/* Not in this call: it may come in the middle of what nta does with it, or from another thread. */
static void sof_release(void *data, struct sb_object *object)
{
    struct sof_record *record = object->lib;
    struct sofia *state = record->state;
    (void)data;
    object->lib = NULL;
    record->disposal->run = run_dispose;
    record->disposal->record = record;
    record->disposal->kind = object->kind;
    enqueue(state, record->disposal);
}

/* ------------------------------------------------------------------------------------------------------
 * Open
 */
static int network_error(int number)
{
    switch (number) {
    case EADDRINUSE: return SB_EADDRINUSE;
    case ENOMEM:
    case EMFILE:
    case ENFILE: return SB_ENOMEM;
    default: return SB_ENET;
    }
}

/* Whether the address can be bound. The library binds with SO_REUSEADDR, which lets two have one UDP port; for TCP it
 * is what lets a port be used again at once. */
static int probe(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, address->ai_socktype, 0), code = SB_OK, on = 1;
    if (fd < 0)
        return network_error(errno);
    if (address->ai_socktype == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0)
        code = network_error(errno);
    close(fd);
    return code;
}

static int check_address(const sb_config *config)
{
    struct addrinfo wanted, *found = NULL;
    char port[8];
    int code;
    memset(&wanted, 0, sizeof wanted);
    wanted.ai_socktype = config->transport == SB_UDP ? SOCK_DGRAM : SOCK_STREAM;
    snprintf(port, sizeof port, "%d", config->port);
    if (getaddrinfo(config->host, port, &wanted, &found) != 0 || found == NULL)
        return SB_ENET;
    code = probe(found);
    freeaddrinfo(found);
    return code;
}

/* As ;transport= names them. */
static const char *transport_name(int transport)
{
    return transport == SB_TLS ? "tls" : transport == SB_TCP ? "tcp" : "udp";
}

/* A host as a URI has it: an IPv6 address in brackets. */
static char *uri_host(su_home_t *home, const char *host)
{
    return su_sprintf(home, strchr(host, ':') != NULL && *host != '[' ? "[%s]" : "%s", host);
}

/* The URL that names the socket to nta. */
static char *bind_url(struct sofia *state)
{
    const sb_config *config = state->config;
    const char *scheme = config->transport == SB_TLS ? "sips" : "sip";
    const char *host = uri_host(state->home, strcmp(config->host, "0.0.0.0") == 0 ? "*" : config->host);
    char port[8] = "*";
    if (config->port != 0)
        snprintf(port, sizeof port, "%d", config->port);
    return su_sprintf(state->home, "%s:%s:%s;transport=%s", scheme, host, port, transport_name(config->transport));
}

static nta_agent_t *new_agent(struct sofia *state, const char *url, const char *certificates)
{
    const sb_config *config = state->config;
    return nta_agent_create(state->root, (const url_string_t *)url, NULL, NULL,
                            NTATAG_UA(1),          /* acknowledge and hang up stray answers */
                            NTATAG_UDP_MTU(65535), /* there is no TCP to change to (18.1.1) */
                            NTATAG_MERGE_482(1),   /* 8.2.2.2 */
                            NTATAG_CLIENT_RPORT(1), /* RFC 3581 */
                            TPTAG_LOG(config->trace),
                            TAG_IF(config->resolv_conf != NULL, SRESTAG_RESOLV_CONF(config->resolv_conf)),
                            TPTAG_PONG2PING(1), /* RFC 5626, 4.4.1 */
                            TAG_IF(config->keepalive > 0, TPTAG_KEEPALIVE((unsigned)config->keepalive * 1000)),
                            TAG_IF(config->keepalive > 0, TPTAG_PINGPONG(PONG_MS)),
                            TAG_IF(certificates != NULL, TPTAG_CERTIFICATE(certificates)),
                            TPTAG_TLS_VERIFY_POLICY(sof_tls_policy(config)), TPTAG_TLS_VERIFY_DEPTH(5), TAG_END());
}

static int create_agent(struct sofia *state)
{
    struct sof_tls_folder certificates = {NULL, {-1, -1}};
    char *url = bind_url(state);
    int code = SB_OK;
    if (url == NULL)
        return SB_ENOMEM;
    if (state->config->trace)
        sof_trace_to(state->core);
    if (state->config->transport == SB_TLS) {
        sof_tls_watch(state);
        code = sof_tls_folder(state, &certificates);
    }
    if (code == SB_OK) {
        errno = 0;
        state->agent = new_agent(state, url, certificates.path);
        if (state->agent == NULL)
            code = su_errno() != 0 ? network_error(su_errno()) : SB_ENET;
    }
    sof_tls_folder_remove(state, &certificates);
    if (code != SB_OK)
        return code;
    state->leg = nta_leg_tcreate(state->agent, sof_on_stray, (struct sof_record *)state, NTATAG_NO_DIALOG(1),
                                 TAG_END());
    return state->leg == NULL ? SB_ENOMEM : SB_OK;
}

/* Where we are to be reached: over UDP a plain URI, so that whoever asks is free to choose. */
static sip_contact_t *own_contact(struct sofia *state, const char *scheme, const char *host)
{
    const sb_config *config = state->config;
    int port = config->advertised_port != 0 ? config->advertised_port : state->port;
    const char *named = uri_host(state->home, config->advertised_host != NULL ? config->advertised_host : host);
    if (config->transport == SB_UDP)
        return sip_contact_format(state->home, "<%s:%s:%d>", scheme, named, port);
    return sip_contact_format(state->home, "<%s:%s:%d;transport=%s>", scheme, named, port,
                              transport_name(config->transport));
}

/* What our messages say of us. */
static int compose_headers(struct sofia *state)
{
    const sb_config *config = state->config;
    const sip_via_t *via = nta_agent_via(state->agent);
    su_home_t *home = state->home;
    if (via == NULL)
        return SB_ELIBRARY;
    state->transport = config->transport;
    state->port = via->v_port != NULL ? atoi(via->v_port) : config->transport == SB_TLS ? SOF_TLS_PORT : 5060;
    state->address = su_sprintf(home, "sip:%s:%d", via->v_host, state->port);
    state->contact = own_contact(state, "sip", via->v_host);
    state->secure = own_contact(state, config->transport == SB_TLS ? "sips" : "sip", via->v_host);
    if (state->address == NULL || state->contact == NULL || state->secure == NULL)
        return SB_ENOMEM;
    if (config->user_agent != NULL) {
        state->user_agent = sip_user_agent_make(home, config->user_agent);
        state->server = sip_server_make(home, config->user_agent);
        if (state->user_agent == NULL || state->server == NULL)
            return SB_EINVAL;
    }
    if (config->outbound_proxy != NULL) {
        state->route = sof_route(home, config->outbound_proxy);
        if (state->route == NULL)
            return SB_EINVAL;
    }
    return SB_OK;
}

static int register_wake(struct sofia *state)
{
    if (su_wait_create(state->wait, state->wake[0], SU_WAIT_IN) != 0 ||
        su_root_register(state->root, state->wait, on_wake, state, 0) < 0)
        return SB_ENOMEM;
    return SB_OK;
}

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
    code = register_wake(state);
    if (code == SB_OK)
        code = create_agent(state);
    if (code == SB_OK)
        code = compose_headers(state);
    return code;
}

/* The library sends some answers (505 to another version of SIP) to the host that a Via names, and looks that up
 * with getaddrinfo() while everything else waits: a datagram would stop the engine for as long as DNS takes. In
 * this thread that finds the hosts file alone. The library's own resolver, for requests, asks DNS as before. */
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

/* As it was: glibc frees what belongs to the thread only where it knows it again. */
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

static int make_pipe(int fds[2])
{
    int i;
    if (pipe(fds) != 0)
        return SB_ENOMEM;
    for (i = 0; i < 2; i++) {
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    return SB_OK;
}

static void state_free(struct sofia *state)
{
    struct sof_command *command;
    while ((command = state->first) != NULL) {
        state->first = command->next;
        command_free(command);
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
    if (state->stop == NULL || make_pipe(state->wake) != SB_OK) {
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

static int sof_open(struct sb_core *core, const sb_config *config, void **opened, int *port)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct sofia *state;
    int code;
    code = check_address(config);
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
 * Signs of life
 */
static void run_probe(struct sofia *state, struct sof_command *command)
{
    (void)command;
    state->probes_run++;
}

static int is_behind(struct sofia *state, unsigned posted)
{
    int behind;
    sb_core_lock(state->core);
    behind = (int)(posted - state->probes_run) > 0;
    sb_core_unlock(state->core);
    return behind;
}

/* The library waits for DNS and for whatever else it is that hangs without the lock. */
static void sof_probe(void *data)
{
    struct sofia *state = data;
    unsigned posted;
    sb_core_lock(state->core);
    if (sof_post_command(state, run_probe, NULL, NULL) != NULL)
        posted = ++state->probes_posted;
    else
        posted = state->probes_run;
    sb_core_unlock(state->core);
    while (is_behind(state, posted))
        usleep(PROBE_US);
}

/* ------------------------------------------------------------------------------------------------------
 * Close
 */
static void give_back(struct sb_object *object, void *unused)
{
    struct sof_record *record = object->lib;
    (void)unused;
    if (record == NULL)
        return;
    object->lib = NULL;
    free(record->disposal);
    record_free(record, object->kind);
}

/* While nta is still there to let go of them. */
static void run_stop(struct sofia *state, struct sof_command *command)
{
    int kind;
    (void)command;
    for (kind = SB_KIND_CALL; kind <= SB_KIND_TRANSACTION; kind++)
        sb_core_each(state->core, kind, give_back, NULL);
    su_root_break(state->root);
}

static void sof_close(void *data)
{
    struct sofia *state = data;
    sb_core_lock(state->core);
    state->stop->run = run_stop;
    enqueue(state, state->stop);
    state->stop = NULL;
    sb_core_unlock(state->core);
    pthread_join(state->thread, NULL);
    state_free(state);
}

static const char *sof_version(void)
{
    return SOFIA_SIP_VERSION;
}

const struct sb_backend sb_backend = {
    .name = "sofia",
    .version = sof_version,
    .open = sof_open,
    .close = sof_close,
    .release = sof_release,
    .probe = sof_probe,
    .credentials = sof_credentials,
    .credentials_clear = sof_credentials_clear,
    .reg = sof_register,
    .reg_refresh = sof_lease_change,
    .reg_end = sof_lease_end,
    .reg_bindings = sof_bindings,
    .call = sof_call,
    .ring = sof_ring,
    .answer_call = sof_answer_call,
    .refuse = sof_refuse,
    .ack = sof_ack,
    .hangup = sof_hangup,
    .call_request = sof_call_request,
    .reinvite = sof_reinvite,
    .answer = sof_answer_transaction,
    .request = sof_request,
    .publish = sof_publish,
    .subscribe = sof_subscribe,
    .subscribe_refresh = sof_lease_change,
    .unsubscribe = sof_lease_end,
    .subscription_accept = sof_subscription_accept,
    .subscription_reject = sof_subscription_reject,
    .notify = sof_notify,
};
