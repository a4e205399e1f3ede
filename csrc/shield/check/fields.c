/* fields.c - what each header field has to look like, and which have to be there. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "scan.h"

static void offend(struct shield_fields *fields, enum shield_rule rule)
{
    if (fields->rule == SHIELD_NONE)
        fields->rule = rule;
}

static struct scan over(struct shield_span value)
{
    struct scan scan = {value.at, value.at + value.length};
    return scan;
}

/* ------------------------------------------------------------------------------------------------------
 * Via (20.42)
 */

/* What stands in front of a Via value's parameters. */
struct sent_by {
    struct shield_span protocol[3], host, port;
};

/* SIP / 2.0 / UDP host : port */
static int via_sent_by(struct scan *scan, struct sent_by *by)
{
    int i;
    scan_spaces(scan);
    for (i = 0; i < 3; i++)
        if ((i > 0 && !scan_separator(scan, '/')) || !scan_token(scan, &by->protocol[i]))
            return 0;
    if (scan->at == scan->end || !scan_is_space(*scan->at))
        return 0;
    scan_spaces(scan);
    return scan_host_port(scan, &by->host, &by->port);
}

static void note_sent_by(struct shield_message *message, const struct sent_by *by)
{
    message->via_transport = by->protocol[2];
    message->via_host = by->host;
    if (by->port.at != NULL)
        message->via_port = atoi(by->port.at); /* five digits at most, and an octet behind them that ends the number */
}

static void note_via_param(struct shield_message *message, const struct scan_param *param)
{
    if (shield_span_is(param->name, "branch"))
        message->branch = param->value;
    else if (shield_span_is(param->name, "received"))
        message->has_received = 1;
    else if (shield_span_is(param->name, "rport") && param->value.at == NULL)
        message->rport = param->name;
    else if (shield_span_is(param->name, "rport") || shield_span_is(param->name, "maddr"))
        message->via_leads_elsewhere = 1;
}

/* Read one value, up to a ',' or the end. `message`: it is the first value, and its parts are kept there. */
static int via_value(struct scan *scan, struct shield_message *message)
{
    const char *begin;
    struct scan_param param;
    struct sent_by by;
    int found;
    scan_spaces(scan);
    begin = scan->at;
    if (!via_sent_by(scan, &by))
        return 0;
    if (message != NULL)
        note_sent_by(message, &by);
    do {
        if (message != NULL) {
            message->top_via.at = begin;
            message->top_via.length = (size_t)(scan->at - begin);
        }
        found = scan_param(scan, &param);
        if (found > 0 && message != NULL)
            note_via_param(message, &param);
    } while (found > 0);
    return found == 0;
}

static void field_via(struct shield_fields *fields, struct shield_span value)
{
    struct shield_message *message = fields->message;
    struct scan scan = over(value);
    struct shield_span *rest;
    int is_first;
    if (message->via_count == SHIELD_MAX_VIAS) {
        offend(fields, SHIELD_LIMIT);
        return;
    }
    is_first = message->via_count == 0;
    rest = &message->vias[message->via_count++];
    rest->at = NULL;
    if (!via_value(&scan, is_first ? message : NULL)) {
        offend(fields, SHIELD_VIA); /* it counts: the next field must not pass for the top Via */
        return;
    }
    rest->at = is_first ? scan.at : value.at;
    while (!scan_is_over(&scan)) {
        if (!scan_octet(&scan, ',') || !via_value(&scan, NULL)) {
            offend(fields, SHIELD_VIA);
            rest->at = NULL;
            return;
        }
    }
    rest->length = (size_t)(value.at + value.length - rest->at);
}

/* ------------------------------------------------------------------------------------------------------
 * Who, and which transaction
 */

/* Read a name-addr or addr-spec with parameters, and nothing else. Sets its tag, if it has one. */
static int party(struct shield_span value, struct shield_span *tag)
{
    struct scan scan = over(value);
    struct scan_param param;
    int found;
    tag->at = NULL;
    if (!scan_address(&scan))
        return 0;
    while ((found = scan_param(&scan, &param)) > 0) {
        if (!shield_span_is(param.name, "tag"))
            continue;
        if (tag->at != NULL || param.value.at == NULL)
            return 0;
        *tag = param.value;
    }
    return found == 0 && scan_is_over(&scan);
}

static void field_from(struct shield_fields *fields, struct shield_span value)
{
    struct shield_span tag;
    if (party(value, &tag))
        fields->message->from = value;
    else
        offend(fields, SHIELD_FROM);
}

