/* records.h - reads what a DNS answer says of the servers of a domain (RFC 2782, RFC 3403). It trusts no answer:
 * whatever the octets are, it ends soon, and reads no octet outside of them. */
#ifndef SB_DNS_RECORDS_H
#define SB_DNS_RECORDS_H

enum {
    EXO_DNS_NAME = 256,  /* room for the longest name in DNS */
    EXO_DNS_TARGETS = 32 /* how many SRV records of one name are used; others are left out */
};

/* A server that an SRV record names. */
struct exo_dns_target {
    unsigned priority, weight, port;
    char host[EXO_DNS_NAME];
};

/* Whether this can be the name of a host, or of a host's services: letters, digits, "-", "_" and single dots. */
int exo_dns_is_name(const char *name);

/* The SRV records of an answer, in the order in which to try them. Returns how many; -1: the domain says that it does
 * not offer the service. */
int exo_dns_read_services(const unsigned char *octets, int length, struct exo_dns_target targets[EXO_DNS_TARGETS]);

/* The name of the SRV records of a service ("SIP+D2U" and the like), as the NAPTR records of an answer have it. Returns
 * 1, or 0 when none does. */
int exo_dns_read_naptr(const unsigned char *octets, int length, const char *service, char name[EXO_DNS_NAME]);

#endif
