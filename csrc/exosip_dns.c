/* exosip_dns.c - the servers of a host (RFC 3263), by the resolver of the C library. */
#include "exosip_dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <osipparser2/osip_port.h>

#include "events.h"

enum {
    MAX_ANSWER = 8192, /* octets; what is longer is read as far as that */
    MAX_TARGETS = 32,  /* SRV records of one name; the others are left out */
    ASK_S = 1,         /* for each server the first time; twice that the second time, which is the last */
    GIVE_UP_MS = 8000  /* after so long nothing more is asked */
};

struct target {
    unsigned priority, weight, port;
    char host[NS_MAXDNAME];
};

struct answer {
    unsigned char octets[MAX_ANSWER];
    ns_msg message;
    int count; /* of records */
};

/* ------------------------------------------------------------------------------------------------------
 * Which servers
 */

/* The servers and the port of a file, in place of the system's. A line that is none is passed over, as by the system. */
static void read_servers(FILE *file)
{
    char line[256], value[128];
    unsigned port = NS_DEFAULTPORT;
    int i, count = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        struct sockaddr_in server;
        memset(&server, 0, sizeof server);
        server.sin_family = AF_INET;
        if (sscanf(line, " port %u", &port) == 1 || sscanf(line, " nameserver %127s", value) != 1)
            continue;
        if (count < MAXNS && inet_pton(AF_INET, value, &server.sin_addr) == 1)
            _res.nsaddr_list[count++] = server;
    }
    for (i = 0; i < count; i++)
        _res.nsaddr_list[i].sin_port = htons((uint16_t)port);
    if (count > 0)
        _res.nscount = count;
}

void exo_dns_begin(struct exo_dns *dns, const char *resolv_conf)
{
    FILE *file;
    res_init();
    dns->servers = _res.nscount;
    _res.retrans = ASK_S;
    _res.retry = 2;
    file = resolv_conf == NULL ? NULL : fopen(resolv_conf, "r");
    if (file != NULL) {
        read_servers(file);
        fclose(file);
    }
}

void exo_dns_end(const struct exo_dns *dns)
{
    _res.nscount = dns->servers; /* the C library frees what belongs to the thread only where it knows it again */
}

/* ------------------------------------------------------------------------------------------------------
 * Records
 */

/* True when there are records of this type. */
static int ask(struct answer *answer, const char *name, int type)
{
    int length = res_query(name, ns_c_in, type, answer->octets, sizeof answer->octets);
    answer->count = 0;
    if (length <= 0)
        return 0;
    if (length > (int)sizeof answer->octets)
        length = (int)sizeof answer->octets;
    if (ns_initparse(answer->octets, length, &answer->message) != 0)
        return 0;
    answer->count = ns_msg_count(answer->message, ns_s_an);
    return answer->count > 0;
}

/* A name within a record's data. */
static int expand(struct answer *answer, const unsigned char *from, char name[NS_MAXDNAME])
{
    return dn_expand(ns_msg_base(answer->message), ns_msg_end(answer->message), from, name, NS_MAXDNAME) > 0 &&
           name[0] != '\0' && strcmp(name, ".") != 0;
}

/* The record of that type at a place among the answers: 1, or 0. */
static int record_at(struct answer *answer, int place, int type, ns_rr *record)
{
    return ns_parserr(&answer->message, ns_s_an, place, record) == 0 && (int)ns_rr_type(*record) == type;
}

static int by_priority(const void *a, const void *b)
{
    const struct target *left = a, *right = b;
    return left->priority < right->priority ? -1 : left->priority > right->priority;
}

/* Bring one to the front of those of a priority, each as often as its weight says (RFC 2782). */
static void draw(struct target *targets, int count)
{
    unsigned sum = 0, drawn;
    struct target chosen;
    int i;
    for (i = 0; i < count; i++)
        sum += targets[i].weight;
    if (sum == 0)
        return;
    drawn = osip_build_random_number() % sum;
    for (i = 0; i < count - 1 && drawn >= targets[i].weight; i++)
        drawn -= targets[i].weight;
    chosen = targets[i];
    memmove(targets + 1, targets, (size_t)i * sizeof *targets);
    targets[0] = chosen;
}

static void order(struct target *targets, int count)
{
    int from, to;
    qsort(targets, (size_t)count, sizeof *targets, by_priority);
    for (from = 0; from < count; from++) {
        for (to = from + 1; to < count && targets[to].priority == targets[from].priority;)
            to++;
        draw(targets + from, to - from);
    }
}

/* The SRV records of a name, in the order in which to try them. Returns how many. */
static int services(const char *name, struct target targets[MAX_TARGETS])
{
    struct answer answer;
    ns_rr record;
    int i, count = 0;
    if (!ask(&answer, name, ns_t_srv))
        return 0;
    for (i = 0; i < answer.count && count < MAX_TARGETS; i++) {
        const unsigned char *data;
        if (!record_at(&answer, i, ns_t_srv, &record) || ns_rr_rdlen(record) < 7)
            continue;
        data = ns_rr_rdata(record);
        targets[count].priority = ns_get16(data);
        targets[count].weight = ns_get16(data + 2);
        targets[count].port = ns_get16(data + 4);
        count += expand(&answer, data + 6, targets[count].host);
    }
    order(targets, count);
    return count;
}

