/* frame.c - where a message on a stream ends (18.3). */
#include <string.h>

#include "scan.h"

/* Read what follows the name of a Content-Length field: returns the number, or -1 when it is none. */
static long length_behind(struct scan scan)
{
    unsigned long number;
    if (*scan.at != ':' && *scan.at != ' ')
        return -1;
    if (!scan_separator(&scan, ':') || !scan_number(&scan, 0x7fffffff, &number) || !scan_is_over(&scan))
        return -1;
    return (long)number;
}

/* Find the length that a Content-Length field tells; 0 when there is no such field, -1 when its value is no number.
 * libeXosip2 looks for the name with a colon or a space behind it. With anything else there it would end the message at
 * another octet. shield_check() finds whatever else is wrong with the message. */
static long told_length(const char *at, const char *end)
{
    struct shield_span name;
    while (at < end) {
        const char *next = memmem(at, (size_t)(end - at), "\r\n", 2);
        struct scan scan = {at, next == NULL ? end : next};
        if (scan_token(&scan, &name) && (shield_span_is(name, "Content-Length") || shield_span_is(name, "l")))
            return length_behind(scan);
        at = scan.end + 2;
    }
    return 0;
}

static size_t leading_line_ends(const char *at, const char *end)
{
    size_t count = 0;
    while (at + count < end && (at[count] == '\r' || at[count] == '\n'))
        count++;
    return count;
}

/* Whether the start line is longer than one may be, and has not ended. */
static int is_endless(const char *at, const char *end)
{
    return end - at > SHIELD_MAX_START && memmem(at, (size_t)(end - at), "\r\n", 2) == NULL;
}

long shield_frame(const char *octets, size_t length, size_t limit)
{
    const char *at = octets, *end = octets + length, *blank;
    long body;
    at += leading_line_ends(at, end);
    if (at == end)
        return length > limit ? -1 : (long)length; /* a keep-alive (RFC 5626, 4.4.1), or nothing */
    blank = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
    if (blank == NULL)
        return is_endless(at, end) || length >= limit ? -1 : 0;
    body = told_length(at, blank + 2);
    if (body < 0 || (size_t)(blank + 4 - octets) + (size_t)body > limit)
        return -1;
    body += blank + 4 - octets;
    return body <= (long)length ? body : 0;
}
