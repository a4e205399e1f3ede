/* transactions.c - the preloaded shield takes over what remains to be done for a transaction after its final response.
 *
 * libeXosip2 goes through all of its transactions and calls for each message, and libosip2 keeps a finished server
 * transaction for 32 seconds (timer J), with its call. So each call costs those that come within half a minute. Here the
 * engine has the transaction end at once, and the shield answers the repetitions that it was kept for (17.2.2). And the
 * engine is told when the library is about to wait, to do its work in bulk.
 *
 * Only a transaction whose response will be found again (shield_is_memorable()) ends early; any other one, such as that
 * of a request without the cookie of RFC 3261, is kept by the library as ever.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "count.h"
#include "passage.h"
#include "preload.h"
#include "responses.h"

typedef int init_function(void **transaction, int type, void *osip, void *request);

static ssize_t (*real_sendto)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
static shield_end_early *volatile end_early;
static shield_between_turns *volatile between_turns;

/* Whether the message that this thread received last is a request whose response will be found again. The library makes
 * its transaction next, in the same thread. */
static __thread int is_memorable;

static void note_remembered(void)
{
    struct shield_responses responses;
    shield_responses_now(&responses);
    shield_count_remembered(responses.count, responses.pushed_out);
}

void preload_hasten(shield_end_early *early, shield_between_turns *between)
{
    end_early = early;
    between_turns = between;
}

void preload_forget(void)
{
    shield_forget_responses();
    note_remembered();
}

/* "off", or a number of responses. Anything else is as good as nothing. */
static size_t read_room(void)
{
    const char *text = getenv("SIPBRIDGE_SHIELD_RESPONSES");
    char *end;
    unsigned long number;
    if (text != NULL && strcmp(text, "off") == 0)
        return 0;
    if (text == NULL || *text < '0' || *text > '9')
        return SHIELD_USUAL_RESPONSES;
    number = strtoul(text, &end, 10);
    return *end == '\0' ? number : SHIELD_USUAL_RESPONSES;
}

void preload_transactions_begin(void)
{
    *(void **)&real_sendto = preload_next("sendto");
    shield_remember_responses(read_room());
}

/* ------------------------------------------------------------------------------------------------------
 * Responses
 */
static void name_peer(const struct sockaddr *address, struct shield_peer *peer)
{
    memset(peer, 0, sizeof *peer);
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        memcpy(peer->address, &six->sin6_addr, 16);
        peer->port = ntohs(six->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
            memset(peer->address, 0, 12);
    } else {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        memcpy(peer->address + 12, &four->sin_addr, 4);
        peer->port = ntohs(four->sin_port);
    }
}

struct target {
    int fd;
    struct sockaddr_storage address;
    socklen_t size;
    int64_t now;
};

static void send_again(void *arg, const char *octets, size_t length)
{
    static const struct shield_verdict REPEATED = {SHIELD_ANSWER, SHIELD_REMEMBERED, 0};
    const struct target *target = arg;
    shield_count(REPEATED, "", 0, target->now);
    real_sendto(target->fd, octets, length, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&target->address,
                target->size); /* what cannot be sent is lost, as any datagram may be */
}

/* Where its response goes. */
static void name_target(const struct shield_message *request, const struct preload_source *source,
                        struct shield_peer *peer)
{
    name_peer((const struct sockaddr *)&source->address, peer);
    peer->port = (uint16_t)shield_reply_port(request, peer->port);
}

int preload_repeats(int fd, const struct shield_message *message, const struct preload_source *source,
                    enum shield_transport transport, int64_t now)
{
    struct target target = {fd, source->address, source->size, now};
    struct shield_peer peer;
    is_memorable = 0;
    if (transport != SHIELD_DATAGRAM || !shield_remembers() || !shield_is_memorable(message))
        return 0;
    name_target(message, source, &peer);
    if (target.address.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&target.address)->sin6_port = htons(peer.port);
    else
        ((struct sockaddr_in *)&target.address)->sin_port = htons(peer.port);
    return shield_recall(message, &peer, now, send_again, &target);
}

void preload_passes(const struct shield_message *message, const struct preload_source *source,
                    enum shield_transport transport, int64_t now)
{
    struct shield_peer peer;
    if (transport != SHIELD_DATAGRAM || !shield_remembers() || !shield_is_memorable(message))
        return;
    name_target(message, source, &peer);
    is_memorable = shield_expect(message, &peer, now);
}

/* What the library is about to send: a final response is remembered. */
static void look(const char *octets, size_t length, const struct sockaddr *address)
{
    struct shield_message message;
    struct shield_peer peer;
    if (length < 12 || memcmp(octets, "SIP/2.0 ", 8) != 0 || octets[8] < '2')
        return;
    shield_check(octets, length, SHIELD_DATAGRAM, &message);
    name_peer(address, &peer);
    shield_remember(&message, octets, length, &peer, preload_microseconds());
    note_remembered();
}

static int is_internet(const struct sockaddr *address)
{
    return address->sa_family == AF_INET || address->sa_family == AF_INET6;
}

static void note(const char *octets, size_t length, const struct sockaddr *address, socklen_t size)
{
    struct preload_source other;
    if (!shield_passages_are_told() || size > sizeof other.address)
        return;
    memcpy(&other.address, address, size);
    other.size = size;
    preload_name_source(&other);
    preload_note_passage(&other, 1, SHIELD_DATAGRAM, octets, length);
}

EXPORTED ssize_t sendto(int fd, const void *octets, size_t length, int flags, const struct sockaddr *address,
                        socklen_t size)
{
    if (real_sendto == NULL)
        preload_transactions_begin(); /* another library's constructor sends */
    if (address != NULL && is_internet(address) && preload_is_screened(__builtin_return_address(0))) {
        if (shield_remembers())
            look(octets, length, address);
        note(octets, length, address, size);
    }
    return real_sendto(fd, octets, length, flags, address, size);
}

/* ------------------------------------------------------------------------------------------------------
 * Transactions
 */

init_function osip_transaction_init;

EXPORTED int osip_transaction_init(void **transaction, int type, void *osip, void *request)
{
    shield_end_early *function = end_early;
    int code;
    PRELOAD_FIND(init_function, init, "osip_transaction_init")
    code = init(transaction, type, osip, request);
    if (code == 0 && function != NULL && shield_remembers() && preload_is_screened(__builtin_return_address(0)))
        function(*transaction, is_memorable);
    return code;
}

/* The library calls it before it waits for a message. */
shield_time_left osip_timers_gettimeout;

EXPORTED void osip_timers_gettimeout(void *osip, struct timeval *left)
{
    shield_between_turns *function = between_turns;
    int most = INT_MAX;
    PRELOAD_FIND(shield_time_left, time_left, "osip_timers_gettimeout")
    if (function != NULL && shield_remembers() && preload_is_screened(__builtin_return_address(0)))
        most = function(osip, time_left);
    time_left(osip, left);
    if (left->tv_sec > most / 1000 || (left->tv_sec == most / 1000 && left->tv_usec > most % 1000 * 1000)) {
        left->tv_sec = most / 1000;
        left->tv_usec = most % 1000 * 1000;
    }
}
