/* uri.c - whether a URI is one (19.1.1). */
#include <string.h>

#include "scan.h"

static int is_hex(char c)
{
    return c != '\0' && strchr("0123456789abcdefABCDEF", c) != NULL;
}

/* "%" and two hexadecimal digits. */
static int is_escape(const char *at, const char *end)
{
    return end - at >= 3 && is_hex(at[1]) && is_hex(at[2]);
}

static int ends_uri(char octet)
{
    unsigned char c = (unsigned char)octet;
    return c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == '"';
}

/* True when no octet ends the URI, and each "%" has two hexadecimal digits behind it. The URI must not be too long
 * either: an octet that is no letter or digit may become three when the library writes it (19.1.2). */
static int are_octets_sound(struct scan scan)
{
    size_t length = 0;
    for (; scan.at < scan.end; scan.at++) {
        if (ends_uri(*scan.at) || (*scan.at == '%' && !is_escape(scan.at, scan.end)))
            return 0;
        length += scan_is_token(*scan.at) && *scan.at != '`' ? 1 : 3;
    }
    return length <= SHIELD_MAX_URI;
}

/* What follows "sip:" or "sips:": [ user [ ":" password ] "@" ] host [ ":" port ], parameters, headers. */
static int is_sip(struct scan scan, int headers)
{
    const char *at = memchr(scan.at, '@', (size_t)(scan.end - scan.at));
    struct shield_span host, port;
    if (at != NULL) {
        if (at == scan.at || memchr(at + 1, '@', (size_t)(scan.end - at - 1)) != NULL)
            return 0;
        scan.at = at + 1;
    }
    if (!scan_host_port(&scan, &host, &port))
        return 0;
    if (scan.at < scan.end && *scan.at != ';' && *scan.at != '?')
        return 0;
    return headers || memchr(scan.at, '?', (size_t)(scan.end - scan.at)) == NULL;
}

int shield_uri(struct shield_span uri, int headers)
{
    struct scan scan = {uri.at, uri.at + uri.length};
    struct shield_span scheme = {uri.at, 0};
    if (!are_octets_sound(scan))
        return 0;
    while (scan.at < scan.end && *scan.at != ':' && scan_is_token(*scan.at))
        scan.at++;
    scheme.length = (size_t)(scan.at - uri.at);
    if (scheme.length == 0 || !scan_octet(&scan, ':') || scan.at == scan.end)
        return 0;
    if (shield_span_is(scheme, "sip") || shield_span_is(scheme, "sips"))
        return is_sip(scan, headers);
    return 1;
}
