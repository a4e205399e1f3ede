/* trace.c - traces messages from what Sofia-SIP logs.
 *
 * With TPTAG_LOG the library logs each message that it sends or receives. First comes a line with size, direction and
 * peer; then, between two rules, the message, with each line indented. The library logs on the thread that runs it, so
 * a thread-local pointer tells whose message it is. We put the message together again. The log does not tell how the
 * lines of a body ended; the size tells. When the same message is sent again, and no other in between on that
 * transport, the library does not log it.
 */
#include "trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/su_log.h>

#include "core.h"
#include "failure.h"
#include "origin.h"
#include "tls.h"

enum { INDENT = 3 };

/* The message that is being logged. */
struct message {
    struct sb_core *core;
    int collecting;
    int outgoing;
    char peer[96];
    struct sb_origin origin;
    size_t expected;  /* octets, as the first line told */
    char *text;       /* lines that end in '\n' */
    size_t length, size;
    size_t line;      /* octets of the line that is being collected */
    size_t ends;      /* of lines, so far */
    size_t head;      /* those of them that belong to the header; 0: still in it */
};

static __thread struct message current;

static void add(const char *octets, size_t length)
{
    if (current.length + length > current.size) {
        size_t size = 2 * (current.length + length);
        char *larger = realloc(current.text, size);
        if (larger == NULL) {
            current.collecting = 0;
            return;
        }
        current.text = larger;
        current.size = size;
    }
    memcpy(current.text + current.length, octets, length);
    current.length += length;
}

static int transport_of(const char *name)
{
    return strcasecmp(name, "udp") == 0 ? SB_UDP : strcasecmp(name, "tls") == 0 ? SB_TLS : SB_TCP;
}

/* "send 345 bytes to udp/[127.0.0.1]:5060 at 12:30:15.123456:" */
static void begin(const char *stamp)
{
    char direction[8], transport[8], host[64] = "";
    unsigned long size = 0;
    unsigned port = 0;
    const char *format = "%7s %lu bytes %*s %7[^/]/[%63[^]]]:%u";
    current.collecting = sscanf(stamp, format, direction, &size, transport, host, &port) == 5;
    current.outgoing = strncmp(stamp, "sen", 3) == 0;
    snprintf(current.peer, sizeof current.peer, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
    memset(&current.origin, 0, sizeof current.origin);
    if (!current.outgoing && current.collecting)
        sb_origin_name(&current.origin, host, (int)port, transport_of(transport));
    current.expected = size;
    current.length = current.line = current.ends = current.head = 0;
}

/* The message with the line ends that make up its size: CR LF in the header, in the body these or LF. */
static void finish(void)
{
    size_t in_body = current.head == 0 ? 0 : current.ends - current.head;
    int body_crlf = current.length + current.ends == current.expected || in_body == 0;
    char *octets = malloc(current.length + current.ends + 1);
    size_t from, to = 0, ends = 0;
    current.collecting = 0;
    if (octets == NULL)
        return;
    for (from = 0; from < current.length; from++) {
        if (current.text[from] == '\n' && (ends++ < current.head || current.head == 0 || body_crlf))
            octets[to++] = '\r';
        octets[to++] = current.text[from];
    }
    sb_core_trace(current.core, current.outgoing, current.peer, &current.origin, octets, to);
    free(octets);
}

static void end_line(void)
{
    add("\n", 1);
    current.ends++;
    if (current.line == 0 && current.head == 0)
        current.head = current.ends;
    current.line = 0;
}

static void add_part(const char *octets, size_t length)
{
    add(octets, length);
    current.line += length;
}

/* Part of a line, as the arguments of "%s%.*s". They are not printed first: that would cost more than all else here. */
static void add_line(va_list arguments)
{
    const char *before = va_arg(arguments, const char *);
    int most = va_arg(arguments, int);
    const char *octets = va_arg(arguments, const char *);
    if (current.line == 0 && strncmp(before, "   ", INDENT) == 0)
        before += INDENT;
    add_part(before, strlen(before));
    add_part(octets, strnlen(octets, most < 0 ? 0 : (size_t)most));
}

static void print(char *text, size_t size, const char *format, va_list arguments)
{
    if (vsnprintf(text, size, format, arguments) < 0)
        text[0] = '\0';
}

static void log_message(void *stream, const char *format, va_list arguments)
{
    char text[256];
    va_list again;
    (void)stream;
    va_copy(again, arguments);
    sof_tls_hear(format, again);
    va_end(again);
    va_copy(again, arguments);
    sof_hear_failure(format, again);
    va_end(again);
    if (current.core == NULL)
        return;
    if (strncmp(format, "%s   ---", 8) == 0 && !current.collecting) {
        print(text, sizeof text, format, arguments);
        begin(text);
    } else if (!current.collecting) {
        return;
    } else if (strncmp(format, "%s   ---", 8) == 0) {
        finish();
    } else if (strcmp(format, "\n") == 0) {
        end_line();
    } else if (strcmp(format, "%s%.*s") == 0) {
        add_line(arguments);
    }
}

void sof_trace_to(struct sb_core *core)
{
    free(current.text);
    memset(&current, 0, sizeof current);
    current.core = core;
}

void sof_be_quiet(void)
{
    su_log_redirect(NULL, log_message, NULL);
}
