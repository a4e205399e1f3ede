/* listen.c - where the engine listens, and what its messages say of that. */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sofia-sip/sresolv.h>

#include "address.h"
#include "message.h"
#include "record.h"
#include "request.h"
#include "state.h"
#include "tls.h"
#include "trace.h"

/* How long a peer may take to answer a ping before we give the connection up (RFC 5626, 4.4.1). */
enum { PONG_MS = 10000 };

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

/* Whether the address can be bound. The library binds with SO_REUSEADDR: that would let two engines have one UDP port.
 * On TCP it only lets a port be used again at once. */
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

int sof_check_address(const sb_config *config)
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

/* The transports' names, as in ;transport=. */
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
                            TPTAG_LOG(config->trace), TPTAG_UDP_RMEM(SB_RECEIVE_BUFFER),
                            TAG_IF(config->resolv_conf != NULL, SRESTAG_RESOLV_CONF(config->resolv_conf)),
                            TPTAG_PONG2PING(1), /* RFC 5626, 4.4.1 */
                            TAG_IF(config->keepalive > 0, TPTAG_KEEPALIVE((unsigned)config->keepalive * 1000)),
                            TAG_IF(config->keepalive > 0, TPTAG_PINGPONG(PONG_MS)),
                            TAG_IF(certificates != NULL, TPTAG_CERTIFICATE(certificates)),
                            TPTAG_TLS_VERIFY_POLICY(sof_tls_policy(config)), TPTAG_TLS_VERIFY_DEPTH(5), TAG_END());
}

int sof_create_agent(struct sofia *state)
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

/* Our Contact. Over UDP it names no transport, so that the peer may choose. */
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

/* The headers for which the configuration may have nothing. */
static int compose_optional(struct sofia *state, const sb_config *config)
{
    if (config->user_agent != NULL) {
        state->user_agent = sip_user_agent_make(state->home, config->user_agent);
        state->server = sip_server_make(state->home, config->user_agent);
        if (state->user_agent == NULL || state->server == NULL)
            return SB_EINVAL;
    }
    if (config->outbound_proxy == NULL)
        return SB_OK;
    state->route = sof_route(state->home, config->outbound_proxy);
    return state->route == NULL ? SB_EINVAL : SB_OK;
}

int sof_compose_headers(struct sofia *state)
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
    return compose_optional(state, config);
}
