/* listen.h - where the engine listens. */
#ifndef SB_EXOSIP_LISTEN_H
#define SB_EXOSIP_LISTEN_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "engine.h"

struct exosip;

/* The address to listen on. */
struct exo_place {
    struct sockaddr_storage address;
    socklen_t size;
    int type;                    /* SOCK_DGRAM or SOCK_STREAM */
    char text[INET6_ADDRSTRLEN]; /* the address, without the port */
};

/* Whether the library can do what is asked for: SB_OK, SB_ENOTSUP or SB_ETOOBIG. */
int exo_check_offer(const sb_config *config);

/* Find the address of a host: an IPv4 address, unless the host is written as an IPv6 one. SB_OK, or SB_ENET when there
 * is none. */
int exo_find_place(const sb_config *config, struct exo_place *place);

/* Listen there, and set what our messages say of that. Returns the port, or an error. */
int exo_listen(struct exosip *state, const sb_config *config, const struct exo_place *place);

#endif