static void field_to(struct shield_fields *fields, struct shield_span value)
{
    struct shield_span tag;
    if (!party(value, &tag)) {
        offend(fields, SHIELD_TO);
        return;
    }
    fields->message->to = value;
    fields->message->to_tag = tag;
}

/* Read one word of any octets but white space. */
static void field_call_id(struct shield_fields *fields, struct shield_span value)
{
    size_t i;
    for (i = 0; i < value.length && !scan_is_space(value.at[i]); i++)
        ;
    if (i > 0 && i == value.length)
        fields->message->call_id = value;
    else
        offend(fields, SHIELD_CALL_ID);
}

static void field_cseq(struct shield_fields *fields, struct shield_span value)
{
    struct scan scan = over(value);
    struct shield_span method;
    unsigned long number;
    if (scan_number(&scan, 0x7fffffff, &number) && scan.at < scan.end && scan_is_space(*scan.at)) {
        scan_spaces(&scan);
        if (scan_token(&scan, &method) && scan_is_over(&scan)) {
            fields->message->cseq = value;
            fields->message->cseq_method = method;
            return;
        }
    }
    offend(fields, SHIELD_CSEQ);
}

/* ------------------------------------------------------------------------------------------------------
 * The others
 */
static void field_content_length(struct shield_fields *fields, struct shield_span value)
{
    struct scan scan = over(value);
    if (scan_number(&scan, 0x7fffffff, &fields->content_length) && scan_is_over(&scan))
        fields->has_content_length = 1;
    else
        offend(fields, SHIELD_CONTENT_LENGTH);
}

static void field_max_forwards(struct shield_fields *fields, struct shield_span value)
{
    struct scan scan = over(value);
    unsigned long hops;
    if (!scan_number(&scan, 255, &hops) || !scan_is_over(&scan))
        offend(fields, SHIELD_MAX_FORWARDS);
}

/* Keep the boundary, without its quotes. Returns 0 when it is none, or when the library reads another one there: it
 * ends it at a ';' or a fold. */
static int note_boundary(struct shield_fields *fields, struct shield_span value)
{
    size_t i;
    if (value.at != NULL && *value.at == '"') {
        value.at++;
        value.length -= 2;
    }
    fields->boundary = value;
    for (i = 0; i < value.length; i++)
        if (value.at[i] == '\\' || value.at[i] == ';' || (scan_is_space(value.at[i]) && value.at[i] != ' '))
            return 0;
    return value.length > 0 && value.length <= 70 && value.at[value.length - 1] != ' ';
}

/* Read parameters to the end of the value. Returns 1 when the first boundary among them is sound. */
static int names_boundary(struct shield_fields *fields, struct scan *scan)
{
    struct scan_param param;
    int found, seen = 0, sound = 0;
    while ((found = scan_param(scan, &param)) > 0)
        if (!seen && shield_span_is(param.name, "boundary")) {
            seen = 1;
            sound = note_boundary(fields, param.value);
        }
    return found == 0 && scan_is_over(scan) && sound;
}

/* type / subtype *(; parameter); of a multipart the boundary too (RFC 2046, 5.1.1). */
static int is_media_type(struct shield_fields *fields, struct scan scan)
{
    struct shield_span type;
    if (!scan_token(&scan, &type) || !scan_separator(&scan, '/') || !scan_token(&scan, NULL))
        return 0;
    fields->is_multipart = shield_span_is(type, "multipart");
    return fields->is_multipart ? names_boundary(fields, &scan) : scan_params(&scan) && scan_is_over(&scan);
}

static void field_content_type(struct shield_fields *fields, struct shield_span value)
{
    if (!is_media_type(fields, over(value)))
        offend(fields, SHIELD_CONTENT_TYPE);
}

/* Addresses with parameters, separated by commas. */
static int are_addresses(struct scan scan)
{
    do {
        if (!scan_address(&scan) || !scan_params(&scan))
            return 0;
    } while (scan_separator(&scan, ','));
    return scan_is_over(&scan);
}

static void field_contact(struct shield_fields *fields, struct shield_span value)
{
    if (!shield_span_is(value, "*") && !are_addresses(over(value)))
        offend(fields, SHIELD_CONTACT);
}

static void field_route(struct shield_fields *fields, struct shield_span value)
{
    if (!are_addresses(over(value)))
        offend(fields, SHIELD_ROUTE);
}

