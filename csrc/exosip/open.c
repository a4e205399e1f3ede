/* open.c - the engine on libeXosip2: open, close, and the thread that pumps its events.
 *
 * The library runs a thread of its own for the network. Ours takes the events that it queues, turns them into
 * the contract's, and looks at the clock for what the library does not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <search.h>

#include "engine_exosip.h"
#include "lookup.h"

enum {
    MAX_ADVERTISED = 61,  /* octets of an advertised host; the library has two more, for brackets */
    TICK_MS = 50,         /* how long to wait for an event before a look at the clock */
    RARELY_MS = SB_DAY * 1000,
    SPARE_DESCRIPTORS = 8 /* as many as the library opens at once: two socket pairs, their listener, its socket */
};

/* 3.x has one state per process. */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static int is_open;

/* ------------------------------------------------------------------------------------------------------
 * The pump
 */
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

/* Objects whose time has come. They are noted first: handling one may take others away. */
struct due {
    int64_t now;
    int count;
    struct {
        sb_id id;
        int kind;
    } found[64];
};

static void note_due(struct sb_object *object, void *arg)
{
    struct due *due = arg;
    const struct exo_record *record = object->lib;
    if (record == NULL || record->due_ms == 0 || record->due_ms > due->now ||
        due->count == (int)(sizeof due->found / sizeof *due->found))
        return;
    due->found[due->count].id = object->id;
    due->found[due->count].kind = object->kind;
    due->count++;
}

static void handle_due(struct exosip *state)
{
    static const int KINDS[] = {SB_KIND_CALL, SB_KIND_REGISTRATION, SB_KIND_SUBSCRIPTION, SB_KIND_TRANSACTION};
    struct sb_object *object;
    struct due due;
    int i;
    due.now = sb_monotonic_ms();
    due.count = 0;
    for (i = 0; i < 4; i++)
        sb_core_each(state->core, KINDS[i], note_due, &due);
    for (i = 0; i < due.count; i++) {
        object = sb_core_find(state->core, due.found[i].kind, due.found[i].id);
        if (object == NULL)
            continue;
        if (object->kind == SB_KIND_CALL)
            exo_call_due(state, object);
        else if (object->kind == SB_KIND_REGISTRATION)
            exo_lease_due(state, object);
        else if (object->kind == SB_KIND_SUBSCRIPTION)
            exo_subscription_due(state, object);
        else
            exo_transaction_due(state, object);
    }
}

