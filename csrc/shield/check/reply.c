/* reply.c - answers requests without keeping any state: a stateless UAS (8.2.6, 8.2.7). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scan.h"

/* The beginning of the tag of an answer, and the number of digits that follow it. */
#define TAG "sbs-"
enum { TAG_DIGITS = 16 };

enum { NO_PORT = 5060, RETRY_FIRST = 4, RETRY_SPREAD = 8 }; /* seconds in Retry-After: 4 to 11 */

static uint64_t hash(uint64_t before, struct shield_span span)
{
    return shield_hash(before, span.at, span.at == NULL ? 0 : span.length);
}

uint64_t shield_transaction(const struct shield_message *message)
{
    struct shield_span number = message->cseq;
    size_t i;
    for (i = 0; number.at != NULL && i < number.length && scan_is_digit(number.at[i]); i++)
        ;
    number.length = i; /* leave the method out: an ACK has another one */
    return hash(hash(hash(0, message->branch), message->call_id), number);
}

int shield_is_own_ack(const struct shield_message *message)
{
    char tag[sizeof TAG + TAG_DIGITS];
    if (!message->is_request || message->method.length != 3 || memcmp(message->method.at, "ACK", 3) != 0)
        return 0;
    snprintf(tag, sizeof tag, TAG "%016llx", (unsigned long long)shield_transaction(message));
    return shield_span_is(message->to_tag, tag);
}

int shield_reply_port(const struct shield_message *message, int port)
{
    if (message->rport.at != NULL)
        return port;
    return message->via_port != 0 ? message->via_port : NO_PORT;
}

/* ------------------------------------------------------------------------------------------------------
 * Writing
 */
struct writer {
    char *at, *end;
    int full;
};

static void put_octets(struct writer *writer, const char *octets, size_t length)
{
    if ((size_t)(writer->end - writer->at) < length) {
        writer->full = 1;
        return;
    }
    memcpy(writer->at, octets, length);
    writer->at += length;
}

static void put(struct writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct writer *writer, const char *format, ...)
{
    char line[160];
    va_list arguments;
    int length;
    va_start(arguments, format);
    length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof line)
        writer->full = 1;
    else
        put_octets(writer, line, (size_t)length);
}

/* Write a header field as it came; or what stands in for one that is missing or malformed. */
static void put_field(struct writer *writer, const char *name, struct shield_span value, const char *instead)
{
    put(writer, "%s: ", name);
    if (value.at != NULL)
        put_octets(writer, value.at, value.length);
    else
        put(writer, "%s", instead);
}

/* Write the Via fields in their order. The first one gets its source (18.2.1, RFC 3581 4). */
static void put_vias(struct writer *writer, const struct shield_message *message, const char *host, int port)
{
    struct shield_span top = message->top_via;
    int i;
    put(writer, "Via: ");
    if (message->rport.at != NULL) {
        size_t before = (size_t)(message->rport.at + message->rport.length - top.at);
        put_octets(writer, top.at, before);
        put(writer, "=%d", port);
        put_octets(writer, top.at + before, top.length - before);
    } else {
        put_octets(writer, top.at, top.length);
    }
    if (!message->has_received)
        put(writer, ";received=%s", host);
    for (i = 0; i < message->via_count && message->vias[i].at != NULL; i++) {
        if (i > 0)
            put(writer, "\r\nVia: ");
        put_octets(writer, message->vias[i].at, message->vias[i].length);
    }
    put(writer, "\r\n");
}

static const char *phrase(int status)
{
    switch (status) {
    case 503: return "Service Unavailable";
    case 505: return "Version Not Supported";
    case 513: return "Message Too Large";
    default: return "Bad Request";
    }
}

size_t shield_reply(const struct shield_message *message, struct shield_verdict verdict, const char *host,
                    int port, char *reply, size_t size)
{
    struct writer writer = {reply, reply + size, 0};
    uint64_t number = shield_transaction(message);
    if (message->top_via.at == NULL)
        return 0;
    put(&writer, "SIP/2.0 %d %s\r\n", verdict.status, phrase(verdict.status));
    put_vias(&writer, message, host, port);
    put_field(&writer, "From", message->from, "<sip:unreadable@invalid>");
    put_field(&writer, "\r\nTo", message->to, "<sip:unreadable@invalid>");
    if (message->to_tag.at == NULL)
        put(&writer, ";tag=" TAG "%016llx", (unsigned long long)number);
    put_field(&writer, "\r\nCall-ID", message->call_id, "unreadable@invalid");
    if (message->cseq.at != NULL) {
        put_field(&writer, "\r\nCSeq", message->cseq, "");
    } else {
        put(&writer, "\r\nCSeq: 0 ");
        put_octets(&writer, message->method.at, message->method.length);
    }
    if (verdict.status == 503)
        put(&writer, "\r\nRetry-After: %d", RETRY_FIRST + (int)(number % RETRY_SPREAD));
    put(&writer, "\r\nWarning: 399 sipbridge \"shield: %s\"\r\nContent-Length: 0\r\n\r\n",
        shield_rule_name(verdict.rule));
    return writer.full ? 0 : (size_t)(writer.at - reply);
}
