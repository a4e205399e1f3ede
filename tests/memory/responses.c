/* responses.c - the shield's table of final responses against a simple model of it, on a clock of its own.
 *
 * Random requests of a few sources are answered, repeated and left alone, for hours by that clock. What is recalled must
 * be what was remembered for the same key, for 32 seconds and no longer, while the bounds hold. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "responses.h"

#define SECOND ((int64_t)1000000)

enum { ROOM = 50, PEERS = 5, NUMBERS = 40, STEPS = 200000 };

static struct {
    int64_t at; /* when it was remembered; 0: never */
    char text[700];
} model[PEERS][NUMBERS];

static char recalled[2000];
static size_t recalled_length;

static void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void keep(void *arg, const char *octets, size_t length)
{
    (void)arg;
    require(length < sizeof recalled, "too long");
    memcpy(recalled, octets, length);
    recalled_length = length;
}

static void parse(const char *text, struct shield_message *message)
{
    require(shield_check(text, strlen(text), SHIELD_DATAGRAM, message).action == SHIELD_PASS, text);
}

static void write_message(char *text, size_t size, const char *start, int number, const char *method, int padding)
{
    snprintf(text, size, "%s\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-%d;rport\r\nFrom: <sip:a@example.com>;tag=a\r\n"
                         "To: <sip:b@example.com>;tag=%0*d\r\nCall-ID: c\r\nCSeq: 1 %s\r\nMax-Forwards: 70\r\n"
                         "Content-Length: 0\r\n\r\n",
             start, number, padding, number, method);
}

static struct shield_peer peer_of(int which)
{
    struct shield_peer peer = {{0}, 5060};
    peer.address[15] = (unsigned char)which;
    return peer;
}

/* 0 when there is no room for it. */
static int expect(struct shield_peer peer, int number, int64_t now)
{
    struct shield_message message;
    char text[700];
    write_message(text, sizeof text, "BYE sip:b@example.com SIP/2.0", number, "BYE", 1);
    parse(text, &message);
    return shield_expect(&message, &peer, now);
}

static void remember(int which, int number, int64_t now)
{
    struct shield_message message;
    struct shield_peer peer = peer_of(which);
    char *text = model[which][number].text;
    require(expect(peer, number, now), "no room");
    write_message(text, sizeof model[which][number].text, "SIP/2.0 200 OK", number, "BYE", 1 + rand() % 400);
    parse(text, &message);
    shield_remember(&message, text, strlen(text), &peer, now);
    model[which][number].at = now;
}

static int recall(int which, int number, const char *method, int64_t now)
{
    char text[700], start[64];
    struct shield_message message;
    struct shield_peer peer = peer_of(which);
    snprintf(start, sizeof start, "%s sip:b@example.com SIP/2.0", method);
    write_message(text, sizeof text, start, number, method, 1);
    parse(text, &message);
    return shield_recall(&message, &peer, now, keep, NULL);
}

static void look_at_bounds(void)
{
    struct shield_responses responses;
    shield_responses_now(&responses);
    require(responses.count <= ROOM, "too many");
    require(responses.octets <= (uint64_t)ROOM * SHIELD_RESPONSE_OCTETS, "too many octets");
}

static void at_random(void)
{
    int64_t now = SECOND;
    int step, found = 0;
    for (step = 0; step < STEPS; step++) {
        int which = rand() % PEERS, number = rand() % NUMBERS;
        now += rand() % (SECOND / 2);
        if (rand() % 3 == 0) {
            remember(which, number, now);
            require(recall(which, number, "BYE", now), "the newest is there");
        } else if (recall(which, number, "BYE", now)) {
            require(model[which][number].at != 0, "never remembered");
            require(now - model[which][number].at < 32 * SECOND, "too old");
            require(strlen(model[which][number].text) == recalled_length &&
                        memcmp(model[which][number].text, recalled, recalled_length) == 0,
                    "another response");
            found++;
        }
        require(!recall(which, number, "MESSAGE", now), "another method");
        look_at_bounds();
        if (step % 10000 == 0)
            now += 60 * SECOND;
    }
    require(found > STEPS / 100, "hardly anything was found");
}

