/* exosip_dns.h - the servers of a host, in the order in which to try them (RFC 3263). Knows nothing of the engine. */
#ifndef SB_EXOSIP_DNS_H
#define SB_EXOSIP_DNS_H

#include <netdb.h>

/* What a thread that asks was told. Each call is of the thread that called exo_dns_begin(). */
struct exo_dns {
    const char *service;  /* "_sip._udp." and the like: before a domain it names the SRV records; */
    const char *naptr;    /* "SIP+D2U" and the like: the service of a NAPTR record; */
    int default_port;     /* and where neither tells a port */
    int family;           /* AF_INET or AF_INET6 */
    int servers;          /* as exo_dns_end() has to put them back */
    /* Whether to pass over an address ("192.0.2.1:5060") while there is another. */
    int (*avoid)(void *arg, const char *address);
    void *arg;
};

/* Room for "[address]:port". */
enum { EXO_ADDRESS_SIZE = 64 };

/* Have this thread ask the servers that a file like /etc/resolv.conf names; NULL: the system's. */
void exo_dns_begin(struct exo_dns *dns, const char *resolv_conf);
void exo_dns_end(const struct exo_dns *dns);

/* Where requests for a host go; port: what the URI says, 0: nothing. Returns 1 with the address, or 0. Ends in a time
 * that the number of name servers bounds: some 10 s for one that does not answer. */
int exo_dns_find(const struct exo_dns *dns, const char *host, int port, char address[EXO_ADDRESS_SIZE]);

#endif
