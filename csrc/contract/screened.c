/* screened.c - see screened.h, and the shield's part of engine.h. */
#include "screened.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "clock.h"
#include "core.h"
#include "core_private.h"
#include "last.h"
#include "origin.h"
#include "service.h"

enum { PROBE_MS = 1000 }; /* a second for the library's thread to read its socket, also under load */

/* The preloaded shield, or NULL. */
static const struct shield_service *service(void)
{
    shield_service_function *function;
    *(void **)&function = dlsym(RTLD_DEFAULT, SHIELD_SERVICE_SYMBOL);
    return function == NULL ? NULL : function();
}

void sb_screen(const struct sb_backend *backend)
{
    const struct shield_service *shield = backend->screened == NULL ? NULL : service();
    if (shield == NULL)
        return;
    shield->attach(backend->screened);
    shield->hasten(backend->end_early, backend->between_turns);
    shield->tell_dialogs(backend->dialog_made, backend->dialog_gone, backend->is_other_call);
}

void sb_unscreen(const struct sb_backend *backend)
{
    const struct shield_service *shield = backend->screened == NULL ? NULL : service();
    if (shield != NULL)
        shield->forget();
}

static int take_origin(struct sb_origin *origin)
{
    const struct shield_service *shield = service();
    struct shield_origin noted;
    if (shield == NULL || !shield->take_origin(&noted))
        return 0;
    sb_origin_name(origin, noted.host, noted.port, noted.transport == SHIELD_STREAM ? SB_TCP : SB_UDP);
    origin->time_us = noted.time_us;
    return 1;
}

/* ------------------------------------------------------------------------------------------------------
 * Messages as they pass
 */

static pthread_mutex_t listening = PTHREAD_MUTEX_INITIALIZER; /* around what sets these two */
static struct sb_core *volatile watching; /* the engine that traces what passes: one has a library with a shield */
static int is_keeping;                    /* what was received last */

static void note(const struct shield_passage *passage)
{
    struct sb_core *core = watching;
    struct sb_origin other;
    char peer[SB_LAST_PEER];
    memset(&other, 0, sizeof other);
    if (passage->port != 0)
        sb_origin_name(&other, passage->host, passage->port, passage->transport == SHIELD_STREAM ? SB_TCP : SB_UDP);
    other.time_us = passage->time_us;
    sb_origin_write(&other, peer, sizeof peer);
    if (passage->outgoing)
        other.transport = 0; /* it is where the message goes */
    else
        sb_last_add(other.time_us, peer, passage->octets, passage->length);
    if (core != NULL)
        sb_core_trace(core, passage->outgoing, peer, &other, passage->octets, passage->length);
}

/* Have the shield tell of messages where somebody wants them; under the lock. */
static void listen_if_wanted(void)
{
    const struct shield_service *shield = service();
    if (shield != NULL)
        shield->tell_passages(is_keeping || watching != NULL ? note : NULL);
}

static void watch(struct sb_core *core)
{
    pthread_mutex_lock(&listening);
    watching = core;
    listen_if_wanted();
    pthread_mutex_unlock(&listening);
}

const struct sb_front *sb_front_of(const void *function)
{
    static const struct sb_front FRONT = {take_origin, watch};
    return function == NULL || service() == NULL ? NULL : &FRONT;
}

/* ------------------------------------------------------------------------------------------------------
 * Is it in front?
 */

/* Five octets that differ from those of every other engine's probe at this time. */
static void make_probe(char *probe, int port)
{
    int64_t now = sb_monotonic_ms();
    probe[0] = 'S';
    probe[1] = (char)(port >> 8);
    probe[2] = (char)port;
    probe[3] = (char)(now >> 8);
    probe[4] = (char)now;
}

static int send_probe(const char *probe, const char *host, int port)
{
    struct addrinfo wanted, *found = NULL;
    char service_name[8];
    int fd, sent = 0;
    memset(&wanted, 0, sizeof wanted);
    wanted.ai_family = strchr(host, ':') == NULL ? AF_INET : AF_INET6; /* a host name stands for its IPv4 address */
    wanted.ai_socktype = SOCK_DGRAM;
    snprintf(service_name, sizeof service_name, "%d", port);
    if (getaddrinfo(host, service_name, &wanted, &found) != 0 || found == NULL)
        return 0;
    fd = socket(found->ai_family, SOCK_DGRAM, 0);
    if (fd >= 0) {
        sent = sendto(fd, probe, SHIELD_PROBE_LENGTH, 0, found->ai_addr, found->ai_addrlen) > 0;
        close(fd);
    }
    freeaddrinfo(found);
    return sent;
}

int sb_screened(const void *function, const sb_config *config, int port)
{
    const struct shield_service *shield;
    int64_t until = sb_monotonic_ms() + PROBE_MS;
    char probe[SHIELD_PROBE_LENGTH];
    if (function == NULL)
        return SB_ENOTSUP;
    shield = service();
    if (shield == NULL)
        return 0;
    if (config->transport != SB_UDP)
        return 1; /* no probe can be sent on a stream; the shield was attached to it before */
    make_probe(probe, port);
    shield->expect_probe(probe);
    /* An engine that is bound to every address receives what is sent to the loopback address. */
    if (!send_probe(probe, strcmp(config->host, "0.0.0.0") == 0 ? "127.0.0.1" : config->host, port))
        return 0;
    while (!shield->probe_has_come() && sb_monotonic_ms() < until)
        usleep(500);
    return shield->probe_has_come();
}

/* ------------------------------------------------------------------------------------------------------
 * The contract
 */
int sb_shield_counters(sb_shield_counter *counters, int room)
{
    const struct shield_service *shield = service();
    struct shield_counts counts;
    int i;
    if (shield == NULL)
        return SB_ENOTSUP;
    if (room < 0 || (counters == NULL && room > 0))
        return SB_EINVAL;
    shield->counts(&counts);
    for (i = 0; i < SHIELD_RULES && i < room; i++) {
        counters[i].rule = shield_rule_name((enum shield_rule)i);
        counters[i].passed = counts.passed[i];
        counters[i].answered = counts.answered[i];
        counters[i].dropped = counts.dropped[i];
    }
    return SHIELD_RULES;
}

int sb_shield_limit(int kind, double rate, double burst)
{
    const struct shield_service *shield = service();
    if (kind < 0 || kind >= SHIELD_KINDS || rate != rate || !(burst >= 0))
        return SB_EINVAL;
    if (shield == NULL)
        return SB_ENOTSUP;
    shield->limit((enum shield_kind)kind, rate, burst);
    return SB_OK;
}

double sb_shield_rate(int kind)
{
    const struct shield_service *shield = service();
    return shield == NULL || kind < 0 || kind >= SHIELD_KINDS ? 0 : shield->limit_now((enum shield_kind)kind);
}

int sb_keep_received(int descriptor)
{
    if (sb_last_into(descriptor) != 0)
        return SB_EINVAL;
    pthread_mutex_lock(&listening);
    is_keeping = descriptor >= 0;
    listen_if_wanted();
    pthread_mutex_unlock(&listening);
    return SB_OK;
}

int sb_shield_check(const char *octets, size_t length, const char **rule)
{
    struct shield_message message;
    struct shield_verdict verdict;
    if (octets == NULL || rule == NULL)
        return SB_EINVAL;
    verdict = shield_check(octets, length, SHIELD_DATAGRAM, &message);
    *rule = shield_rule_name(verdict.rule);
    return verdict.action == SHIELD_DROP ? SB_EINVAL : verdict.status;
}
