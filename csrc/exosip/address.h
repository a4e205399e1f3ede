/* address.h - addresses as libeXosip2 takes them. */
#ifndef SB_EXOSIP_ADDRESS_H
#define SB_EXOSIP_ADDRESS_H

#include "engine.h"

struct exosip;

/* Between whom a request of ours goes, and over which proxy. */
struct exo_addresses {
    char *to, *from; /* in "<>": without, a URI's parameters would be the header field's (20.10) */
    char *route;     /* the value of a Route header; NULL: no proxy */
};

/* What the parties do not say is the engine's own. SB_OK, SB_EINVAL for a route that is none, or SB_ENOMEM. To be cleared in
 * any case. */
int exo_addresses_set(struct exo_addresses *addresses, const struct exosip *state, const sb_parties *parties);
void exo_addresses_clear(struct exo_addresses *addresses);

/* Whether the library can send to it. */
int exo_check_target(const sb_parties *parties);

/* The value of a Route header, to be freed, for a proxy's URI; NULL when it is none, or memory is out. */
char *exo_route(const char *uri);
char *exo_in_brackets(const char *uri); /* "<uri>", to be freed; NULL when memory is out */

#endif
