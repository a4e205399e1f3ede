/* origin.c - see origin.h. */
#include "origin.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const char MAPPED[] = "::ffff:"; /* RFC 4291, 2.5.5.2 */

void sb_origin_name(struct sb_origin *origin, const char *host, int port, int transport)
{
    if (strncmp(host, MAPPED, sizeof MAPPED - 1) == 0 && strchr(host, '.') != NULL)
        host += sizeof MAPPED - 1;
    snprintf(origin->host, sizeof origin->host, "%s", host);
    origin->port = port;
    origin->transport = transport;
}

void sb_origin_set(struct sb_origin *origin, const struct sockaddr *address, int transport)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    int is_six = address->sa_family == AF_INET6;
    char host[INET6_ADDRSTRLEN];
    const void *octets = is_six ? (const void *)&six->sin6_addr : (const void *)&four->sin_addr;
    if (inet_ntop(address->sa_family, octets, host, sizeof host) == NULL)
        return;
    sb_origin_name(origin, host, ntohs(is_six ? six->sin6_port : four->sin_port), transport);
}

void sb_origin_write(const struct sb_origin *origin, char *peer, size_t size)
{
    peer[0] = '\0';
    if (origin->transport != 0)
        snprintf(peer, size, strchr(origin->host, ':') != NULL ? "[%s]:%d" : "%s:%d", origin->host, origin->port);
}

void sb_origin_tell(const struct sb_origin *origin, sb_event *event)
{
    if (origin == NULL)
        return;
    event->time_us = origin->time_us;
    event->source_transport = origin->transport;
    event->source_port = origin->port;
    event->source = origin->transport == 0 ? NULL : origin->host;
}
