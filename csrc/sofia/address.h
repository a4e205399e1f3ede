/* address.h - addresses as Sofia-SIP takes them. */
#ifndef SB_SOFIA_ADDRESS_H
#define SB_SOFIA_ADDRESS_H

#include "engine.h"
#include "library.h"

/* A name-addr or a URI as the value of From or To; NULL when memory is out. */
sip_addr_t *sof_parse_address(su_home_t *home, const char *address);

/* Whether the engine can send to it: a sip: URI with a host, and over TLS sips:. SB_OK, SB_EINVAL or SB_ENOTSUP. */
int sof_check_target(const struct sofia *state, const url_t *url);

/* Our Contact for a request to this URI, or from a peer that used it: a sips: URI for sips: alone (RFC 3261, 8.1.1.8
 * and 12.1.1; RFC 5630, 5.1). */
sip_contact_t *sof_contact(const struct sofia *state, const url_t *url);

/* A Route header over a proxy, as a loose router (16.12.1); NULL when the URI is none. */
sip_route_t *sof_route(su_home_t *home, const char *proxy);

#endif