enum { REALM = 1, NONCE = 2 };

static int ends_auth_value(char c)
{
    return c == ',' || c == '"' || scan_is_space(c);
}

/* name = value. A quoted realm or nonce is noted in *found. */
static int scan_auth_param(struct scan *scan, int *found)
{
    struct shield_span name;
    scan_spaces(scan);
    if (!scan_token(scan, &name) || !scan_separator(scan, '='))
        return 0;
    if (scan->at < scan->end && *scan->at == '"') {
        *found |= shield_span_is(name, "realm") ? REALM : shield_span_is(name, "nonce") ? NONCE : 0;
        return scan_quoted(scan);
    }
    while (scan->at < scan->end && !ends_auth_value(*scan->at))
        scan->at++;
    return 1;
}

/* name = value, separated by commas. `digest`: realm and nonce have to be among them (22.4). */
static int are_auth_params(struct scan scan, int digest)
{
    int found = 0;
    do
        if (!scan_auth_param(&scan, &found))
            return 0;
    while (scan_separator(&scan, ','));
    return scan_is_over(&scan) && (!digest || found == (REALM | NONCE));
}

/* scheme SP parameters. Of a scheme other than Digest only that something follows is asked. */
static void field_credentials(struct shield_fields *fields, struct shield_span value)
{
    struct scan scan = over(value);
    struct shield_span scheme;
    if (!scan_token(&scan, &scheme) || scan_is_over(&scan) ||
        (shield_span_is(scheme, "Digest") && !are_auth_params(scan, 1)))
        offend(fields, SHIELD_CREDENTIALS);
}

/* token *(; parameter) */
static void field_event(struct shield_fields *fields, struct shield_span value)
{
    struct scan scan = over(value);
    if (!scan_token(&scan, NULL) || !scan_params(&scan) || !scan_is_over(&scan))
        offend(fields, SHIELD_EVENT);
}

/* delta-seconds *(; parameter) (RFC 4028, 4). The library wants something to be there, a number or not. */
static void field_session_expires(struct shield_fields *fields, struct shield_span value)
{
    struct scan scan = over(value);
    while (scan.at < scan.end && *scan.at != ';')
        scan.at++;
    if (scan.at == value.at || !scan_params(&scan) || !scan_is_over(&scan))
        offend(fields, SHIELD_SESSION_EXPIRES);
}

static void field_refer_to(struct shield_fields *fields, struct shield_span value)
{
    if (!are_addresses(over(value)))
        offend(fields, SHIELD_EVENT);
}

/* "Sat, 13 Nov 2010 23:29:00 GMT" (20.17): a letter, a digit, or the octet itself. */
static void field_date(struct shield_fields *fields, struct shield_span value)
{
    static const char SHAPE[] = "Aaa, 00 Aaa 0000 00:00:00 GMT";
    size_t i;
    int sound = value.length == sizeof SHAPE - 1;
    for (i = 0; sound && i < value.length; i++) {
        char c = value.at[i], shape = SHAPE[i];
        if (shape == 'A' || shape == 'a')
            sound = scan_is_token(c) && !scan_is_digit(c);
        else
            sound = shape == '0' ? scan_is_digit(c) : c == shape;
    }
    if (!sound)
        offend(fields, SHIELD_DATE);
}

/* Product names and comments, which may be nested. */
static void field_comment(struct shield_fields *fields, struct shield_span value)
{
    size_t i;
    int depth = 0;
    for (i = 0; i < value.length; i++) {
        if (value.at[i] == '(' && ++depth > SHIELD_MAX_NESTING)
            offend(fields, SHIELD_LIMIT);
        else if (value.at[i] == ')' && depth > 0)
            depth--;
    }
}

/* ------------------------------------------------------------------------------------------------------
 * By name
 */
#define NAMED(name) name, sizeof name - 1

