/* address.c - addresses as libeXosip2 takes them. */
#include "address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "library.h"
#include "message.h"
#include "screen.h"
#include "state.h"

char *exo_in_brackets(const char *uri)
{
    size_t size = strlen(uri) + 3;
    char *text = malloc(size);
    if (text != NULL)
        snprintf(text, size, "<%s>", uri);
    return text;
}

/* A URI or a name-addr as a name-addr, to be freed; NULL when memory is out. */
static char *name_addr(const char *address)
{
    return strchr(address, '<') == NULL ? exo_in_brackets(address) : strdup(address);
}

/* The URI stays as it was given. The library would write a parameter of one blank as none, and could not read the next
 * one. */
char *exo_route(const char *proxy)
{
    osip_uri_t *uri = NULL;
    osip_uri_param_t *loose = NULL;
    size_t size = strlen(proxy) + sizeof "<;lr>";
    char *route = NULL;
    if (osip_uri_init(&uri) != 0)
        return NULL;
    if (osip_uri_parse(uri, proxy) == 0 && (route = malloc(size)) != NULL) {
        osip_uri_uparam_get_byname(uri, (char *)"lr", &loose);
        snprintf(route, size, loose != NULL ? "<%s>" : "<%s;lr>", proxy);
    }
    osip_uri_free(uri);
    return route;
}

int exo_addresses_set(struct exo_addresses *addresses, const struct exosip *state, const sb_parties *parties)
{
    memset(addresses, 0, sizeof *addresses);
    if (parties->route != NULL && (addresses->route = exo_route(parties->route)) == NULL)
        return SB_EINVAL;
    if (parties->route == NULL && state->route != NULL && (addresses->route = strdup(state->route)) == NULL)
        return SB_ENOMEM;
    addresses->to = name_addr(parties->to);
    addresses->from = name_addr(parties->from != NULL ? parties->from : state->address);
    return addresses->to != NULL && addresses->from != NULL ? SB_OK : SB_ENOMEM;
}

void exo_addresses_clear(struct exo_addresses *addresses)
{
    free(addresses->to);
    free(addresses->from);
    free(addresses->route);
}

/* ------------------------------------------------------------------------------------------------------
 * What it can send to
 */

/* 3.3 writes the user of its own address into 200 octets, within the dialog. */
static int is_long_sender(const char *address)
{
    osip_from_t *from = NULL;
    int is_long;
    if (address == NULL || osip_from_init(&from) != 0)
        return 0;
    is_long = osip_from_parse(from, address) == 0 && exo_is_long_user(from);
    osip_from_free(from);
    return is_long;
}

/* A sip: URI with a host: the library would take sips: for sip:, and tel: for no host. */
static int check_uri(const osip_uri_t *uri)
{
    if (uri == NULL || uri->scheme == NULL)
        return SB_EINVAL;
    if (strcasecmp(uri->scheme, "sip") != 0)
        return SB_ENOTSUP;
    return uri->host == NULL || uri->host[0] == '\0' ? SB_EINVAL : SB_OK;
}

int exo_check_target(const sb_parties *parties)
{
    osip_to_t *to = NULL;
    char *address;
    int code = SB_ENOMEM;
    if (strlen(parties->to) > EXO_MAX_START_LINE || (EXO_IS_3_3 && is_long_sender(parties->from)))
        return SB_ETOOBIG;
    if (osip_to_init(&to) != 0)
        return SB_ENOMEM;
    address = name_addr(parties->to);
    if (address != NULL)
        code = osip_to_parse(to, address) != 0 ? SB_EINVAL : check_uri(to->url);
    free(address);
    osip_to_free(to);
    return code;
}
