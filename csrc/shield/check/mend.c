/* mend.c - rewrites what is well formed and harms the library. The new text means the same, and is as long.
 *
 * libosip2 takes a value of nothing but white space for a string of no octets, and reads the octet in front of it,
 * which is not its own (osip_clrncpy(), CVE-2016-10324). It does the same with such an element of a list.
 */
#include <string.h>

#include "scan.h"

/* "Subject:  " becomes "Subject  :". White space may stand there (7.3.1), and for the library such a field has no value
 * at all. */
static void mend_value(char *colon, char *end)
{
    memset(colon, ' ', (size_t)(end - colon));
    end[-1] = ':';
}

/* What follows a quoted string, an escaped octet, or any other octet. A quote that is never closed counts as an octet.
 */
static char *behind_word(char *at, char *end)
{
    struct scan scan = {at, end};
    if (*at == '"' && scan_quoted(&scan))
        return at + (scan.at - at);
    return *at == '\\' && end - at > 1 ? at + 2 : at + 1;
}

/* "a, , b" becomes "a,   b". True when there was something to mend. */
static int mend_list(char *at, char *end)
{
    char *comma = NULL; /* only white space has followed it so far */
    int mended = 0;
    while (at < end) {
        if (*at == ',' && comma != NULL && at > comma + 1) {
            *at++ = ' ';
            mended = 1;
        } else if (*at == ',') {
            comma = at++;
        } else if (scan_is_space(*at)) {
            at++;
        } else {
            comma = NULL;
            at = behind_word(at, end);
        }
    }
    return mended;
}

/* The fields whose value the library takes as a whole; it splits the values of all others at their commas. */
static int is_list(struct shield_span name)
{
    static const char *const WHOLE[] = {"Date", "To", "From", "Call-ID", "CSeq", "Subject", "Expires", "Server",
                                        "User-Agent", "WWW-Authenticate", "Authentication-Info",
                                        "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info",
                                        "Organization", "Authorization"};
    size_t i;
    for (i = 0; i < sizeof WHOLE / sizeof *WHOLE; i++)
        if (shield_span_is(name, WHOLE[i]))
            return 0;
    return 1;
}

static int mend_field(char *at, char *end)
{
    struct shield_span name;
    struct scan scan = {at, end};
    char *colon;
    if (!scan_token(&scan, &name))
        return 0;
    scan_spaces(&scan);
    if (scan.at == end || *scan.at != ':')
        return 0;
    colon = at + (scan.at - at);
    scan.at++;
    if (scan.at < end && scan_is_over(&scan)) {
        mend_value(colon, end);
        return 1;
    }
    return is_list(name) && mend_list(colon + 1, end);
}

int shield_mend(char *octets, size_t length)
{
    char *at = octets, *end = octets + length;
    const char *line;
    int mended = 0;
    while (at < end && (*at == '\r' || *at == '\n')) /* 7.5 */
        at++;
    line = shield_line_end(at, end);
    while (line != NULL && line > at) {
        at += line + 2 - at;
        line = shield_field_end(at, end);
        if (line != NULL)
            mended |= mend_field(at, at + (line - at));
    }
    return mended;
}
