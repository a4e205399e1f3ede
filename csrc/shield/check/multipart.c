/* multipart.c - the parts of a body (RFC 2046, 5.1.1).
 *
 * libosip2 takes the parts apart itself, and trusts them to be well formed. A part without even the empty line in front
 * of its content makes it copy -2 octets (CVE-2017-7853).
 */
#include <string.h>
#include <strings.h>

#include "scan.h"

/* Find the next delimiter: CR LF, or the beginning of the body; "--"; the boundary. Returns what follows it, or NULL.
 * Sets `before` to where it begins. */
static const char *next_delimiter(const char *at, const char *end, struct shield_span boundary,
                                  const char **before)
{
    while ((at = memmem(at, (size_t)(end - at), "--", 2)) != NULL) {
        *before = at;
        at += 2;
        if ((size_t)(end - at) < boundary.length)
            return NULL;
        /* The LF alone counts, as for the library. The octet in front of a body is the LF that ends the header. */
        if ((*before)[-1] == '\n' && memcmp(at, boundary.at, boundary.length) == 0)
            return at + boundary.length;
        at = *before + 1;
    }
    return NULL;
}

/* libosip2 compares only the beginning of a name. */
static int is_content_type(struct shield_span name)
{
    static const char NAME[] = "Content-Type";
    return name.length >= sizeof NAME - 1 && strncasecmp(name.at, NAME, sizeof NAME - 1) == 0;
}

/* A part: CR LF, header fields, an empty line; then anything. With a second Content-Type, libosip2 would lose the
 * memory of the first. */
static int is_part(const char *at, const char *end)
{
    const char *line;
    int types = 0;
    if (end - at < 4 || at[0] != '\r' || at[1] != '\n')
        return 0;
    at += 2;
    while ((line = shield_field_end(at, end)) != NULL && line != at) {
        struct scan scan = {at, line};
        struct shield_span name;
        if (!shield_octets(at, line) || !scan_token(&scan, &name) || !scan_separator(&scan, ':'))
            return 0;
        types += is_content_type(name);
        at = line + 2;
    }
    return line != NULL && types <= 1;
}

int shield_multipart(struct shield_span body, struct shield_span boundary)
{
    const char *end = body.at + body.length, *before, *next;
    const char *at = next_delimiter(body.at, end, boundary, &before);
    while (at != NULL) {
        next = next_delimiter(at, end, boundary, &before);
        if (next == NULL || !is_part(at, before))
            return 0;
        if (end - next >= 2 && next[0] == '-' && next[1] == '-')
            return 1;
        at = next;
    }
    return 0;
}
