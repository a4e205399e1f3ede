/* dns.h - the servers of hosts, in the order in which to try them (RFC 3263): any number at a time, by c-ares.
 * Knows nothing of the engine. One thread alone calls these functions. */
#ifndef SB_DNS_H
#define SB_DNS_H

/* Room for "[address]:port". */
enum { EXO_ADDRESS_SIZE = 64 };

struct exo_dns;

struct exo_dns_config {
    const char *service;     /* "_sip._udp." and the like: before a domain it names the SRV records; */
    const char *naptr;       /* "SIP+D2U" and the like: the service of a NAPTR record; */
    int default_port;        /* and where neither tells a port */
    int family;              /* AF_INET or AF_INET6 */
    const char *resolv_conf; /* a file like /etc/resolv.conf; NULL: the system's */
    /* Whether to pass over an address ("192.0.2.1:5060") while there is another. */
    int (*avoid)(void *arg, const char *address);
    /* Where requests for a host go; "": it has no address. host and port are those of exo_dns_ask(). */
    void (*found)(void *arg, const char *host, int port, const char *address);
    void *arg;               /* of both */
};

/* A copy of config is kept, but not of its texts. NULL when memory is out. */
struct exo_dns *exo_dns_new(const struct exo_dns_config *config);
/* Ends every search: found() is not called any more. */
void exo_dns_free(struct exo_dns *dns);

/* Find out where requests for a host go; port: what the URI says, 0: nothing. found() is called once, perhaps before
 * this returns; not again for a host and a port that are being asked for. */
void exo_dns_ask(struct exo_dns *dns, const char *host, int port);

/* Wait until `wake` can be read, or something happens to a search; then go on with the searches. */
void exo_dns_wait(struct exo_dns *dns, int wake);

#endif
