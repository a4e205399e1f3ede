/* octets.c - finds the ends of lines, and the octets that must not be in them (7.3.1, 25.1). */
#include <string.h>

#include "scan.h"

/* Find the CR LF that ends the line; NULL when there is none. */
const char *shield_line_end(const char *at, const char *end)
{
    while (end - at >= 2) {
        at = memchr(at, '\r', (size_t)(end - at - 1));
        if (at == NULL)
            return NULL;
        if (at[1] == '\n')
            return at;
        at++;
    }
    return NULL;
}

/* The same for a header field with its folds (7.3.1). What follows the empty line is no field. */
const char *shield_field_end(const char *at, const char *end)
{
    const char *found = shield_line_end(at, end);
    while (found != NULL && found > at && end - found > 2 && (found[2] == ' ' || found[2] == '\t'))
        found = shield_line_end(found + 2, end);
    return found;
}

static int is_plain(char octet)
{
    unsigned char c = (unsigned char)octet;
    return (c >= ' ' && c != 0x7f) || c == '\t';
}

/* Whether two octets belong together: a quoted pair (25.1), or the end of a line that is folded, for which
 * shield_field_end() saw to what follows. */
static int is_pair(const char *at, const char *end, int quoted)
{
    if (*at == '\\')
        return quoted && end - at > 1 && at[1] != '\r' && at[1] != '\n';
    return *at == '\r' && end - at > 2 && at[1] == '\n';
}

/* Whether the octets of a start line or a header field may be there: a control character, NUL among them, only
 * behind a backslash within quotes (25.1). */
int shield_octets(const char *at, const char *end)
{
    int quoted = 0;
    for (; at < end; at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (is_pair(at, end, quoted))
            at++;
        else if (!is_plain(*at))
            return 0;
    }
    return 1;
}
