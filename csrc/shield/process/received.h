/* received.h - where the message came from that the library received last, for each thread its own. */
#ifndef SB_SHIELD_RECEIVED_H
#define SB_SHIELD_RECEIVED_H

#include <netinet/in.h>
#include <stdint.h>

#include "shield.h"

struct shield_origin {
    enum shield_transport transport;
    int port;
    int64_t time_us;             /* when the library received it: microseconds since 1970, UTC */
    char host[INET6_ADDRSTRLEN]; /* as inet_ntop() writes it */
};

/* Note it for this thread, which is about to give the library a message from there. */
void shield_note_origin(const char *host, int port, enum shield_transport transport, int64_t time_us);

/* What this thread noted last: 1, and once only; else 0. libeXosip2 receives a message, parses it and shows it to a
 * callback in one thread, one message after the other. So the callback finds here what its message came from. */
int shield_take_origin(struct shield_origin *origin);

#endif
