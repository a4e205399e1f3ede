/* address.h - addresses as libeXosip2 takes them. */
#ifndef SB_EXOSIP_ADDRESS_H
#define SB_EXOSIP_ADDRESS_H

#include "engine.h"

struct exosip;

/* From whom a request of ours goes to whom, and over which proxy. */
struct exo_addresses {
    char *to, *from; /* in "<>": without them, the URI's parameters would be those of the header field (20.10) */
    char *route;     /* the value of a Route header; NULL: no proxy */
};

/* Fill in the addresses; what the parties do not name is the engine's own. SB_OK, SB_EINVAL for a route that is none,
 * or SB_ENOMEM. Clear them in any case. */
int exo_addresses_set(struct exo_addresses *addresses, const struct exosip *state, const sb_parties *parties);
void exo_addresses_clear(struct exo_addresses *addresses);

/* Whether the library can send to these parties: SB_OK, SB_EINVAL, SB_ENOTSUP, SB_ETOOBIG or SB_ENOMEM. */
int exo_check_target(const sb_parties *parties);

/* The value of a Route header, to be freed, for a proxy's URI; NULL when it is none, or memory is out. */
char *exo_route(const char *uri);
char *exo_in_brackets(const char *uri); /* "<uri>", to be freed; NULL when memory is out */

#endif
