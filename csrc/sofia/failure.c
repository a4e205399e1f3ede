/* failure.c - finds out from Sofia-SIP's log why a request could not be sent.
 *
 * Whatever went wrong, nta makes up a response 503 "Service Unavailable". The reason is only in its log, which we get
 * on the thread that runs it: "nta: INVITE (1): Connection refused (111) with udp/[127.0.0.1]:9". The response follows
 * at once, or in the next round of the loop.
 */
#include "failure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

enum {
    KEPT = 8,
    KEEP_MS = 1000, /* a reason that nobody takes in this time was of an ACK or a CANCEL */
    METHOD = 32
};

static __thread struct {
    char method[METHOD];
    unsigned cseq;
    int64_t until_ms;
    char reason[160];
} failures[KEPT];

static __thread unsigned next_place;
static __thread char taken[160];

/* Write the reason with the peer's address: without the transport, and an IPv4 address without brackets. */
static void write_reason(char *reason, size_t size, const char *text, const char *peer)
{
    const char *host = strchr(peer, '['), *end = strchr(peer, ']');
    int bare = host != NULL && end != NULL && memchr(host, ':', (size_t)(end - host)) == NULL;
    if (bare)
        snprintf(reason, size, "%s: %.*s%s", text, (int)(end - host - 1), host + 1, end + 1);
    else
        snprintf(reason, size, "%s: %s", text, host != NULL ? host : peer);
}

void sof_hear_failure(const char *format, va_list arguments)
{
    char line[256], method[METHOD], text[80], peer[96];
    unsigned cseq;
    int error;
    if (strncmp(format, "nta: %s (%u): %s%s", 18) != 0 || vsnprintf(line, sizeof line, format, arguments) < 0)
        return;
    if (sscanf(line, "nta: %31s (%u): %79[^(](%d) with %95s", method, &cseq, text, &error, peer) != 5)
        return;
    while (text[0] != '\0' && text[strlen(text) - 1] == ' ')
        text[strlen(text) - 1] = '\0';
    next_place = (next_place + 1) % KEPT;
    memcpy(failures[next_place].method, method, METHOD);
    failures[next_place].cseq = cseq;
    failures[next_place].until_ms = sb_monotonic_ms() + KEEP_MS;
    write_reason(failures[next_place].reason, sizeof failures[next_place].reason,
                 error == EINVAL ? "No way there from this address" : text, peer);
}

const char *sof_take_failure(const sip_t *sip)
{
    unsigned i, place;
    if (sip == NULL || sip->sip_cseq == NULL || sip->sip_cseq->cs_method_name == NULL)
        return NULL;
    for (i = 1; i <= KEPT; i++) { /* begin with the oldest: responses come in the order of the requests */
        place = (next_place + i) % KEPT;
        if (failures[place].until_ms < sb_monotonic_ms() || failures[place].cseq != sip->sip_cseq->cs_seq ||
            strcmp(failures[place].method, sip->sip_cseq->cs_method_name) != 0)
            continue;
        failures[place].until_ms = 0;
        memcpy(taken, failures[place].reason, sizeof taken);
        return taken;
    }
    return NULL;
}