/* As long as there is room, each is there for 32 seconds, and not for longer. */
static void for_its_time(int64_t now)
{
    int number;
    for (number = 0; number < 20; number++)
        remember(0, number, now);
    for (number = 0; number < 20; number++)
        require(recall(0, number, "BYE", now + 32 * SECOND - 1), "gone too early");
    for (number = 0; number < 20; number++)
        require(!recall(0, number, "BYE", now + 32 * SECOND), "there too long");
}

/* A source that floods has what the others leave. */
static void under_a_flood(int64_t now)
{
    struct shield_responses before, after;
    int number;
    shield_responses_now(&before);
    for (number = 0; number < 10; number++)
        remember(1, number, now);
    for (number = 0; number < 100000; number++)
        remember(2, number % NUMBERS, now), remember(3, number % NUMBERS, now);
    for (number = 0; number < 10; number++)
        require(recall(1, number, "BYE", now), "pushed out by others");
    shield_responses_now(&after);
    require(after.pushed_out > before.pushed_out, "not counted");
}

static struct shield_peer six(int network, int host)
{
    struct shield_peer peer = {{0x20, 0x01, 0x0d, 0xb8}, 5060};
    peer.address[7] = (unsigned char)network;
    peer.address[8] = (unsigned char)(host >> 8);
    peer.address[15] = (unsigned char)host;
    return peer;
}

/* All the addresses of an IPv6 network are one source. */
static void under_a_flood_of_one_network(int64_t now)
{
    struct shield_message message;
    struct shield_peer quiet = six(1, 1);
    char text[700];
    int number;
    for (number = 0; number < 10; number++) {
        write_message(text, sizeof text, "SIP/2.0 200 OK", number, "BYE", 1);
        parse(text, &message);
        require(expect(quiet, number, now), "no room");
        shield_remember(&message, text, strlen(text), &quiet, now);
    }
    for (number = 0; number < 10000; number++) {
        struct shield_peer flood = six(2, number);
        require(expect(flood, 9, now), "no room");
        shield_remember(&message, text, strlen(text), &flood, now);
    }
    for (number = 0; number < 10; number++) {
        write_message(text, sizeof text, "BYE sip:b@example.com SIP/2.0", number, "BYE", 1);
        parse(text, &message);
        require(shield_recall(&message, &quiet, now, keep, NULL), "pushed out by many addresses of a network");
    }
}

/* What no request asked for, or is an earlier one's, is no response to keep. Until it comes, nothing is recalled. */
static void only_what_is_expected(int64_t now)
{
    struct shield_responses responses;
    struct shield_message message;
    struct shield_peer peer = peer_of(1);
    char text[700];
    write_message(text, sizeof text, "SIP/2.0 200 OK", 1, "BYE", 1);
    parse(text, &message);
    shield_remember(&message, text, strlen(text), &peer, now);
    require(!recall(1, 1, "BYE", now), "not expected");
    require(expect(peer, 1, now) && expect(peer, 1, now), "no room");
    require(!recall(1, 1, "BYE", now), "there is none yet");
    shield_responses_now(&responses);
    require(responses.count == 0 && responses.octets > 0, "it is only expected");
    shield_remember(&message, text, strlen(text), &peer, now + 32 * SECOND);
    require(!recall(1, 1, "BYE", now + 32 * SECOND), "expected for too long");
    shield_responses_now(&responses);
    require(responses.octets == 0, "still expected");
}

static void of_another_endpoint(int64_t now)
{
    struct shield_responses responses;
    remember(1, 1, now);
    shield_forget_responses();
    shield_responses_now(&responses);
    require(responses.count == 0 && responses.octets == 0 && !recall(1, 1, "BYE", now), "not forgotten");
}

int main(void)
{
    shield_seed(1);
    srand(1);
    shield_remember_responses(ROOM);
    at_random();
    for_its_time(1000000 * SECOND);
    under_a_flood(2000000 * SECOND);
    under_a_flood_of_one_network(2500000 * SECOND);
    only_what_is_expected(2700000 * SECOND);
    of_another_endpoint(3000000 * SECOND);
    return 0;
}
