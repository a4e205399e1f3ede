/* search.c - one host's servers (RFC 3263, 4): the NAPTR records of the domain, the SRV records that they name,
 * the addresses of the servers that those name, one question after the other. c-ares calls back with each answer. */
#include "search.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <osipparser2/osip_port.h>

#include "clock.h"

enum {
    ASK_MS = 8000,  /* how long a search may go on asking */
    REPEAT_MS = 50, /* the shortest wait before a question is asked again; twice as long the next time */
    MAX_REPEATED = 4
};

struct exo_search *exo_search_new(const struct exo_dns_config *config, struct exo_channel *channel, const char *host,
                                  int port)
{
    struct exo_search *search = calloc(1, sizeof *search);
    if (search == NULL)
        return NULL;
    search->config = config;
    search->channel = channel;
    search->until_ms = sb_monotonic_ms() + ASK_MS;
    search->port = port;
    search->host = strdup(host);
    if (search->host != NULL) {
        channel->searches++;
        return search;
    }
    free(search);
    return NULL;
}

void exo_search_free(struct exo_search *search)
{
    search->channel->searches--;
    free(search->targets);
    free(search->host);
    free(search);
}

static int is_too_late(const struct exo_search *search)
{
    return search->channel->closing || sb_monotonic_ms() >= search->until_ms;
}

/* When a server refuses a connection, or c-ares 1.34 cannot read one of its answers, c-ares drops every question on its
 * way to that server. So a search asks such a question again, at another moment. Returns 1, or 0 when it has done so
 * often enough. */
static int repeat(struct exo_search *search, int status, void (*ask)(struct exo_search *search))
{
    unsigned wait = (unsigned)REPEAT_MS << search->repeated;
    if ((status != ARES_EBADRESP && status != ARES_ECONNREFUSED) || search->repeated == MAX_REPEATED ||
        is_too_late(search))
        return 0;
    search->repeated++;
    search->again = ask;
    search->again_ms = sb_monotonic_ms() + wait + osip_build_random_number() % wait;
    return 1;
}

int exo_search_go_on(struct exo_search *search, int64_t now)
{
    void (*ask)(struct exo_search *) = search->again;
    if (ask == NULL)
        return -1;
    if (now < search->again_ms && !search->channel->closing)
        return (int)(search->again_ms - now);
    search->again = NULL;
    if (is_too_late(search))
        search->is_over = 1;
    else
        ask(search);
    return search->is_over || search->again != NULL ? 0 : -1; /* c-ares may call back at once */
}

/* ------------------------------------------------------------------------------------------------------
 * Addresses
 */
static void ask_address(struct exo_search *search);

static void print_address(int family, const void *found, unsigned port, char address[EXO_ADDRESS_SIZE])
{
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(family, found, text, sizeof text);
    snprintf(address, EXO_ADDRESS_SIZE, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
}

/* Find the first address that is not to be avoided. Returns 1 when there is one. Otherwise search->address becomes the
 * first that is to be avoided, unless it was set before. */
static int choose(struct exo_search *search, const struct hostent *found, unsigned port)
{
    const struct exo_dns_config *config = search->config;
    char text[EXO_ADDRESS_SIZE];
    int i, good = 0;
    if (found->h_addrtype != config->family)
        return 0;
    for (i = 0; found->h_addr_list[i] != NULL && !good; i++) {
        print_address(config->family, found->h_addr_list[i], port, text);
        good = !config->avoid(config->arg, text);
        if (good || search->address[0] == '\0')
            memcpy(search->address, text, sizeof text);
    }
    return good;
}

/* The server that the search asks the address of, and its port. */
static const char *server_of(const struct exo_search *search, unsigned *port)
{
    const struct exo_dns_target *target;
    if (search->targets == NULL) {
        *port = (unsigned)(search->port != 0 ? search->port : search->config->default_port);
        return search->host;
    }
    target = &search->targets[search->place];
    *port = target->port;
    return target->host;
}

static void on_address(void *data, int status, int timeouts, struct hostent *found)
{
    struct exo_search *search = data;
    unsigned port;
    (void)timeouts;
    server_of(search, &port);
    if (repeat(search, status, ask_address))
        return;
    if (status == ARES_SUCCESS && found != NULL && choose(search, found, port))
        search->is_over = 1;
    else if (++search->place >= search->count || is_too_late(search))
        search->is_over = 1;
    else
        ask_address(search);
}

static void ask_address(struct exo_search *search)
{
    unsigned port;
    const char *server = server_of(search, &port);
    ares_gethostbyname(search->channel->ares, server, search->config->family, on_address, search);
}

/* ------------------------------------------------------------------------------------------------------
 * SRV and NAPTR
 */
static void ask_services(struct exo_search *search);
static void ask_naptr(struct exo_search *search);

static void on_services(void *data, int status, int timeouts, unsigned char *octets, int length)
{
    struct exo_search *search = data;
    struct exo_dns_target targets[EXO_DNS_TARGETS];
    int count = status == ARES_SUCCESS ? exo_dns_read_services(octets, length, targets) : 0;
    (void)timeouts;
    if (repeat(search, status, ask_services))
        return;
    if (count > 0)
        search->targets = malloc((size_t)count * sizeof *targets);
    /* A domain that does not offer the service has no address for it. */
    if (count < 0 || (count > 0 && search->targets == NULL) || is_too_late(search)) {
        search->is_over = 1;
        return;
    }
    if (count > 0)
        memcpy(search->targets, targets, (size_t)count * sizeof *targets);
    search->count = count;
    ask_address(search);
}

static void ask_services(struct exo_search *search)
{
    ares_query(search->channel->ares, search->name, ns_c_in, ns_t_srv, on_services, search);
}

static void on_naptr(void *data, int status, int timeouts, unsigned char *octets, int length)
{
    struct exo_search *search = data;
    (void)timeouts;
    if (repeat(search, status, ask_naptr))
        return;
    if (is_too_late(search)) {
        search->is_over = 1;
        return;
    }
    if (status != ARES_SUCCESS || !exo_dns_read_naptr(octets, length, search->config->naptr, search->name))
        snprintf(search->name, sizeof search->name, "%s%s", search->config->service, search->host);
    ask_services(search);
}

static void ask_naptr(struct exo_search *search)
{
    ares_query(search->channel->ares, search->host, ns_c_in, ns_t_naptr, on_naptr, search);
}

void exo_search_start(struct exo_search *search)
{
    if (!exo_dns_is_name(search->host))
        search->is_over = 1;
    else if (search->port == 0 && strlen(search->host) + strlen(search->config->service) < EXO_DNS_NAME)
        ask_naptr(search);
    else
        ask_address(search);
}
