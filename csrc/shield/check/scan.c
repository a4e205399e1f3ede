/* scan.c - see scan.h. */
#include "scan.h"

#include <string.h>
#include <strings.h>

enum { TOKEN = 1, DIGIT = 2, SPACE = 4, HOST = 8, WORD = 16, NAME = 32 };

/* Classes of octets. WORD: a parameter's value without quotes; NAME: a display name without quotes. Both take
 * more than the grammar: some peers do not quote what they should, and no library here is bothered by it. */
static const unsigned char CLASSES[256] = {
    ['\t'] = SPACE | NAME, ['\n'] = SPACE | NAME, ['\r'] = SPACE | NAME, [' '] = SPACE | NAME,
    ['!'] = TOKEN | WORD | NAME, ['#'] = WORD | NAME, ['$'] = WORD | NAME,
    ['%'] = TOKEN | WORD | NAME, ['&'] = WORD | NAME, ['\''] = TOKEN | WORD | NAME,
    ['('] = WORD | NAME, [')'] = WORD | NAME, ['*'] = TOKEN | WORD | NAME, ['+'] = TOKEN | WORD | NAME,
    ['-'] = TOKEN | HOST | WORD | NAME, ['.'] = TOKEN | HOST | WORD | NAME, ['/'] = WORD | NAME,
    ['0' ... '9'] = TOKEN | DIGIT | HOST | WORD | NAME,
    [':'] = WORD, ['='] = WORD | NAME, ['?'] = WORD | NAME, ['@'] = WORD | NAME,
    ['A' ... 'Z'] = TOKEN | HOST | WORD | NAME,
    ['['] = WORD | NAME, [']'] = WORD | NAME, ['^'] = WORD | NAME, ['_'] = TOKEN | HOST | WORD | NAME,
    ['`'] = TOKEN | WORD | NAME,
    ['a' ... 'z'] = TOKEN | HOST | WORD | NAME,
    ['{'] = WORD | NAME, ['|'] = WORD | NAME, ['}'] = WORD | NAME, ['~'] = TOKEN | WORD | NAME,
    [0x80 ... 0xff] = WORD | NAME,
};

static int is_in(char c, int class)
{
    return (CLASSES[(unsigned char)c] & class) != 0;
}

int scan_is_token(char c)
{
    return is_in(c, TOKEN);
}

int scan_is_digit(char c)
{
    return is_in(c, DIGIT);
}

int scan_is_space(char c)
{
    return is_in(c, SPACE);
}

/* Take the octets of a class. Returns how many there are. */
static size_t take(struct scan *scan, int class, struct shield_span *span)
{
    const char *begin = scan->at;
    while (scan->at < scan->end && is_in(*scan->at, class))
        scan->at++;
    if (span != NULL) {
        span->at = begin;
        span->length = (size_t)(scan->at - begin);
    }
    return (size_t)(scan->at - begin);
}

void scan_spaces(struct scan *scan)
{
    take(scan, SPACE, NULL);
}

int scan_octet(struct scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return 0;
    scan->at++;
    return 1;
}

int scan_separator(struct scan *scan, char c)
{
    scan_spaces(scan);
    if (!scan_octet(scan, c))
        return 0;
    scan_spaces(scan);
    return 1;
}

int scan_is_over(struct scan *scan)
{
    scan_spaces(scan);
    return scan->at == scan->end;
}

int scan_token(struct scan *scan, struct shield_span *token)
{
    return take(scan, TOKEN, token) > 0;
}

int scan_number(struct scan *scan, unsigned long limit, unsigned long *number)
{
    const char *begin = scan->at;
    *number = 0;
    for (; scan->at < scan->end && is_in(*scan->at, DIGIT); scan->at++) {
        unsigned long digit = (unsigned long)(*scan->at - '0');
        if (digit > limit || *number > (limit - digit) / 10)
            return 0;
        *number = *number * 10 + digit;
    }
    return scan->at > begin;
}

int scan_quoted(struct scan *scan)
{
    if (!scan_octet(scan, '"'))
        return 0;
    for (; scan->at < scan->end && *scan->at != '"'; scan->at++) {
        if (*scan->at == '\\' && ++scan->at == scan->end)
            return 0;
    }
    return scan_octet(scan, '"');
}

static int scan_ipv6(struct scan *scan)
{
    const char *begin;
    if (!scan_octet(scan, '['))
        return 0;
    begin = scan->at;
    while (scan->at < scan->end && strchr("0123456789abcdefABCDEF:.", *scan->at) != NULL && *scan->at != '\0')
        scan->at++;
    return scan->at > begin + 1 && scan_octet(scan, ']');
}

