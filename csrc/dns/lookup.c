/* lookup.c - the thread that asks for addresses, and what waits for them.
 *
 * The library's own loop waits for the network and the clock alone, so DNS has a thread: one for any number of hosts.
 * It sees neither the core nor the library, and holds no lock while it asks. What it finds it leaves with the lookups,
 * where the pump takes it from.
 */
#include "lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

enum { LIMIT_MS = 16000 /* a host that was not found by then counts as one without an address */ };

struct exo_resolver {
    pthread_mutex_t mutex;
    struct exo_lookup *first, **last; /* in the order in which they came; last: the link at the end */
    int started, closed;
    pthread_t thread;
    int wake[2];                      /* a pipe, written to when a lookup is added, or at the end */
    char *resolv_conf;
    struct exo_avoid *avoid;
    struct exo_dns *dns;              /* only the thread uses it */
};

/* ------------------------------------------------------------------------------------------------------
 * The thread
 */
static void wake(const struct exo_resolver *resolver)
{
    while (write(resolver->wake[1], "", 1) < 0 && errno == EINTR) {
    } /* when the pipe is full, the thread is about to wake anyway */
}

static void on_found(void *data, const char *host, int port, const char *address)
{
    struct exo_resolver *resolver = data;
    struct exo_lookup *each;
    pthread_mutex_lock(&resolver->mutex);
    for (each = resolver->first; each != NULL; each = each->next) {
        if (each->progress != EXO_LOOKUP_ASKED || each->port != port || strcasecmp(each->host, host) != 0)
            continue;
        memcpy(each->address, address, strlen(address) + 1);
        each->progress = EXO_LOOKUP_DONE;
    }
    pthread_mutex_unlock(&resolver->mutex);
}

static int is_avoided(void *data, const char *address)
{
    struct exo_resolver *resolver = data;
    return exo_avoid_is(resolver->avoid, address);
}

/* The next host to ask for, to be freed, or NULL. */
static char *take_host(struct exo_resolver *resolver, int *port, int *closed)
{
    struct exo_lookup *each;
    char *host = NULL;
    pthread_mutex_lock(&resolver->mutex);
    *closed = resolver->closed;
    for (each = resolver->first; each != NULL && host == NULL; each = each->next) {
        if (each->progress != EXO_LOOKUP_NEW)
            continue;
        host = strdup(each->host);
        *port = each->port;
        each->progress = host == NULL ? EXO_LOOKUP_DONE : EXO_LOOKUP_ASKED;
    }
    pthread_mutex_unlock(&resolver->mutex);
    return host;
}

static void *resolve(void *data)
{
    struct exo_resolver *resolver = data;
    char *host, unused[64];
    int port = 0, closed = 0;
    while (!closed) {
        while (read(resolver->wake[0], unused, sizeof unused) > 0) {
        }
        while ((host = take_host(resolver, &port, &closed)) != NULL) {
            if (!closed)
                exo_dns_ask(resolver->dns, host, port);
            free(host);
        }
        if (!closed)
            exo_dns_wait(resolver->dns, resolver->wake[0]);
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------
 * Lookups
 */
int exo_look_up(struct exo_resolver *resolver, struct exo_lookup *lookup)
{
    int code = SB_OK;
    lookup->since_ms = sb_monotonic_ms();
    pthread_mutex_lock(&resolver->mutex);
    if (!resolver->started) {
        resolver->started = pthread_create(&resolver->thread, NULL, resolve, resolver) == 0;
        code = resolver->started ? SB_OK : SB_ENOMEM;
    }
    if (code == SB_OK) {
        *resolver->last = lookup;
        resolver->last = &lookup->next;
    }
    pthread_mutex_unlock(&resolver->mutex);
    if (code == SB_OK)
        wake(resolver);
    return code;
}

void exo_lookup_give_up(struct exo_resolver *resolver, sb_id id)
{
    struct exo_lookup *each;
    pthread_mutex_lock(&resolver->mutex);
    for (each = resolver->first; each != NULL; each = each->next)
        each->given_up |= each->id == id;
    pthread_mutex_unlock(&resolver->mutex);
}

struct exo_lookup *exo_take_lookup(struct exo_resolver *resolver)
{
    struct exo_lookup **link, *found;
    int64_t now = sb_monotonic_ms();
    pthread_mutex_lock(&resolver->mutex);
    link = &resolver->first;
    while ((found = *link) != NULL && found->progress != EXO_LOOKUP_DONE && !found->given_up &&
           now - found->since_ms <= LIMIT_MS)
        link = &found->next;
    if (found != NULL) {
        *link = found->next;
        if (resolver->last == &found->next)
            resolver->last = link;
    }
    pthread_mutex_unlock(&resolver->mutex);
    return found;
}

/* ------------------------------------------------------------------------------------------------------
 * All of it
 */
static struct exo_dns *dns_for(struct exo_resolver *resolver, const sb_config *config)
{
    struct exo_dns_config asked;
    asked.family = strchr(config->host, ':') == NULL ? AF_INET : AF_INET6;
    asked.service = config->transport == SB_TLS ? "_sips._tcp." : config->transport == SB_TCP ? "_sip._tcp."
                                                                                              : "_sip._udp.";
    asked.naptr = config->transport == SB_TLS ? "SIPS+D2T" : config->transport == SB_TCP ? "SIP+D2T" : "SIP+D2U";
    asked.default_port = config->transport == SB_TLS ? 5061 : 5060;
    asked.resolv_conf = resolver->resolv_conf;
    asked.avoid = is_avoided;
    asked.found = on_found;
    asked.arg = resolver;
    return exo_dns_new(&asked);
}

static int set_up_pipe(int ends[2])
{
    int i;
    if (pipe(ends) != 0) {
        ends[0] = ends[1] = -1;
        return 0;
    }
    for (i = 0; i < 2; i++)
        if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) != 0 || fcntl(ends[i], F_SETFL, O_NONBLOCK) != 0)
            return 0;
    return 1;
}

struct exo_resolver *exo_resolver_new(const sb_config *config, struct exo_avoid *avoid)
{
    struct exo_resolver *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL)
        return NULL;
    pthread_mutex_init(&resolver->mutex, NULL);
    resolver->last = &resolver->first;
    resolver->avoid = avoid;
    if (set_up_pipe(resolver->wake) &&
        (config->resolv_conf == NULL || (resolver->resolv_conf = strdup(config->resolv_conf)) != NULL) &&
        (resolver->dns = dns_for(resolver, config)) != NULL)
        return resolver;
    exo_resolver_free(resolver);
    return NULL;
}

void exo_resolver_free(struct exo_resolver *resolver)
{
    struct exo_lookup *lookup;
    int i;
    if (resolver == NULL)
        return;
    pthread_mutex_lock(&resolver->mutex);
    resolver->closed = 1;
    pthread_mutex_unlock(&resolver->mutex);
    if (resolver->started) {
        wake(resolver);
        pthread_join(resolver->thread, NULL);
    }
    exo_dns_free(resolver->dns);
    while ((lookup = resolver->first) != NULL) {
        resolver->first = lookup->next;
        exo_lookup_free(lookup);
    }
    for (i = 0; i < 2; i++)
        if (resolver->wake[i] >= 0)
            close(resolver->wake[i]);
    pthread_mutex_destroy(&resolver->mutex);
    free(resolver->resolv_conf);
    free(resolver);
}