static const struct field {
    const char *name;
    size_t length;
    char compact; /* 0: it has no compact form */
    void (*look)(struct shield_fields *fields, struct shield_span value);
    enum shield_rule once; /* the rule that a second field of this name breaks */
} FIELDS[] = {
    {NAMED("Via"), 'v', field_via, SHIELD_NONE},
    {NAMED("From"), 'f', field_from, SHIELD_FROM},
    {NAMED("To"), 't', field_to, SHIELD_TO},
    {NAMED("Call-ID"), 'i', field_call_id, SHIELD_CALL_ID},
    {NAMED("CSeq"), 0, field_cseq, SHIELD_CSEQ},
    {NAMED("Content-Length"), 'l', field_content_length, SHIELD_CONTENT_LENGTH},
    {NAMED("Content-Type"), 'c', field_content_type, SHIELD_CONTENT_TYPE},
    {NAMED("Contact"), 'm', field_contact, SHIELD_NONE},
    {NAMED("Max-Forwards"), 0, field_max_forwards, SHIELD_MAX_FORWARDS},
    {NAMED("Route"), 0, field_route, SHIELD_NONE},
    {NAMED("Record-Route"), 0, field_route, SHIELD_NONE},
    {NAMED("User-Agent"), 0, field_comment, SHIELD_NONE},
    {NAMED("Server"), 0, field_comment, SHIELD_NONE},
    {NAMED("Date"), 0, field_date, SHIELD_DATE},
    {NAMED("Authorization"), 0, field_credentials, SHIELD_NONE},
    {NAMED("Proxy-Authorization"), 0, field_credentials, SHIELD_NONE},
    {NAMED("WWW-Authenticate"), 0, field_credentials, SHIELD_NONE},
    {NAMED("Proxy-Authenticate"), 0, field_credentials, SHIELD_NONE},
    {NAMED("Event"), 'o', field_event, SHIELD_EVENT},
    {NAMED("Subscription-State"), 0, field_event, SHIELD_EVENT},
    {NAMED("Refer-To"), 'r', field_refer_to, SHIELD_EVENT},
    {NAMED("Session-Expires"), 'x', field_session_expires, SHIELD_NONE},
};

enum { FIELD_COUNT = sizeof FIELDS / sizeof *FIELDS };

static int is_named(const struct field *field, struct shield_span name)
{
    char first = (char)(*name.at | 0x20); /* in lower case */
    if (name.length == 1)
        return first == field->compact;
    return name.length == field->length && first == (field->name[0] | 0x20) &&
           strncasecmp(name.at, field->name, name.length) == 0;
}

void shield_field(struct shield_fields *fields, struct shield_span name, struct shield_span value)
{
    size_t i;
    for (i = 0; i < FIELD_COUNT; i++)
        if (is_named(&FIELDS[i], name))
            break;
    if (i == FIELD_COUNT)
        return;
    if (FIELDS[i].once != SHIELD_NONE && (fields->seen & 1u << i)) {
        offend(fields, FIELDS[i].once);
        return;
    }
    fields->seen |= 1u << i;
    FIELDS[i].look(fields, value);
}

/* On a stream nothing else tells where the message ends (18.3). */
static void check_body(struct shield_fields *fields, const char *at, enum shield_transport transport)
{
    struct shield_span body = {at, (size_t)(fields->end - at)};
    if (fields->has_content_length ? fields->content_length > body.length
                                   : transport == SHIELD_STREAM && body.length > 0) {
        offend(fields, SHIELD_CONTENT_LENGTH);
        return;
    }
    if (fields->has_content_length)
        body.length = fields->content_length;
    if (fields->is_multipart && fields->rule == SHIELD_NONE && !shield_multipart(body, fields->boundary))
        offend(fields, SHIELD_BODY);
}

static int is_method_of_cseq(const struct shield_fields *fields)
{
    struct shield_span method = fields->message->method;
    return fields->message->cseq_method.length == method.length &&
           memcmp(fields->message->cseq_method.at, method.at, method.length) == 0;
}

/* Check that the fields are there that every message has (8.1.1). */
static void check_presence(struct shield_fields *fields)
{
    const struct shield_message *message = fields->message;
    if (message->top_via.at == NULL)
        offend(fields, SHIELD_VIA);
    if (message->from.at == NULL)
        offend(fields, SHIELD_FROM);
    if (message->to.at == NULL)
        offend(fields, SHIELD_TO);
    if (message->call_id.at == NULL)
        offend(fields, SHIELD_CALL_ID);
    if (message->cseq.at == NULL)
        offend(fields, SHIELD_CSEQ);
}

void shield_fields_end(struct shield_fields *fields, const char *body, enum shield_transport transport)
{
    const struct shield_message *message = fields->message;
    check_presence(fields);
    if (message->is_request && message->cseq.at != NULL && !is_method_of_cseq(fields))
        offend(fields, SHIELD_CSEQ_METHOD);
    if (body != NULL)
        check_body(fields, body, transport);
}
