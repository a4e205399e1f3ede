/* check.c - see check.h. */
#include "check.h"

#include <string.h>
#include <strings.h>

enum { MAX_CALL_ID = 255 }; /* octets */

/* Headers that the engine writes: a second one would contradict it or start another message. */
static const char *const RESERVED[] = {
    "Via",     "v", "From",         "f", "To",           "t", "Call-ID",        "i", "CSeq",
    "Contact", "m", "Record-Route",      "Max-Forwards",      "Content-Type",   "c", "Content-Length", "l"};

static int is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Length within bounds and no control character but TAB. */
static int check_line(const char *text)
{
    size_t i;
    for (i = 0; text[i] != '\0'; i++) {
        if (i >= SB_MAX_STRING)
            return SB_ETOOBIG;
        if (is_control(text[i]) && text[i] != '\t')
            return SB_EINVAL;
    }
    return SB_OK;
}

int sb_check_text(const char *text)
{
    if (text == NULL || text[0] == '\0')
        return SB_EINVAL;
    return check_line(text);
}

int sb_check_optional_text(const char *text)
{
    return text == NULL ? SB_OK : sb_check_text(text);
}

int sb_check_reason(const char *text)
{
    return text == NULL ? SB_OK : check_line(text);
}

int sb_check_quoted(const char *text)
{
    int code = sb_check_text(text);
    if (code == SB_OK && (strchr(text, '"') != NULL || text[strlen(text) - 1] == '\\'))
        return SB_EINVAL;
    return code;
}

int sb_check_token(const char *text)
{
    size_t length;
    if (text == NULL || text[0] == '\0')
        return SB_EINVAL;
    length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~");
    if (text[length] != '\0')
        return SB_EINVAL;
    return length > SB_MAX_STRING ? SB_ETOOBIG : SB_OK;
}

int sb_check_expires(int expires)
{
    return expires < 0 ? SB_EINVAL : SB_OK;
}

static int check_port(int port)
{
    return port < 0 || port > 65535 ? SB_EINVAL : SB_OK;
}

/* Only a connection can be kept alive: nobody answers line ends in a datagram. */
static int check_keepalive(const sb_config *config)
{
    int on_stream = config->transport == SB_TCP || config->transport == SB_TLS;
    return config->keepalive < 0 || config->keepalive > (on_stream ? SB_MAX_KEEPALIVE : 0) ? SB_EINVAL : SB_OK;
}

static int check_texts(const sb_config *config)
{
    const char *const optional[] = {config->advertised_host, config->user_agent, config->tls_certificate,
                                    config->tls_private_key, config->tls_ca, config->resolv_conf};
    size_t i;
    int code = sb_check_text(config->host);
    for (i = 0; i < sizeof optional / sizeof *optional && code == SB_OK; i++)
        code = sb_check_optional_text(optional[i]);
    return code;
}

static int check_numbers(const sb_config *config)
{
    int code = check_keepalive(config);
    if (code == SB_OK)
        code = check_port(config->port);
    return code == SB_OK ? check_port(config->advertised_port) : code;
}

static int check_hosts(const sb_config *config)
{
    int code = sb_check_host(config->host);
    if (code == SB_OK && config->advertised_host != NULL)
        code = sb_check_host(config->advertised_host);
    if (code == SB_OK && config->outbound_proxy != NULL)
        code = sb_check_uri(config->outbound_proxy);
    return code;
}

int sb_check_config(const sb_config *config)
{
    int code;
    if (config == NULL || config->transport < 0 || config->transport > SB_TLS || config->last_id < 0)
        return SB_EINVAL;
    code = check_texts(config);
    if (code == SB_OK)
        code = check_numbers(config);
    return code == SB_OK ? check_hosts(config) : code;
}

int sb_check_parties(const sb_parties *parties)
{
    int code;
    if (parties == NULL)
        return SB_EINVAL;
    if ((code = sb_check_address(parties->to)) != SB_OK)
        return code;
    if (parties->from != NULL && (code = sb_check_address(parties->from)) != SB_OK)
        return code;
    return parties->route == NULL ? SB_OK : sb_check_uri(parties->route);
}

static int check_header(const sb_header *header)
{
    size_t i;
    int code = sb_check_token(header->name);
    if (code != SB_OK)
        return code;
    for (i = 0; i < sizeof RESERVED / sizeof *RESERVED; i++)
        if (strcasecmp(header->name, RESERVED[i]) == 0)
            return SB_EINVAL;
    return header->value == NULL ? SB_EINVAL : check_line(header->value);
}

static int check_headers(const sb_content *content)
{
    size_t i;
    int code = SB_OK;
    if (content->header_count > 0 && content->headers == NULL)
        return SB_EINVAL;
    for (i = 0; i < content->header_count && code == SB_OK; i++)
        code = check_header(&content->headers[i]);
    return code;
}

int sb_check_content(const sb_content *content)
{
    int code;
    if (content == NULL)
        return SB_OK;
    if (content->header_count > SB_MAX_HEADERS || content->body_len > SB_MAX_BODY)
        return SB_ETOOBIG;
    code = check_headers(content);
    if (code != SB_OK)
        return code;
    if (content->body_len > 0 && (content->body == NULL || content->content_type == NULL))
        return SB_EINVAL;
    return sb_check_optional_text(content->content_type);
}

int sb_check_event_content(const sb_content *content)
{
    static const char *const NAMES[] = {"Event", "o", "Expires", "Subscription-State", "SIP-If-Match"};
    int code = sb_check_content(content);
    size_t i, name;
    for (i = 0; code == SB_OK && content != NULL && i < content->header_count; i++)
        for (name = 0; name < sizeof NAMES / sizeof *NAMES; name++)
            if (strcasecmp(content->headers[i].name, NAMES[name]) == 0)
                code = SB_EINVAL;
    return code;
}

int sb_check_event(const char *event)
{
    char package[64];
    size_t length;
    int code = sb_check_text(event);
    if (code != SB_OK)
        return code;
    length = strcspn(event, "; \t");
    if (length >= sizeof package)
        return SB_EINVAL;
    memcpy(package, event, length);
    package[length] = '\0';
    event += length + strspn(event + length, " \t");
    if (*event != '\0' && *event != ';')
        return SB_EINVAL;
    return sb_check_token(package);
}

int sb_check_call_id(const char *call_id)
{
    static const char WORD[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~()<>:\\\"/[]?{}";
    size_t first, second = 0;
    if (call_id == NULL)
        return SB_OK;
    first = strspn(call_id, WORD);
    if (call_id[first] == '@')
        second = 1 + strspn(call_id + first + 1, WORD);
    if (first == 0 || second == 1 || call_id[first + second] != '\0')
        return SB_EINVAL;
    return first + second > MAX_CALL_ID ? SB_ETOOBIG : SB_OK;
}

/* Methods that the functions for calls send, or that the engine sends by itself. */
static int is_call_method(const char *method)
{
    static const char *const METHODS[] = {"INVITE", "ACK", "BYE", "CANCEL", "PRACK"};
    size_t i;
    for (i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        if (strcmp(method, METHODS[i]) == 0)
            return 1;
    return 0;
}

int sb_check_method(const char *method)
{
    int code = sb_check_token(method);
    return code == SB_OK && is_call_method(method) ? SB_EINVAL : code;
}
