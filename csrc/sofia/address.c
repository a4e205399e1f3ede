/* address.c - addresses as Sofia-SIP takes them. */
#include "address.h"

#include <string.h>

#include "state.h"

sip_addr_t *sof_parse_address(su_home_t *home, const char *address)
{
    const char *open = strchr(address, '<');
    return sip_to_make(home, open != NULL ? address : su_sprintf(home, "<%s>", address));
}

int sof_check_target(const struct sofia *state, const url_t *url)
{
    if (url->url_type == url_invalid || url->url_type == url_unknown)
        return SB_EINVAL;
    if (url->url_type != url_sip && (url->url_type != url_sips || state->transport != SB_TLS))
        return SB_ENOTSUP;
    return url->url_host == NULL || url->url_host[0] == '\0' ? SB_EINVAL : SB_OK;
}

sip_contact_t *sof_contact(const struct sofia *state, const url_t *url)
{
    return url->url_type == url_sips ? state->secure : state->contact;
}

sip_route_t *sof_route(su_home_t *home, const char *proxy)
{
    url_t *url = url_make(home, proxy);
    if (url == NULL || url->url_type == url_unknown || url->url_host == NULL)
        return NULL;
    return sip_route_format(home, url_has_param(url, "lr") ? "<%s>" : "<%s;lr>", proxy);
}
