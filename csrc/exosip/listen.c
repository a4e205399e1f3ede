/* listen.c - where the engine listens, and what its messages say of that. */
#include "listen.h"

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

#include "address.h"
#include "library.h"
#include "state.h"

enum { MAX_ADVERTISED = 61 }; /* octets of an advertised host; the library has two more, for brackets */

static int is_ipv6(const char *host)
{
    return strchr(host, ':') != NULL;
}

static int family_of(const struct exo_place *place)
{
    return place->address.ss_family;
}

static int is_every_address(const struct exo_place *place)
{
    return strcmp(place->text, family_of(place) == AF_INET6 ? "::" : "0.0.0.0") == 0;
}

int exo_check_offer(const sb_config *config)
{
    if (config->transport == SB_TLS)
        return SB_ENOTSUP; /* 3.6 can do TLS 1.0 and nothing newer, and only when it was built with OpenSSL */
    if (config->transport == SB_TCP && !EXO_HAS_TCP)
        return SB_ENOTSUP;
    if (config->advertised_host == NULL)
        return SB_OK;
    /* On IPv6 the library puts brackets around whatever Contact is to name. */
    if (is_ipv6(config->host) && !is_ipv6(config->advertised_host))
        return SB_ENOTSUP;
    return strlen(config->advertised_host) > MAX_ADVERTISED ? SB_ETOOBIG : SB_OK;
}

int exo_find_place(const sb_config *config, struct exo_place *place)
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
static int bind_to(const struct exo_place *place)
{
    int fd = socket(family_of(place), place->type, 0), on = 1, code = SB_OK;
    if (fd < 0)
        return SB_ENOMEM;
    /* "::" takes IPv6 alone, as with the library. */
    if (family_of(place) == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        code = SB_ENET;
    /* Connections that an earlier engine closed must not keep this port for a minute. */
    if (place->type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        code = SB_ENET;
    if (code == SB_OK && bind(fd, (const struct sockaddr *)&place->address, place->size) != 0)
        code = errno == EADDRINUSE ? SB_EADDRINUSE : SB_ENET;
    if (code == SB_OK)
        return fd;
    close(fd);
    return code;
}

/* Via and Contact name the address that we are bound to. When we are bound to every address, the library names the one
 * from which this host sends to far away; when there is none, we name loopback. */
static void set_own_address(struct exosip *state, const struct exo_place *place, char *own, int size)
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

/* The port that the library listens on, or an error. The library tells its port only in the messages that it writes. */
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

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return SB_ENET;
    if (address.ss_family != AF_INET && address.ss_family != AF_INET6)
        return SB_ENET;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

/* Give the library's UDP socket room for a burst. The library tells nobody its descriptor, which is below FD_SETSIZE. */
static void widen(int port)
{
    const int wanted = SB_RECEIVE_BUFFER;
    int fd, type;
    for (fd = 0; fd < FD_SETSIZE; fd++) {
        socklen_t size = sizeof type;
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM && port_of(fd) == port)
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
    }
}

/* Take the port of a place, or a free one, for the library's UDP socket: returns it, or an error. It stays taken until
 * *held is closed, if that is a descriptor, which is to be when the library listens.
 *
 * 3.x returns -1 whatever is wrong with its socket. Find out by binding one, and free the port again. 5.x binds with
 * SO_REUSEADDR. Of several such sockets on a port only the last one receives; and where it asks for a free port, it may
 * get one that another process has that way. Nor does it tell its port before it has sent something. So there the port is
 * bound without that first, and shared with the library alone. */
static int take_port(const struct exo_place *place, int *held)
{
    const int on = 1;
    int fd = bind_to(place), port;
    *held = -1;
    if (fd < 0)
        return fd;
    port = port_of(fd);
    if (SB_EXOSIP_API == 3 || port < 0) {
        close(fd);
        return port;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    *held = fd;
    return port;
}

/* Returns the port, or an error. */
static int listen_to_datagrams(struct exosip *state, const struct exo_place *place, int port)
{
    int held, taken = take_port(place, &held), code;
    if (taken < 0)
        return taken;
    if (held >= 0)
        port = taken;
    /* Always pass an address: with NULL the library takes that of an earlier engine. */
    code = eXosip_listen_addr(EXO_FIRST(state) IPPROTO_UDP, place->text, port, family_of(place), 0);
    if (held >= 0)
        close(held);
    if (code != 0) {
        code = take_port(place, &held); /* to find out what was wrong */
        if (held >= 0)
            close(held);
        return code < 0 ? code : SB_ELIBRARY;
    }
    if (port == 0)
        port = find_port(state);
    if (port > 0)
        widen(port);
    return port;
}

/* Returns the port, or an error. The library binds its TCP socket without SO_REUSEADDR. A service that starts again
 * would not get its port while its old connections linger. So we bind a socket for the library. eXosip_listen_addr()
 * tells it the family; the call fails because the port is taken. */
static int listen_to_connections(struct exosip *state, const struct exo_place *place)
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
        return SB_ELIBRARY; /* the library closes the socket when it stops */
    eXosip_masquerade_contact(EXO_FIRST(state) NULL, 0); /* so that the library learns the port */
    return port;
}

/* Returns the port, or an error. */
static int listen_on(struct exosip *state, const struct exo_place *place, int port)
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

/* On IPv6 the library adds the brackets of an IPv6 address itself, on IPv4 it adds none. */
static void write_host(char *name, size_t size, const char *host, int family)
{
    int has_brackets = host[0] == '[';
    if (family == AF_INET6 && has_brackets)
        snprintf(name, size, "%.*s", (int)strcspn(host + 1, "]"), host + 1);
    else
        snprintf(name, size, is_ipv6(host) && family == AF_INET && !has_brackets ? "[%s]" : "%s", host);
}

/* What Contact names where it is not what the library guesses. It guesses by the route, which leads to the first of
 * an interface's addresses: when another one is bound, nobody listens there. (Responses find back to us by rport.) */
static void name_contact(struct exosip *state, const sb_config *config, const struct exo_place *place,
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
    write_host(name, sizeof name, host, family_of(place));
    eXosip_masquerade_contact(EXO_FIRST(state) name, config->advertised_port != 0 ? config->advertised_port : port);
}

int exo_listen(struct exosip *state, const sb_config *config, const struct exo_place *place)
{
    char own[64] = "";
    int port, code;
    set_own_address(state, place, own, (int)sizeof own);
    port = listen_on(state, place, config->port);
    if (port < 0)
        return port;
    name_contact(state, config, place, own, port);
    code = compose_addresses(state, config, is_every_address(place) ? own : place->text, port);
    return code == SB_OK ? port : code;
}
