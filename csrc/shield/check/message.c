/* message.c - takes a message apart: its start line and its header fields (7). */
#include <string.h>

#include "scan.h"

static void offend(struct shield_fields *fields, enum shield_rule rule)
{
    if (fields->rule == SHIELD_NONE)
        fields->rule = rule;
}

/* ------------------------------------------------------------------------------------------------------
 * The start line (7.1, 7.2)
 */
static int is_version(struct scan *scan, const char *digits)
{
    struct shield_span name = {scan->at, 4};
    if (scan->end - scan->at != 7 || !shield_span_is(name, "SIP/"))
        return 0;
    if (digits == NULL)
        return scan_is_digit(scan->at[4]) && scan->at[5] == '.' && scan_is_digit(scan->at[6]);
    return memcmp(scan->at + 4, digits, 3) == 0;
}

/* SIP/2.0 SP 200 SP reason */
static enum shield_rule status_line(struct scan scan, struct shield_message *message)
{
    unsigned long status;
    struct scan version = {scan.at, scan.at + 7};
    if (!is_version(&version, "2.0"))
        return is_version(&version, NULL) ? SHIELD_VERSION : SHIELD_START_LINE;
    scan.at += 8;
    if (scan.end - scan.at < 4 || scan.at[3] != ' ' || !scan_number(&scan, 699, &status) || status < 100 ||
        *scan.at != ' ')
        return SHIELD_START_LINE;
    message->status = (int)status;
    return SHIELD_NONE;
}

/* What follows the last space. */
static struct scan last_word(struct scan scan)
{
    struct scan word = scan;
    for (word.at = scan.end; word.at > scan.at && word.at[-1] != ' ';)
        word.at--;
    return word;
}

static enum shield_rule request_uri(struct shield_span uri)
{
    if (uri.length == 0 || *uri.at == ' ' || uri.at[uri.length - 1] == ' ')
        return SHIELD_START_LINE;
    return shield_uri(uri, 0) ? SHIELD_NONE : SHIELD_REQUEST_URI;
}

/* METHOD SP URI SP SIP/2.0 */
static enum shield_rule request_line(struct scan scan, struct shield_message *message)
{
    struct shield_span method, uri;
    struct scan version;
    if (!scan_token(&scan, &method) || !scan_octet(&scan, ' '))
        return SHIELD_START_LINE;
    version = last_word(scan);
    if (version.at == scan.at)
        return SHIELD_START_LINE;
    uri.at = scan.at;
    uri.length = (size_t)(version.at - 1 - scan.at);
    if (!is_version(&version, NULL)) {
        /* "SIP/2.0 " with something behind it: enough of a request to be answered */
        message->is_request = memmem(uri.at, (size_t)(scan.end - uri.at), "SIP/2.0", 7) != NULL;
        message->method = method;
        return SHIELD_START_LINE;
    }
    message->is_request = 1;
    message->method = method;
    return is_version(&version, "2.0") ? request_uri(uri) : SHIELD_VERSION;
}

static void start_line(struct shield_fields *fields, const char *at, const char *end)
{
    struct scan scan = {at, end};
    struct shield_span version = {at, 4};
    if (end - at > SHIELD_MAX_START)
        offend(fields, SHIELD_LIMIT);
    else if (!shield_octets(at, end))
        offend(fields, SHIELD_OCTETS);
    if (end - at > 8 && shield_span_is(version, "SIP/") && at[7] == ' ')
        offend(fields, status_line(scan, fields->message));
    else
        offend(fields, request_line(scan, fields->message));
}

/* ------------------------------------------------------------------------------------------------------
 * The header fields (7.3)
 */
static void one_field(struct shield_fields *fields, const char *at, const char *end)
{
    struct scan scan = {at, end};
    struct shield_span name, value;
    enum shield_rule rule = SHIELD_NONE;
    if (end - at > SHIELD_MAX_FIELD)
        rule = SHIELD_LIMIT;
    else if (!shield_octets(at, end))
        rule = SHIELD_OCTETS;
    else if (!scan_token(&scan, &name) || !scan_separator(&scan, ':'))
        rule = SHIELD_FIELD;
    else if (name.length > SHIELD_MAX_NAME)
        rule = SHIELD_LIMIT;
    if (rule != SHIELD_NONE) { /* no answer repeats such a field */
        offend(fields, rule);
        return;
    }
    value.at = scan.at;
    while (end > value.at && scan_is_space(end[-1]))
        end--;
    value.length = (size_t)(end - value.at);
    shield_field(fields, name, value);
}

/* Read all fields. Returns where the body begins, or NULL when no empty line ends the fields. */
static const char *all_fields(struct shield_fields *fields, const char *at)
{
    const char *end;
    int count;
    for (count = 0; (end = shield_field_end(at, fields->end)) != NULL; count++) {
        if (end == at)
            return end + 2;
        if (count == SHIELD_MAX_FIELDS) {
            offend(fields, SHIELD_LIMIT);
            return NULL;
        }
        one_field(fields, at, end);
        at = end + 2;
    }
    offend(fields, SHIELD_FIELD);
    return NULL;
}

int shield_is_keep_alive(const char *octets, size_t length)
{
    size_t i;
    for (i = 0; i < length && (octets[i] == '\r' || octets[i] == '\n'); i++)
        ;
    return i == length || length <= 4;
}

struct shield_verdict shield_check(const char *octets, size_t length, enum shield_transport transport,
                                   struct shield_message *message)
{
    struct shield_verdict passed = {SHIELD_PASS, SHIELD_NONE, 0};
    struct shield_fields fields;
    const char *at = octets, *body;
    memset(message, 0, offsetof(struct shield_message, vias));
    memset(&message->via_count, 0, sizeof *message - offsetof(struct shield_message, via_count));
    memset(&fields, 0, sizeof fields);
    if (shield_is_keep_alive(octets, length))
        return passed;
    fields.message = message;
    fields.end = octets + length;
    while (*at == '\r' || *at == '\n') /* 7.5; shield_is_keep_alive() has shown that more follows */
        at++;
    body = shield_line_end(at, fields.end);
    if (body == NULL)
        return shield_refuse(message, SHIELD_START_LINE);
    start_line(&fields, at, body);
    body = all_fields(&fields, body + 2);
    shield_fields_end(&fields, body, transport);
    return fields.rule == SHIELD_NONE ? passed : shield_refuse(message, fields.rule);
}
