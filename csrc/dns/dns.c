/* dns.c - asks name servers, with c-ares, and waits for their answers.
 *
 * One channel of c-ares' serves any number of questions at a time with a few sockets. A channel that is made while no
 * question is on its way reads the configuration as it is then. Under constant load that would never happen, so a
 * channel is retired when it is old: new questions get another one, and it ends with its last question.
 */
#include "dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>

#ifdef __linux__
#include <linux/filter.h>
#endif

#include "clock.h"
#include "search.h"

enum {
    FIRST_ASK_MS = 1000,    /* for each server the first time; twice that the second time, which is the last */
    MAX_SERVERS = 3,
    MAX_SEARCHES = 16384,   /* a question is told from others by 16 bits */
    RETIRE_MS = 20000,      /* the age at which a channel is retired, */
    RETIRED_MS = 16000,     /* and how long it may take to end what was asked on it */
    LOOK_MS = 1000,         /* how often to look for such a channel */
    MAX_SOCKETS = 12        /* sockets of a channel: one for datagrams, and a connection to each of its servers */
};

struct exo_dns {
    struct exo_dns_config config;
    struct exo_channel channel, retired;
    struct exo_search *first;
    int count;
};

/* ------------------------------------------------------------------------------------------------------
 * Channels
 */
static void init_library(void)
{
    ares_library_init(ARES_LIB_INIT_ALL); /* on these systems there is nothing to free */
}

/* c-ares before 1.8 takes the port of all servers in network order. */
static unsigned short as_option(unsigned port)
{
    int version = 0;
    ares_version(&version);
    return version < 0x010800 ? htons((uint16_t)port) : (unsigned short)port;
}

/* Read the servers and the port from a file. Returns how many servers there are. It skips lines that are none, as the
 * system does. */
static int read_servers(const char *path, struct in_addr servers[MAX_SERVERS], unsigned *port)
{
    char line[256], value[128];
    int count = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, " port %u", port) != 1 && sscanf(line, " nameserver %127s", value) == 1 &&
            count < MAX_SERVERS && inet_pton(AF_INET, value, &servers[count]) == 1)
            count++;
    fclose(file);
    return count;
}

#ifdef __linux__
/* Take no datagram that is shorter than a message's header: c-ares before 1.19.1 takes an empty one for the end of the
 * server, and asks again whatever is on the way (CVE-2023-32067). */
static int on_socket(ares_socket_t fd, int type, void *unused)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 8 + 12, 0, 1), /* UDP's header, and DNS' */
        BPF_STMT(BPF_RET | BPF_K, 0x7fffffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog filter = {sizeof code / sizeof *code, code};
    (void)unused;
    if (type == SOCK_DGRAM)
        setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter); /* or it stays as it was */
    return 0;
}
#endif

/* Returns 1, or 0 when memory or the like is out. */
static int open_channel(struct exo_dns *dns)
{
    struct exo_channel *channel = &dns->channel;
    struct ares_options options;
    struct in_addr servers[MAX_SERVERS];
    unsigned port = 53;
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
    memset(&options, 0, sizeof options);
    options.timeout = FIRST_ASK_MS;
    options.tries = 2;
    if (dns->config.resolv_conf != NULL)
        options.nservers = read_servers(dns->config.resolv_conf, servers, &port);
    if (options.nservers > 0) {
        mask |= ARES_OPT_SERVERS | ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT;
        options.servers = servers;
        options.udp_port = options.tcp_port = as_option(port);
    }
    if (ares_init_options(&channel->ares, &options, mask) != ARES_SUCCESS) {
        channel->ares = NULL;
        return 0;
    }
#ifdef __linux__
    ares_set_socket_callback(channel->ares, on_socket, NULL);
#endif
    channel->closing = 0;
    channel->since_ms = sb_monotonic_ms();
    return 1;
}

/* End the questions on their way: c-ares tells each of them so. */
static void close_channel(struct exo_channel *channel)
{
    if (channel->ares == NULL)
        return;
    channel->closing = 1;
    ares_destroy(channel->ares);
    channel->ares = NULL;
}

/* Tell the searches on a channel where it stands now. */
static void retire(struct exo_dns *dns, int64_t now)
{
    struct exo_search *each;
    dns->retired = dns->channel;
    dns->retired.since_ms = now;
    for (each = dns->first; each != NULL; each = each->next)
        each->channel = &dns->retired;
    memset(&dns->channel, 0, sizeof dns->channel);
}

/* Find or make a channel for a new search. Returns 1, or 0 when there is none. */
static int need_channel(struct exo_dns *dns)
{
    int64_t now = sb_monotonic_ms();
    if (dns->channel.ares != NULL && now - dns->channel.since_ms >= RETIRE_MS && dns->retired.ares == NULL &&
        dns->retired.searches == 0)
        retire(dns, now);
    return dns->channel.ares != NULL || open_channel(dns);
}

/* ------------------------------------------------------------------------------------------------------
 * Searches
 */