/* White space may stand around the colon: "host : 5060" (25.1; needed in Via). */
int scan_host_port(struct scan *scan, struct shield_span *host, struct shield_span *port)
{
    struct scan before;
    unsigned long number;
    port->at = NULL;
    host->at = scan->at;
    if (scan->at < scan->end && *scan->at == '[' ? !scan_ipv6(scan) : take(scan, HOST, NULL) == 0)
        return 0;
    host->length = (size_t)(scan->at - host->at);
    before = *scan;
    if (!scan_separator(scan, ':')) {
        *scan = before;
        return 1;
    }
    port->at = scan->at;
    if (!scan_number(scan, 65535, &number))
        return 0;
    port->length = (size_t)(scan->at - port->at);
    return 1;
}

/* Parameters that must have a value (25.1): the library reads one without looking whether it is there. */
static int needs_value(struct shield_span name)
{
    static const char *const NAMES[] = {"branch", "received", "maddr", "ttl",    "tag",
                                        "expires", "q",       "retry-after", "reason", "boundary",
                                        "refresher"};
    size_t i;
    for (i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (shield_span_is(name, NAMES[i]))
            return 1;
    return 0;
}

/* The library does not know quotes: each ';' in a quoted value begins another parameter for it. True when it would find
 * one there that must have a value and has none, or another boundary than the one that is meant. */
static int hides_param(struct shield_span quoted)
{
    struct scan scan = {quoted.at, quoted.at + quoted.length};
    struct shield_span name;
    while ((scan.at = memchr(scan.at, ';', (size_t)(scan.end - scan.at))) != NULL) {
        scan.at++;
        scan_spaces(&scan);
        if (!scan_token(&scan, &name) || !needs_value(name))
            continue;
        scan_spaces(&scan);
        if (scan_octet(&scan, '='))
            scan_spaces(&scan);
        if (scan.at < scan.end && (*scan.at == ';' || *scan.at == ',' || shield_span_is(name, "boundary")))
            return 1;
    }
    return 0;
}

/* Take what follows "=": a quoted text, or a word. */
static int scan_value(struct scan *scan, struct shield_span *value)
{
    int is_quoted = scan->at < scan->end && *scan->at == '"';
    value->at = scan->at;
    if (is_quoted ? !scan_quoted(scan) : take(scan, WORD, NULL) == 0)
        return 0;
    value->length = (size_t)(scan->at - value->at);
    return !is_quoted || !hides_param(*value);
}

int scan_param(struct scan *scan, struct scan_param *param)
{
    struct scan before = *scan;
    param->value.at = NULL;
    param->value.length = 0;
    if (!scan_separator(scan, ';')) {
        *scan = before;
        return 0;
    }
    if (!scan_token(scan, &param->name))
        return -1;
    before = *scan;
    if (!scan_separator(scan, '=')) {
        *scan = before;
        return needs_value(param->name) ? -1 : 1;
    }
    return scan_value(scan, &param->value) ? 1 : -1;
}

int scan_params(struct scan *scan)
{
    struct scan_param param;
    int found;
    do
        found = scan_param(scan, &param);
    while (found > 0);
    return found == 0;
}

/* "<" URI ">" */
static int scan_bracketed(struct scan *scan)
{
    struct shield_span uri;
    if (!scan_octet(scan, '<'))
        return 0;
    uri.at = scan->at;
    while (scan->at < scan->end && *scan->at != '>')
        scan->at++;
    uri.length = (size_t)(scan->at - uri.at);
    return scan_octet(scan, '>') && shield_uri(uri, 1);
}

/* Without brackets the URI ends at the first ',' or ';', and must have no '?' (20.10). */
static int scan_bare(struct scan *scan)
{
    struct shield_span uri;
    uri.at = scan->at;
    while (scan->at < scan->end && !is_in(*scan->at, SPACE) && *scan->at != ',' && *scan->at != ';')
        scan->at++;
    uri.length = (size_t)(scan->at - uri.at);
    return memchr(uri.at, '?', uri.length) == NULL && shield_uri(uri, 0);
}

int scan_address(struct scan *scan)
{
    struct scan before;
    scan_spaces(scan);
    if (scan->at < scan->end && *scan->at == '"') {
        if (!scan_quoted(scan))
            return 0;
        scan_spaces(scan);
        return scan_bracketed(scan);
    }
    before = *scan;
    take(scan, NAME, NULL);
    if (scan->at < scan->end && *scan->at == '<')
        return scan_bracketed(scan);
    *scan = before;
    return scan_bare(scan);
}

int shield_span_is(struct shield_span span, const char *text)
{
    return span.at != NULL && strlen(text) == span.length && strncasecmp(span.at, text, span.length) == 0;
}
