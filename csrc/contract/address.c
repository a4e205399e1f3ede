/* address.c - the grammar of addresses: RFC 3261, 25.1, and RFC 3966 for tel. sipbridge/uri.py has the same, and both
 * are held to tests/data/addresses.txt. What is taken beyond it: '_' in a host name, and '=' in the value of a
 * parameter.
 *
 * A URI from the user has no headers ("?Subject=hi"), which a library would write as lines of the message, and no
 * escape of a control character, which it would decode.
 */
#include <string.h>
#include <strings.h>

#include "check.h"

#define MARKS "-_.!~*'()"
#define IN_PARAMETER MARKS "[]/:&+$"
#define IN_TOKEN "-.!%*_+`'~"

/* The part of the text that is not read yet: from `at` to before `end`. */
struct text {
    const char *at;
    const char *end;
};

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int is_alphanumeric(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Pass letters, digits and what is in `others`. Returns how many. */
static size_t pass(struct text *text, const char *others)
{
    const char *start = text->at;
    while (text->at < text->end && (is_alphanumeric(*text->at) || is_one_of(*text->at, others)))
        text->at++;
    return (size_t)(text->at - start);
}

static int pass_one(struct text *text, char c)
{
    if (text->at == text->end || *text->at != c)
        return 0;
    text->at++;
    return 1;
}

/* Pass "%20" and the like, not "%0D", which stands for a control character. */
static int pass_escape(struct text *text)
{
    const char *at = text->at;
    if (text->end - at < 3 || *at != '%' || !is_hex(at[1]) || !is_hex(at[2]))
        return 0;
    if (at[1] == '0' || at[1] == '1' || (at[1] == '7' && (at[2] == 'f' || at[2] == 'F')))
        return 0;
    text->at += 3;
    return 1;
}

/* As pass(), with escapes. */
static size_t pass_escaped(struct text *text, const char *others)
{
    const char *start = text->at;
    while (pass(text, others) > 0 || pass_escape(text))
        ;
    return (size_t)(text->at - start);
}

/* "user@" or "user:password@", where there is one. */
static int pass_user(struct text *text)
{
    const char *at = memchr(text->at, '@', (size_t)(text->end - text->at));
    struct text user = {text->at, at};
    if (at == NULL)
        return 1;
    if (pass_escaped(&user, MARKS "&=+$,;?/") == 0)
        return 0;
    if (pass_one(&user, ':'))
        pass_escaped(&user, MARKS "&=+$,");
    text->at = at + 1;
    return user.at == user.end;
}

/* "[2001:db8::1]". Whether the brackets hold an address is found out by whoever resolves it. */
static int pass_ipv6(struct text *text)
{
    int colons = 0, length = 0;
    for (text->at++; text->at < text->end && (is_hex(*text->at) || is_one_of(*text->at, ":.")); text->at++, length++)
        colons += *text->at == ':';
    return colons >= 2 && length <= 45 && pass_one(text, ']');
}

static int pass_label(struct text *text)
{
    const char *start = text->at;
    return pass(text, "_-") > 0 && is_alphanumeric(*start) && is_alphanumeric(text->at[-1]);
}

static int pass_host(struct text *text)
{
    if (text->at < text->end && *text->at == '[')
        return pass_ipv6(text);
    if (!pass_label(text))
        return 0;
    while (pass_one(text, '.'))
        if (text->at == text->end || !is_alphanumeric(*text->at))
            return 1; /* the dot at the end of a full name */
        else if (!pass_label(text))
            return 0;
    return 1;
}

static int pass_port(struct text *text)
{
    long port = 0;
    int digits = 0;
    if (!pass_one(text, ':'))
        return 1;
    for (; digits <= 5 && text->at < text->end && is_digit(*text->at); text->at++, digits++)
        port = port * 10 + (*text->at - '0');
    return digits >= 1 && digits <= 5 && port <= 65535;
}

static int pass_parameters(struct text *text)
{
    while (pass_one(text, ';'))
        if (pass_escaped(text, IN_PARAMETER) == 0 ||
            (pass_one(text, '=') && pass_escaped(text, IN_PARAMETER "=") == 0))
            return 0;
    return 1;
}

/* A telephone number: after '+' digits alone; without it, whatever a telephone's key has. */
static int pass_number(struct text *text)
{
    int global = pass_one(text, '+'), found = 0;
    for (; text->at < text->end; text->at++)
        if (is_digit(*text->at) || (!global && (is_hex(*text->at) || is_one_of(*text->at, "*#"))))
            found = 1;
        else if (!is_one_of(*text->at, "-.()"))
            break;
    return found;
}

static int pass_word(struct text *text, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(text->end - text->at) < length || strncasecmp(text->at, word, length) != 0)
        return 0;
    text->at += length;
    return 1;
}

static int is_uri(struct text text)
{
    int fine;
    if (pass_word(&text, "tel:"))
        fine = pass_number(&text);
    else if (pass_word(&text, "sip:") || pass_word(&text, "sips:"))
        fine = pass_user(&text) && pass_host(&text) && pass_port(&text);
    else
        return 0;
    return fine && pass_parameters(&text) && text.at == text.end;
}

static int check_uri(const char *uri, size_t length)
{
    struct text text = {uri, uri + length};
    if (length > SB_MAX_STRING)
        return SB_ETOOBIG;
    return is_uri(text) ? SB_OK : SB_EINVAL;
}

int sb_check_uri(const char *uri)
{
    return uri == NULL ? SB_EINVAL : check_uri(uri, strlen(uri));
}

/* Past the quoted string, or the words, before the '<' of a name-addr. */
static int pass_display_name(struct text *text)
{
    if (!pass_one(text, '"')) {
        pass(text, IN_TOKEN " ");
        return 1;
    }
    while (text->at < text->end && *text->at != '"')
        text->at += *text->at == '\\' && text->end - text->at > 1 ? 2 : 1;
    if (!pass_one(text, '"'))
        return 0;
    while (pass_one(text, ' '))
        ;
    return 1;
}

int sb_check_address(const char *address)
{
    struct text text = {address, NULL};
    const char *close;
    int code = sb_check_text(address);
    if (code != SB_OK)
        return code;
    text.end = address + strlen(address);
    if (strpbrk(address, "<\t") == NULL)
        return check_uri(address, (size_t)(text.end - address));
    /* No parameters follow the URI: only the engine sets a tag. */
    if (strchr(address, '\t') != NULL || !pass_display_name(&text) || !pass_one(&text, '<') ||
        (close = memchr(text.at, '>', (size_t)(text.end - text.at))) == NULL || close[1] != '\0')
        return SB_EINVAL;
    return check_uri(text.at, (size_t)(close - text.at));
}

int sb_check_host(const char *host)
{
    struct text text = {host, host + strlen(host)};
    if (host[0] != '[' && strchr(host, ':') != NULL) /* IPv6 without brackets */
        return host[strspn(host, "0123456789abcdefABCDEF:.")] == '\0' ? SB_OK : SB_EINVAL;
    return pass_host(&text) && text.at == text.end ? SB_OK : SB_EINVAL;
}
