/* origin.h - where a message really came from, and when. */
#ifndef SB_ORIGIN_H
#define SB_ORIGIN_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "engine.h"

struct sb_origin {
    int transport;               /* enum sb_transport; 0: nobody knows where it came from */
    int port;
    int64_t time_us;             /* microseconds since 1970, UTC; 0: nobody knows */
    char host[INET6_ADDRSTRLEN]; /* as inet_ntop() writes it */
};

/* Fill it in, but for the time. An IPv4 address that an IPv6 socket shows in its own way ("::ffff:192.0.2.1") is written
 * as the IPv4 address that it is. */
void sb_origin_set(struct sb_origin *origin, const struct sockaddr *address, int transport);
/* The same for a host that is text already. */
void sb_origin_name(struct sb_origin *origin, const char *host, int port, int transport);

/* Write it as a peer's "host:port", an IPv6 address in brackets; "" where nobody knows it. `size`: at least 1. */
void sb_origin_write(const struct sb_origin *origin, char *peer, size_t size);

/* Tell it in an event, which points into it from now on. NULL: nothing is known. */
void sb_origin_tell(const struct sb_origin *origin, sb_event *event);

#endif