static int is_asked(const struct exo_dns *dns, const char *host, int port)
{
    const struct exo_search *each;
    for (each = dns->first; each != NULL; each = each->next)
        if (!each->is_over && each->port == port && strcasecmp(each->host, host) == 0)
            return 1;
    return 0;
}

/* Tell the results of the searches that are over. */
static void sweep(struct exo_dns *dns)
{
    struct exo_search **link = &dns->first, *search;
    while ((search = *link) != NULL) {
        if (!search->is_over) {
            link = &search->next;
            continue;
        }
        *link = search->next;
        dns->count--;
        dns->config.found(dns->config.arg, search->host, search->port, search->address);
        exo_search_free(search);
    }
    if (dns->channel.searches == 0)
        close_channel(&dns->channel);
    if (dns->retired.searches == 0)
        close_channel(&dns->retired);
}

void exo_dns_ask(struct exo_dns *dns, const char *host, int port)
{
    struct exo_search *search = NULL;
    if (is_asked(dns, host, port))
        return;
    if (dns->count < MAX_SEARCHES && need_channel(dns))
        search = exo_search_new(&dns->config, &dns->channel, host, port);
    if (search == NULL) {
        dns->config.found(dns->config.arg, host, port, "");
        return;
    }
    search->next = dns->first;
    dns->first = search;
    dns->count++;
    exo_search_start(search);
    sweep(dns);
}

/* ------------------------------------------------------------------------------------------------------
 * Waiting
 */

/* Add the sockets that a channel waits for. Returns how many there are now, and lowers *timeout (milliseconds) to when
 * the channel has something to do. */
static int watch(struct exo_channel *channel, struct pollfd *fds, int count, int *timeout)
{
    struct timeval most = {LOOK_MS / 1000, LOOK_MS % 1000 * 1000}, buffer, *wait;
    ares_socket_t sockets[MAX_SOCKETS];
    int i, bits;
    if (channel->ares == NULL)
        return count;
    bits = ares_getsock(channel->ares, sockets, MAX_SOCKETS);
    for (i = 0; i < MAX_SOCKETS && ARES_GETSOCK_READABLE(bits, i); i++) {
        fds[count].fd = sockets[i];
        fds[count].events = (short)(POLLIN | (ARES_GETSOCK_WRITABLE(bits, i) ? POLLOUT : 0));
        fds[count++].revents = 0;
    }
    wait = ares_timeout(channel->ares, &most, &buffer);
    i = (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1);
    if (*timeout < 0 || i < *timeout)
        *timeout = i;
    return count;
}

/* Give c-ares what has arrived, and let it end what has waited too long. */
static void process(struct exo_channel *channel, const struct pollfd *fds, int count)
{
    int i;
    if (channel->ares == NULL)
        return;
    for (i = 0; i < count; i++)
        if (fds[i].revents != 0)
            ares_process_fd(channel->ares, fds[i].revents & ~POLLOUT ? fds[i].fd : ARES_SOCKET_BAD,
                            fds[i].revents & POLLOUT ? fds[i].fd : ARES_SOCKET_BAD);
    ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* Ask again the questions whose time has come. Returns the milliseconds until the next one, or -1. */
static int go_on(struct exo_dns *dns)
{
    int64_t now = sb_monotonic_ms();
    struct exo_search *each;
    int wait, least = -1;
    for (each = dns->first; each != NULL; each = each->next) {
        wait = exo_search_go_on(each, now);
        if (wait >= 0 && (least < 0 || wait < least))
            least = wait;
    }
    return least;
}

void exo_dns_wait(struct exo_dns *dns, int wake)
{
    struct pollfd fds[1 + 2 * MAX_SOCKETS] = {{wake, POLLIN, 0}};
    int timeout = go_on(dns), count, retired;
    retired = watch(&dns->retired, fds, 1, &timeout);
    count = watch(&dns->channel, fds, retired, &timeout);
    if (poll(fds, (nfds_t)count, timeout) < 0)
        return;
    process(&dns->retired, fds + 1, retired - 1);
    process(&dns->channel, fds + retired, count - retired);
    if (dns->retired.ares != NULL && sb_monotonic_ms() - dns->retired.since_ms >= RETIRED_MS)
        close_channel(&dns->retired);
    sweep(dns);
}

/* ------------------------------------------------------------------------------------------------------
 * All of it
 */
struct exo_dns *exo_dns_new(const struct exo_dns_config *config)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct exo_dns *dns = calloc(1, sizeof *dns);
    if (dns == NULL)
        return NULL;
    pthread_once(&once, init_library);
    dns->config = *config;
    return dns;
}

void exo_dns_free(struct exo_dns *dns)
{
    struct exo_search *search;
    if (dns == NULL)
        return;
    close_channel(&dns->channel);
    close_channel(&dns->retired);
    while ((search = dns->first) != NULL) {
        dns->first = search->next;
        exo_search_free(search);
    }
    free(dns);
}