/* One of the texts in a NAPTR record: a length and the octets. Returns what follows it, or NULL. */
static const unsigned char *text_of(const unsigned char *data, const unsigned char *end, char text[256])
{
    if (data == NULL || data >= end || end - data <= data[0])
        return NULL;
    memcpy(text, data + 1, data[0]);
    text[data[0]] = '\0';
    return data + 1 + data[0];
}

/* The name that a NAPTR record of our service points to: 1 where it is of SRV records. */
static int replacement_of(const struct exo_dns *dns, struct answer *answer, const ns_rr *record, char name[NS_MAXDNAME])
{
    const unsigned char *end = ns_rr_rdata(*record) + ns_rr_rdlen(*record), *data = ns_rr_rdata(*record) + 4;
    char flags[256], service[256], pattern[256];
    if (ns_rr_rdlen(*record) < 8)
        return 0;
    data = text_of(data, end, flags);
    data = text_of(data, end, service);
    data = text_of(data, end, pattern);
    return data != NULL && data < end && strcasecmp(flags, "s") == 0 && strcasecmp(service, dns->naptr) == 0 &&
           expand(answer, data, name);
}

/* The name of the SRV records of a domain: what its NAPTR records say of our transport, of which there is one, or else
 * the usual one (RFC 3263, 4.1 and 4.2). */
static void name_services(const struct exo_dns *dns, const char *domain, char name[NS_MAXDNAME])
{
    struct answer answer;
    ns_rr record;
    char found[NS_MAXDNAME];
    unsigned long best = 0, rank;
    int i, any = 0;
    snprintf(name, NS_MAXDNAME, "%s%s", dns->service, domain);
    if (!ask(&answer, domain, ns_t_naptr))
        return;
    for (i = 0; i < answer.count; i++) {
        if (!record_at(&answer, i, ns_t_naptr, &record) || !replacement_of(dns, &answer, &record, found))
            continue;
        rank = ns_get32(ns_rr_rdata(record)); /* order, preference */
        if (any && rank >= best)
            continue;
        any = 1;
        best = rank;
        memcpy(name, found, NS_MAXDNAME);
    }
}

/* ------------------------------------------------------------------------------------------------------
 * Addresses
 */
static void print_address(const struct sockaddr *found, unsigned port, char address[EXO_ADDRESS_SIZE])
{
    char text[INET6_ADDRSTRLEN] = "";
    if (found->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)found)->sin6_addr, text, sizeof text);
        snprintf(address, EXO_ADDRESS_SIZE, "[%s]:%u", text, port);
    } else {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)found)->sin_addr, text, sizeof text);
        snprintf(address, EXO_ADDRESS_SIZE, "%s:%u", text, port);
    }
}

/* The first address of a host that is not to be avoided: 1. Otherwise 0; *address is set to the first one that was to
 * be, unless it is set already. */
static int address_of(const struct exo_dns *dns, const char *host, unsigned port, char address[EXO_ADDRESS_SIZE])
{
    struct addrinfo wanted, *found = NULL, *each;
    char text[EXO_ADDRESS_SIZE];
    int good = 0;
    memset(&wanted, 0, sizeof wanted);
    wanted.ai_family = dns->family;
    wanted.ai_socktype = SOCK_DGRAM;
    if (getaddrinfo(host, NULL, &wanted, &found) != 0)
        return 0;
    for (each = found; each != NULL && !good; each = each->ai_next) {
        print_address(each->ai_addr, port, text);
        good = !dns->avoid(dns->arg, text);
        if (good || address[0] == '\0')
            memcpy(address, text, sizeof text);
    }
    freeaddrinfo(found);
    return good;
}

int exo_dns_find(const struct exo_dns *dns, const char *host, int port, char address[EXO_ADDRESS_SIZE])
{
    int64_t until = sb_monotonic_ms() + GIVE_UP_MS;
    struct target targets[MAX_TARGETS];
    char name[NS_MAXDNAME];
    int i, count = 0;
    address[0] = '\0';
    if (port == 0 && strlen(host) < NS_MAXDNAME - 32) {
        name_services(dns, host, name);
        if (sb_monotonic_ms() < until)
            count = services(name, targets);
    }
    for (i = 0; i < count && sb_monotonic_ms() < until; i++)
        if (address_of(dns, targets[i].host, targets[i].port, address))
            return 1;
    if (count == 0 && sb_monotonic_ms() < until)
        address_of(dns, host, port != 0 ? (unsigned)port : (unsigned)dns->default_port, address);
    return address[0] != '\0';
}
