/* shield.c - how long the shield looks at a message: `make bench-shield`.
 *
 * Prints the time for an INVITE of one kilobyte and for a few others, the best of several rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "limit.h"
#include "shield.h"

enum { ROUNDS = 15, CALLS = 20000 };

#define BEGIN \
    "INVITE sip:+4930123456@sip.example.com;user=phone SIP/2.0\r\n" \
    "Via: SIP/2.0/UDP proxy1.example.com:5060;branch=z9hG4bK3a5b8f7c21.1;received=192.0.2.5\r\n" \
    "Via: SIP/2.0/UDP 192.0.2.77:5070;branch=z9hG4bK-524287-1---1d7f4a2c;rport=5070\r\n" \
    "Record-Route: <sip:proxy1.example.com;lr;ftag=9fxced76sl>\r\n" \
    "Max-Forwards: 69\r\n" \
    "From: \"Alice Example\" <sip:alice@example.com>;tag=9fxced76sl\r\n" \
    "To: <sip:+4930123456@sip.example.com;user=phone>\r\n" \
    "Call-ID: 3848276298220188511@client.example.com\r\n" \
    "CSeq: 2 INVITE\r\n" \
    "Contact: <sip:alice@192.0.2.77:5070;transport=udp>;+sip.instance=\"<urn:uuid:0C67446E>\"\r\n" \
    "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, INFO, UPDATE\r\n" \
    "Supported: replaces, norefersub, extended-refer, timer, outbound, path\r\n" \
    "User-Agent: Example Phone 1.2.3 (rev 4567)\r\n" \
    "Content-Type: application/sdp\r\n"

#define SDP \
    "v=0\r\no=alice 2890844526 2890844526 IN IP4 192.0.2.77\r\ns=-\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\n" \
    "m=audio 49172 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"

static const struct {
    const char *name, *octets;
} MESSAGES[] = {
    {"INVITE of 1 KB", BEGIN "Content-Length: 158\r\n\r\n" SDP},
    {"the same, refused", BEGIN "Content-Length: 9999\r\n\r\n" SDP},
    {"BYE", "BYE sip:alice@192.0.2.77:5070 SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 192.0.2.5:5060;branch=z9hG4bKnashds7\r\nMax-Forwards: 70\r\n"
            "From: Bob <sip:bob@example.com>;tag=8321234356\r\n"
            "To: Alice <sip:alice@example.com>;tag=9fxced76sl\r\n"
            "Call-ID: 3848276298220188511@client.example.com\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"},
};

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* What happens to a message on its way through, without its system calls. */
static int pass(const char *octets, size_t length)
{
    struct shield_message message;
    char reply[SHIELD_MAX_REPLY];
    struct shield_verdict verdict = shield_check(octets, length, SHIELD_DATAGRAM, &message);
    if (verdict.action == SHIELD_PASS)
        return shield_is_own_ack(&message) || shield_admit(&message, (int64_t)now_us(), 0) != SHIELD_NONE;
    return (int)shield_reply(&message, verdict, "192.0.2.5", 5060, reply, sizeof reply);
}

int main(void)
{
    size_t i;
    for (i = 0; i < sizeof MESSAGES / sizeof *MESSAGES; i++) {
        size_t length = strlen(MESSAGES[i].octets);
        double best = 1e9;
        int round, call, answered = 0;
        for (round = 0; round < ROUNDS; round++) {
            double begun = now_us();
            for (call = 0; call < CALLS; call++)
                answered += pass(MESSAGES[i].octets, length) != 0;
            if (now_us() - begun < best)
                best = now_us() - begun;
        }
        printf("%-20s %5zu octets  %6.2f us  %s\n", MESSAGES[i].name, length, best / CALLS,
               answered > 0 ? "answered" : "passed");
    }
    return 0;
}
