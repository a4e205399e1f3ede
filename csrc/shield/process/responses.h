/* responses.h - the final responses of the last 32 seconds, to be sent again to whoever repeats its request (17.2.2).
 * One table for the process; safe in any thread. */
#ifndef SB_SHIELD_RESPONSES_H
#define SB_SHIELD_RESPONSES_H

#include "shield.h"

enum {
    SHIELD_USUAL_RESPONSES = 65536, /* 2,000 a second */
    SHIELD_MOST_RESPONSES = 1 << 20,
    SHIELD_RESPONSE_OCTETS = 512    /* for each response that there is room for; a longer one takes the room of several */
};

/* Where a request comes from and its response goes to. An IPv4 address stands in the last four octets. */
struct shield_peer {
    unsigned char address[16];
    uint16_t port;
};

/* How many responses there is room for; 0: none is remembered any more. It is set before there are any. */
void shield_remember_responses(size_t room);
int shield_remembers(void);

/* Whether the response to a request that came in a datagram will be found again: it is no INVITE and no ACK, its Via has
 * a branch that only this transaction has (8.1.1.7), and the response will go to where the request came from. */
int shield_is_memorable(const struct shield_message *request);

/* The library gets this request, whose response goes to `peer`. 0 when that cannot be remembered. Only responses that are
 * expected will be: a Via can lead a response to anybody, at whose cost it must not be kept. `now` is in microseconds, on
 * a clock that never jumps. */
int shield_expect(const struct shield_message *request, const struct shield_peer *peer, int64_t now);

/* Remember a response that goes to `peer`, if it is a final one and expected. */
void shield_remember(const struct shield_message *response, const char *octets, size_t length,
                     const struct shield_peer *peer, int64_t now);

/* If a request from `peer` (the address that its response goes to) is the repetition of one whose response is
 * remembered, give that to send() and return 1. */
int shield_recall(const struct shield_message *request, const struct shield_peer *peer, int64_t now,
                  void (*send)(void *arg, const char *octets, size_t length), void *arg);

/* Forget them all: they are another endpoint's. */
void shield_forget_responses(void);

struct shield_responses {
    uint64_t count;          /* that are remembered */
    uint64_t octets;         /* of room, with those that are expected */
    uint64_t pushed_out;     /* before their time, or too long from the beginning */
};

void shield_responses_now(struct shield_responses *responses);

#endif