static void *pump(void *data)
{
    struct exosip *state = data;
    int64_t next_look = 0, next_tidy = 0, now;
    int stopping = 0;
    while (!stopping) {
        eXosip_event_t *event = eXosip_event_wait(EXO_FIRST(state) 0, TICK_MS);
        sb_core_lock(state->core);
        if (event != NULL && exo_restore(state, event))
            dispatch(state, event);
        exo_take_found(state);
        now = sb_monotonic_ms();
        if (now >= next_look) {
            handle_due(state);
            next_look = now + TICK_MS;
        }
        if (now >= next_tidy) {
            sb_core_tidy(state->core);
            next_tidy = now + SB_TIDY_MS;
        }
        stopping = state->stopping;
        sb_core_unlock(state->core);
        if (event != NULL)
            eXosip_event_free(event);
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------
 * Open
 */

/* The address to listen on. */
struct place {
    struct sockaddr_storage address;
    socklen_t size;
    int type;                    /* SOCK_DGRAM or SOCK_STREAM */
    char text[INET6_ADDRSTRLEN]; /* the address, without the port */
};

static int is_ipv6(const char *host)
{
    return strchr(host, ':') != NULL;
}

static int family_of(const struct place *place)
{
    return place->address.ss_family;
}

static int is_every_address(const struct place *place)
{
    return strcmp(place->text, family_of(place) == AF_INET6 ? "::" : "0.0.0.0") == 0;
}

/* The address of a host: IPv4, unless it is written down as IPv6. Returns SB_OK, or SB_ENET when there is none. */
static int resolve(const sb_config *config, struct place *place)
{
    struct addrinfo wanted, *found = NULL;
    char port[8];
    int code;
    memset(place, 0, sizeof *place);
    memset(&wanted, 0, sizeof wanted);
    place->type = config->transport == SB_UDP ? SOCK_DGRAM : SOCK_STREAM;
    wanted.ai_family = is_ipv6(config->host) ? AF_INET6 : AF_INET;
    wanted.ai_socktype = place->type;
    snprintf(port, sizeof port, "%d", config->port);
    if (getaddrinfo(config->host, port, &wanted, &found) != 0 || found == NULL)
        return SB_ENET;
    memcpy(&place->address, found->ai_addr, found->ai_addrlen);
    place->size = found->ai_addrlen;
    code = getnameinfo(found->ai_addr, found->ai_addrlen, place->text, sizeof place->text, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    return code == 0 ? SB_OK : SB_ENET;
}

/* A socket that is bound to it, or an error. */
static int bind_to(const struct place *place)
{
    int fd = socket(family_of(place), place->type, 0), on = 1, code = SB_OK;
    if (fd < 0)
        return SB_ENOMEM;
    /* As the library does: "::" is IPv6's addresses alone. */
    if (family_of(place) == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        code = SB_ENET;
    /* Connections that the last one to listen here closed are no reason to wait for a minute. */
    if (place->type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        code = SB_ENET;
    if (code == SB_OK && bind(fd, (const struct sockaddr *)&place->address, place->size) != 0)
        code = errno == EADDRINUSE ? SB_EADDRINUSE : SB_ENET;
    if (code == SB_OK)
        return fd;
    close(fd);
    return code;
}

/* The library says -1 to whatever goes wrong with its UDP socket: find out by trying it. The port is free again
 * afterwards. */
static int probe(const struct place *place)
{
    int fd = bind_to(place);
    if (fd < 0)
        return fd;
    close(fd);
    return SB_OK;
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

/* What Via and Contact name: the address that we are bound to. Bound to every address, the library takes the
 * one that its host would send from to anywhere far away; where there is no such, loopback. */
static void set_own_address(struct exosip *state, const struct place *place, char *own, int size)
{
    int is_6 = family_of(place) == AF_INET6;
    int option = is_6 ? EXOSIP_OPT_SET_IPV6_FOR_GATEWAY : EXOSIP_OPT_SET_IPV4_FOR_GATEWAY;
    const char *loopback = is_6 ? "::1" : "127.0.0.1";
    EXO_UNUSED(state);
    if (!is_every_address(place))
        eXosip_set_option(EXO_FIRST(state) option, place->text);
    if (eXosip_guess_localip(EXO_FIRST(state) family_of(place), own, size) < 0 || own[0] == '\0') {
        eXosip_set_option(EXO_FIRST(state) option, loopback);
        snprintf(own, (size_t)size, "%s", loopback);
    }
}

static void set_options(struct exosip *state, const sb_config *config)
{
    /* Milliseconds. On TCP 0 would have it look at each connection whenever it wakes. */
    int off = 0, on = 1, keepalive = config->keepalive > 0 ? config->keepalive * 1000 : RARELY_MS;
    (void)off;
    (void)on;
    (void)keepalive;
#if SB_HAS_EXOSIP_OPT_DONT_SEND_101
    /* It would answer each INVITE with 101, which some peers take for the end of their script. */
    eXosip_set_option(EXO_FIRST(state) EXOSIP_OPT_DONT_SEND_101, &on);
#endif
#if SB_HAS_EXOSIP_OPT_UDP_KEEP_ALIVE
    /* The pings on connections are worth having, but not what it sends to a registrar over UDP every 17 s: four
     * octets ("jaK") that are no SIP. */
    eXosip_set_option(EXO_FIRST(state) EXOSIP_OPT_UDP_KEEP_ALIVE, config->transport == SB_UDP ? &off : &keepalive);
#endif
#if SB_HAS_EXOSIP_OPT_DNS_CAPABILITIES
    /* resolve.c does it: these queries would be waited for under eXosip_lock. */
    eXosip_set_option(EXO_FIRST(state) EXOSIP_OPT_DNS_CAPABILITIES, &off);
#endif
    if (config->user_agent != NULL)
        eXosip_set_user_agent(EXO_FIRST(state) config->user_agent);
    if (config->trace)
        exo_trace_to(state->core);
    if (config->trace || EXO_IS_3_3)
        eXosip_set_cbsip_message(EXO_FIRST(state) exo_on_message);
}

/* The port that the library listens on: it tells it in what it writes only. Or an error. */
static int find_port(struct exosip *state)
{
    osip_message_t *request = NULL;
    osip_via_t *via;
    int code = SB_ELIBRARY;
    exo_lock(state);
    if (eXosip_message_build_request(EXO_FIRST(state) & request, "OPTIONS", "sip:127.0.0.1", "sip:127.0.0.1",
                                     NULL) == 0 && request != NULL) {
        via = osip_list_get(&request->vias, 0);
        if (via != NULL && via->port != NULL && atoi(via->port) > 0)
            code = atoi(via->port);
    }
    exo_unlock(state);
    osip_message_free(request);
    return code;
}

/* Returns the port, or an error. */
static int listen_to_datagrams(struct exosip *state, const struct place *place, int port)
{
    int code = probe(place);
    if (code != SB_OK)
        return code;
    /* Never NULL: the address of an earlier engine sticks. */
    if (eXosip_listen_addr(EXO_FIRST(state) IPPROTO_UDP, place->text, port, family_of(place), 0) != 0) {
        code = probe(place);
        return code != SB_OK ? code : SB_ELIBRARY;
    }
    return port != 0 ? port : find_port(state);
}

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return SB_ENET;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

/* Returns the port, or an error. The library would bind its TCP socket without SO_REUSEADDR, and keep a service that
 * starts again off its port for as long as the connections linger that it closed: it gets one that is bound. Which
 * family that is it learns from an eXosip_listen_addr(), which fails since the port is taken. */
static int listen_to_connections(struct exosip *state, const struct place *place)
{
    int fd = bind_to(place), port, code = SB_OK;
    EXO_UNUSED(state);
    if (fd < 0)
        return fd;
    port = port_of(fd);
    if (port < 0)
        code = port;
    else if (listen(fd, SOMAXCONN) != 0)
        code = errno == EADDRINUSE ? SB_EADDRINUSE : SB_ENET;
    else if (eXosip_listen_addr(EXO_FIRST(state) IPPROTO_TCP, place->text, port, family_of(place), 0) == 0)
        code = SB_ELIBRARY;
    if (code != SB_OK) {
        close(fd);
        return code;
    }
    if (eXosip_set_socket(EXO_FIRST(state) IPPROTO_TCP, fd, port) != 0)
        return SB_ELIBRARY; /* which closes it all the same, when it stops */
    eXosip_masquerade_contact(EXO_FIRST(state) NULL, 0); /* which has it notice the port */
    return port;
}

/* Returns the port, or an error. */
static int listen_on(struct exosip *state, const struct place *place, int port)
{
    exo_enable_ipv6(state, family_of(place) == AF_INET6);
    return place->type == SOCK_STREAM ? listen_to_connections(state, place)
                                      : listen_to_datagrams(state, place, port);
}

static int compose_addresses(struct exosip *state, const sb_config *config, const char *own, int port)
{
    size_t size = strlen(own) + 32;
    state->address = malloc(size);
    if (state->address == NULL)
        return SB_ENOMEM;
    snprintf(state->address, size, is_ipv6(own) ? "sip:[%s]:%d" : "sip:%s:%d", own, port);
    if (config->outbound_proxy == NULL)
        return SB_OK;
    state->route = exo_route(config->outbound_proxy);
    return state->route == NULL ? SB_EINVAL : SB_OK;
}

/* What Contact names where it is not what the library guesses. It guesses by the route, which leads to the first of
 * an interface's addresses: when another one is bound, nobody listens there. (Responses find back to us by rport.) */
static void name_contact(struct exosip *state, const sb_config *config, const struct place *place,
                         const char *guessed, int port)
{
    const char *host = config->advertised_host;
    int other = !is_every_address(place) && strcmp(place->text, guessed) != 0;
    char name[MAX_ADVERTISED + 3];
    EXO_UNUSED(state);
    if (host == NULL && config->advertised_port == 0 && !other)
        return;
    if (host == NULL)
        host = other ? place->text : guessed;
    /* On IPv6 the library adds the brackets of an IPv6 address itself, on IPv4 it adds none. */
    if (family_of(place) == AF_INET6 && host[0] == '[')
        snprintf(name, sizeof name, "%.*s", (int)strcspn(host + 1, "]"), host + 1);
    else
        snprintf(name, sizeof name, is_ipv6(host) && family_of(place) == AF_INET && host[0] != '[' ? "[%s]" : "%s", host);
    eXosip_masquerade_contact(EXO_FIRST(state) name, config->advertised_port != 0 ? config->advertised_port : port);
}

/* The library runs: make it ours. Returns the port, or an error. */
static int set_up(struct exosip *state, const sb_config *config)
{
    struct place place;
    char own[64] = "";
    int port, code = resolve(config, &place);
    if (code != SB_OK)
        return code;
    set_options(state, config);
    set_own_address(state, &place, own, (int)sizeof own);
    port = listen_on(state, &place, config->port);
    if (port < 0)
        return port;
    name_contact(state, config, &place, own, port);
    code = compose_addresses(state, config, is_every_address(&place) ? own : place.text, port);
    return code == SB_OK ? port : code;
}

/* Whether it is the one that this was compiled for, or like it. */
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
#if SB_EXOSIP_API >= 4
    state->context = eXosip_malloc();
    if (state->context == NULL)
        return SB_ENOMEM;
#endif
    exo_wipe_what_is_freed();
    /* What is left of a failed one cannot be given back: eXosip_quit() would crash. */
    return exo_error(eXosip_init(EXO_ALONE(state)));
}

static void stop_library(struct exosip *state)
{
    exo_forget_secrets(state);
    eXosip_quit(EXO_ALONE(state));
    exo_trace_to(NULL);
    exo_drop_cancels();
#if SB_EXOSIP_API >= 4
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

static int check_offer(const sb_config *config)
{
    if (config->transport == SB_TLS)
        return SB_ENOTSUP; /* 3.6 speaks TLS 1.0 and nothing newer, and that only where it was built with OpenSSL */
    if (config->transport == SB_TCP && EXO_IS_3_3)
        return SB_ENOTSUP; /* it takes what it reads at a time for one message, and waits for connections under its lock */
    if (config->advertised_host == NULL)
        return SB_OK;
    /* In Contact, on IPv6, it puts whatever is advertised in brackets. */
    if (is_ipv6(config->host) && !is_ipv6(config->advertised_host))
        return SB_ENOTSUP;
    return strlen(config->advertised_host) > MAX_ADVERTISED ? SB_ETOOBIG : SB_OK;
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
        code = pthread_create(&state->pump, NULL, pump, state) == 0 ? SB_OK : SB_ENOMEM;
    }
    if (code != SB_OK) {
        stop_library(state);
        state_free(state);
        return code;
    }
    *opened = state;
    return SB_OK;
}

static int exo_open(struct sb_core *core, const sb_config *config, void **state, int *port)
{
    struct exosip *opened = NULL;
    int code = check_offer(config);
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
static void clear_index(void **root, int (*compare)(const void *, const void *))
{
    while (*root != NULL)
        tdelete(*(void **)*root, root, compare);
}

static int compare_addresses(const void *a, const void *b)
{
    (void)a;
    (void)b;
    return 0; /* whichever node it comes to: all of them go */
}

static void exo_close(void *data)
{
    struct exosip *state = data;
    sb_core_lock(state->core);
    state->stopping = 1;
    sb_core_unlock(state->core);
    pthread_join(state->pump, NULL);
    pthread_mutex_lock(&opening);
    stop_library(state);
    is_open = 0;
    pthread_mutex_unlock(&opening);
    clear_index(&state->calls, compare_addresses);
    clear_index(&state->registrations, compare_addresses);
    clear_index(&state->requests, compare_addresses);
    clear_index(&state->subscriptions, compare_addresses);
    clear_index(&state->notifiers, compare_addresses);
    state_free(state);
}

/* state: NULL after exo_close(). */
static void exo_release(void *data, struct sb_object *object)
{
    struct exosip *state = data;
    if (state != NULL)
        exo_unindex(state, object);
    switch (object->kind) {
    case SB_KIND_CALL: exo_call_free(object->lib); break;
    case SB_KIND_REGISTRATION: exo_registration_free(state, object->lib); break;
    case SB_KIND_SUBSCRIPTION: exo_subscription_free(state, object->lib); break;
    case SB_KIND_TRANSACTION: exo_transaction_free(object->lib); break;
    default: break;
    }
    object->lib = NULL;
}

static const char *exo_version(void)
{
    return eXosip_get_version();
}

const struct sb_backend sb_backend = {
    .name = "exosip",
    .version = exo_version,
    .screened = (const void *)eXosip_quit,
    .open = exo_open,
    .close = exo_close,
    .release = exo_release,
    .credentials = exo_credentials,
    .credentials_clear = exo_credentials_clear,
    .reg = exo_order_registration,
    .reg_refresh = exo_lease_change,
    .reg_end = exo_lease_end,
    /* reg_bindings: the library tells of no REGISTER but its own registrations' */
    .call = exo_order_call,
    .ring = exo_ring,
    .answer_call = exo_answer_call,
    .refuse = exo_refuse,
    .ack = exo_ack,
    .hangup = exo_hangup,
    .call_request = exo_call_request,
    .reinvite = exo_reinvite,
    .answer = exo_answer,
    .request = exo_order_request,
    .publish = exo_order_publish,
    .subscribe = exo_order_subscription,
    .subscribe_refresh = exo_lease_change,
    .unsubscribe = exo_lease_end,
    .subscription_accept = exo_subscription_accept,
    .subscription_reject = exo_subscription_reject,
    .notify = exo_notify,
};
