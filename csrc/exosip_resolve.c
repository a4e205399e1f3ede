/* exosip_resolve.c - where a request goes is found out before the library sees the request (RFC 3263).
 *
 * The library would ask while it holds its lock, so that a name server that does not answer stops every call; it knows
 * SRV records with some builds only. So what begins something waits here until a thread has found an address, and goes
 * to the library with that as its route, which stays on this machine: the library takes the first Route off.
 *
 * The threads see neither the core nor the library: they ask, leave what they found with the lookup, and end when
 * nothing waits. The pump takes it from there.
 */
#include "exosip_engine.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check.h"
#include "exosip_dns.h"

enum {
    MAX_THREADS = 4,
    QUEUE_MS = 8000,     /* what no thread has come to by then has no address */
    AVOID_MS = 300000,   /* how long an address that did not answer is passed over while there is another */
    NOTED = 256,         /* requests whose address is remembered, in case that nobody answers */
    AVOIDED = 16
};

enum progress {
    WAITING = 0,
    ASKING,    /* a thread has it */
    ABANDONED, /* the same, and nobody waits for it any more */
    DONE
};

/* The arguments of exo_call() and the like. */
struct exo_order {
    enum { EXO_CALL, EXO_REQUEST, EXO_PUBLISH, EXO_SUBSCRIBE, EXO_REGISTER } what;
    sb_parties parties;
    const char *name;   /* method, event or registrar */
    const char *detail; /* etag or contact; may be NULL */
    int expires;
    const sb_content *content;
};

/* A request that waits for its address. */
struct lookup {
    struct lookup *next;
    enum progress progress;
    int given_up;                   /* by the user */
    int64_t since_ms;
    char *host;
    int port;
    char address[EXO_ADDRESS_SIZE]; /* "": none */
    sb_id id;
    int kind;
    struct exo_order order;
    char *texts[4];                 /* what the order points to */
    struct exo_content *content;
};

/* Outlives the engine where a thread still asks. */
struct exo_resolver {
    pthread_mutex_t mutex;
    struct lookup *first;
    int threads, closed;
    char *resolv_conf;
    struct exo_dns dns;
    /* requests of late, by the order in which they were sent, and addresses that did not answer; under the mutex */
    struct {
        sb_id id;
        char address[EXO_ADDRESS_SIZE];
    } sent[NOTED];
    struct {
        int64_t until_ms;
        char address[EXO_ADDRESS_SIZE];
    } avoided[AVOIDED];
    unsigned sent_count, avoided_count;
};

/* ------------------------------------------------------------------------------------------------------
 * Lookups
 */
static void lookup_free(struct lookup *lookup)
{
    size_t i;
    for (i = 0; i < sizeof lookup->texts / sizeof *lookup->texts; i++)
        free(lookup->texts[i]);
    exo_content_free(lookup->content);
    free(lookup->host);
    free(lookup);
}

static const char *keep(struct lookup *lookup, int place, const char *text, int *failed)
{
    if (text == NULL)
        return NULL;
    lookup->texts[place] = strdup(text);
    *failed |= lookup->texts[place] == NULL;
    return lookup->texts[place];
}

static struct lookup *lookup_new(const struct sb_object *object, const struct exo_order *order, const char *host,
                                 int port)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    struct exo_order *copy;
    int failed = 0;
    if (lookup == NULL)
        return NULL;
    lookup->since_ms = sb_monotonic_ms();
    lookup->host = strdup(host);
    lookup->port = port;
    lookup->id = object->id;
    lookup->kind = object->kind;
    copy = &lookup->order;
    *copy = *order;
    copy->parties.to = keep(lookup, 0, order->parties.to, &failed);
    copy->parties.from = keep(lookup, 1, order->parties.from, &failed);
    copy->parties.route = NULL;
    copy->name = keep(lookup, 2, order->name, &failed);
    copy->detail = keep(lookup, 3, order->detail, &failed);
    if (order->content != NULL) {
        lookup->content = exo_content_copy(order->content);
        failed |= lookup->content == NULL;
    }
    copy->content = lookup->content == NULL ? NULL : &lookup->content->content;
    if (!failed && lookup->host != NULL)
        return lookup;
    lookup_free(lookup);
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------
 * The threads
 */
static void resolver_free(struct exo_resolver *resolver)
{
    struct lookup *lookup;
    while ((lookup = resolver->first) != NULL) {
        resolver->first = lookup->next;
        lookup_free(lookup);
    }
    pthread_mutex_destroy(&resolver->mutex);
    free(resolver->resolv_conf);
    free(resolver);
}

static int is_avoided(void *data, const char *address)
{
    struct exo_resolver *resolver = data;
    int i, found = 0;
    pthread_mutex_lock(&resolver->mutex);
    for (i = 0; i < AVOIDED && !found; i++)
        found = resolver->avoided[i].until_ms > sb_monotonic_ms() && strcmp(resolver->avoided[i].address, address) == 0;
    pthread_mutex_unlock(&resolver->mutex);
    return found;
}

/* The next one to ask for, or NULL. Under the mutex. */
static struct lookup *take_waiting(struct exo_resolver *resolver)
{
    struct lookup *lookup;
    for (lookup = resolver->first; lookup != NULL; lookup = lookup->next)
        if (lookup->progress == WAITING)
            break;
    if (lookup != NULL)
        lookup->progress = ASKING;
    return lookup;
}

/* The answer is one to all that wait for the same. Under the mutex. */
static void hand_out(struct exo_resolver *resolver, struct lookup *asked, const char *address)
{
    struct lookup *each;
    for (each = resolver->first; each != NULL; each = each->next) {
        if (each != asked &&
            (each->progress != WAITING || each->port != asked->port || strcasecmp(each->host, asked->host) != 0))
            continue;
        memcpy(each->address, address, EXO_ADDRESS_SIZE);
        each->progress = DONE;
    }
}

static void *ask(void *data)
{
    struct exo_resolver *resolver = data;
    struct exo_dns dns = resolver->dns;
    struct lookup *lookup;
    char address[EXO_ADDRESS_SIZE];
    int last;
    exo_dns_begin(&dns, resolver->resolv_conf);
    pthread_mutex_lock(&resolver->mutex);
    while (!resolver->closed && (lookup = take_waiting(resolver)) != NULL) {
        pthread_mutex_unlock(&resolver->mutex);
        exo_dns_find(&dns, lookup->host, lookup->port, address); /* an ASKING one is nobody else's to change */
        pthread_mutex_lock(&resolver->mutex);
        hand_out(resolver, lookup, address);
    }
    last = --resolver->threads == 0 && resolver->closed;
    pthread_mutex_unlock(&resolver->mutex);
    exo_dns_end(&dns);
    if (last)
        resolver_free(resolver);
    return NULL;
}

/* Under the mutex. */
static int start_thread(struct exo_resolver *resolver)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int failed;
    if (resolver->threads >= MAX_THREADS)
        return SB_OK;
    if (pthread_attr_init(&attributes) != 0)
        return SB_ENOMEM;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    failed = pthread_create(&thread, &attributes, ask, resolver) != 0;
    pthread_attr_destroy(&attributes);
    resolver->threads += !failed;
    return resolver->threads > 0 ? SB_OK : SB_ENOMEM;
}

struct exo_resolver *exo_resolver_new(const sb_config *config)
{
    struct exo_resolver *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL)
        return NULL;
    pthread_mutex_init(&resolver->mutex, NULL);
    resolver->dns.avoid = is_avoided;
    resolver->dns.arg = resolver;
    resolver->dns.family = strchr(config->host, ':') == NULL ? AF_INET : AF_INET6;
    resolver->dns.service = config->transport == SB_TLS ? "_sips._tcp."
                            : config->transport == SB_TCP ? "_sip._tcp." : "_sip._udp.";
    resolver->dns.naptr = config->transport == SB_TLS ? "SIPS+D2T" : config->transport == SB_TCP ? "SIP+D2T" : "SIP+D2U";
    resolver->dns.default_port = config->transport == SB_TLS ? 5061 : 5060;
    if (config->resolv_conf == NULL || (resolver->resolv_conf = strdup(config->resolv_conf)) != NULL)
        return resolver;
    resolver_free(resolver);
    return NULL;
}

void exo_resolver_free(struct exo_resolver *resolver)
{
    int unused;
    if (resolver == NULL)
        return;
    pthread_mutex_lock(&resolver->mutex);
    resolver->closed = 1;
    unused = resolver->threads == 0;
    pthread_mutex_unlock(&resolver->mutex);
    if (unused)
        resolver_free(resolver);
}

/* ------------------------------------------------------------------------------------------------------
 * Addresses that did not answer (4.3)
 */
static void note_sent(struct exo_resolver *resolver, const struct lookup *lookup)
{
    unsigned place;
    pthread_mutex_lock(&resolver->mutex);
    place = resolver->sent_count++ % NOTED;
    resolver->sent[place].id = lookup->id;
    memcpy(resolver->sent[place].address, lookup->address, EXO_ADDRESS_SIZE);
    pthread_mutex_unlock(&resolver->mutex);
}

void exo_note_silence(struct exosip *state, sb_id id)
{
    struct exo_resolver *resolver = state->resolver;
    unsigned i, place;
    pthread_mutex_lock(&resolver->mutex);
    for (i = 0; i < NOTED; i++) {
        if (id == 0 || resolver->sent[i].id != id)
            continue;
        place = resolver->avoided_count++ % AVOIDED;
        resolver->avoided[place].until_ms = sb_monotonic_ms() + AVOID_MS;
        memcpy(resolver->avoided[place].address, resolver->sent[i].address, EXO_ADDRESS_SIZE);
        resolver->sent[i].id = 0;
    }
    pthread_mutex_unlock(&resolver->mutex);
}

/* ------------------------------------------------------------------------------------------------------
 * Orders
 */
static int run(struct exosip *state, struct sb_object *object, const struct exo_order *order)
{
    switch (order->what) {
    case EXO_CALL: return exo_call(state, object, &order->parties, order->content);
    case EXO_REQUEST: return exo_request(state, object, order->name, &order->parties, order->content);
    case EXO_PUBLISH:
        return exo_publish(state, object, &order->parties, order->name, order->detail, order->expires, order->content);
    case EXO_SUBSCRIBE:
        return exo_subscribe(state, object, &order->parties, order->name, order->expires, order->content);
    default: return exo_register(state, object, order->name, &order->parties, order->detail, order->expires);
    }
}

/* What the functions above would refuse at once. */
static int check(const struct exo_order *order)
{
    int code = exo_check_target(&order->parties);
    if (code == SB_OK && order->what == EXO_REGISTER && strncasecmp(order->name, "sip:", 4) != 0)
        code = SB_ENOTSUP;
    if (code == SB_OK && order->what == EXO_REGISTER && strlen(order->name) > EXO_MAX_START_LINE)
        code = SB_ETOOBIG;
    if (code == SB_OK && order->content != NULL)
        code = sb_check_datagram(order->content);
    return code;
}

static int is_address(const char *host)
{
    struct in_addr address;
    return strchr(host, ':') != NULL || inet_pton(AF_INET, host, &address) == 1;
}

/* Where the request goes by what it says: a copy of the host, to be freed, and the port or 0. NULL: to no name. */
static char *next_hop(const struct exosip *state, const struct exo_order *order, int *port)
{
    const char *target = order->parties.route != NULL ? order->parties.route
                         : state->route != NULL ? state->route
                         : order->what == EXO_REGISTER ? order->name : order->parties.to;
    osip_uri_param_t *maddr = NULL;
    osip_to_t *parsed = NULL;
    const char *host;
    char *copy = NULL;
    if (osip_to_init(&parsed) != 0)
        return NULL;
    if (osip_to_parse(parsed, target) == 0 && parsed->url != NULL && parsed->url->host != NULL) {
        osip_uri_uparam_get_byname(parsed->url, (char *)"maddr", &maddr);
        host = maddr != NULL && maddr->gvalue != NULL ? maddr->gvalue : parsed->url->host;
        *port = parsed->url->port != NULL ? atoi(parsed->url->port) : 0;
        copy = is_address(host) ? NULL : strdup(host);
    }
    osip_to_free(parsed);
    return copy;
}

static int enqueue(struct exo_resolver *resolver, struct lookup *lookup)
{
    struct lookup **last = &resolver->first;
    int code;
    pthread_mutex_lock(&resolver->mutex);
    code = start_thread(resolver);
    if (code == SB_OK) {
        while (*last != NULL)
            last = &(*last)->next;
        *last = lookup;
    }
    pthread_mutex_unlock(&resolver->mutex);
    return code;
}

static int begin(struct exosip *state, struct sb_object *object, const struct exo_order *order)
{
    struct lookup *lookup;
    int port = 0, code;
    char *host = next_hop(state, order, &port);
    if (host == NULL)
        return run(state, object, order);
    code = check(order);
    lookup = code == SB_OK ? lookup_new(object, order, host, port) : NULL;
    free(host);
    if (lookup == NULL)
        return code == SB_OK ? SB_ENOMEM : code;
    code = enqueue(state->resolver, lookup);
    if (code != SB_OK)
        lookup_free(lookup);
    return code;
}

int exo_give_up(struct exosip *state, const struct sb_object *object)
{
    struct lookup *lookup;
    if (object->lib != NULL)
        return 0;
    pthread_mutex_lock(&state->resolver->mutex);
    for (lookup = state->resolver->first; lookup != NULL; lookup = lookup->next)
        if (lookup->id == object->id)
            lookup->given_up = 1;
    pthread_mutex_unlock(&state->resolver->mutex);
    return 1;
}

/* ------------------------------------------------------------------------------------------------------
 * What was found
 */
static void post_end(struct exosip *state, const struct lookup *lookup, int status, const char *reason)
{
    sb_event event;
    memset(&event, 0, sizeof event);
    event.status = status;
    event.reason = reason;
    event.method = lookup->order.what == EXO_REQUEST ? lookup->order.name : NULL;
    event.state = lookup->given_up ? SB_STATE_ENDED : SB_STATE_FAILED;
    switch (lookup->kind) {
    case SB_KIND_CALL:
        event.type = SB_EV_CALL_ENDED;
        event.cause = lookup->given_up ? SB_CAUSE_CANCELLED : SB_CAUSE_FAILED;
        event.call = lookup->id;
        break;
    case SB_KIND_REGISTRATION:
        event.type = SB_EV_REGISTRATION;
        event.method = "REGISTER";
        event.registration = lookup->id;
        break;
    case SB_KIND_SUBSCRIPTION:
        event.type = SB_EV_SUBSCRIPTION;
        event.method = "SUBSCRIBE";
        event.subscription = lookup->id;
        break;
    default:
        event.type = SB_EV_RESPONSE;
        event.transaction = lookup->id;
        if (event.method == NULL)
            event.method = "PUBLISH";
    }
    exo_post(state, &event, NULL);
}

static void finish(struct exosip *state, struct lookup *lookup)
{
    struct sb_object *object = sb_core_find(state->core, lookup->kind, lookup->id);
    char route[EXO_ADDRESS_SIZE + 8];
    if (object == NULL || object->lib != NULL)
        return;
    if (lookup->given_up) {
        post_end(state, lookup, lookup->kind == SB_KIND_CALL ? 487 : 200, NULL);
        return;
    }
    if (lookup->address[0] == '\0') {
        post_end(state, lookup, 503, SB_UNRESOLVED);
        return;
    }
    snprintf(route, sizeof route, "sip:%s", lookup->address);
    lookup->order.parties.route = route;
    if (run(state, object, &lookup->order) == SB_OK)
        note_sent(state->resolver, lookup);
    else
        post_end(state, lookup, 503, NULL);
}

static int is_through(const struct lookup *lookup, int64_t now)
{
    if (lookup->progress == WAITING)
        return lookup->given_up || now - lookup->since_ms > QUEUE_MS;
    return lookup->progress == DONE || (lookup->progress == ASKING && lookup->given_up);
}

/* One that is through, or NULL. *ours: no thread has it. */
static struct lookup *take_through(struct exo_resolver *resolver, int *ours)
{
    struct lookup **link, *lookup;
    int64_t now = sb_monotonic_ms();
    pthread_mutex_lock(&resolver->mutex);
    for (link = &resolver->first; *link != NULL && !is_through(*link, now);)
        link = &(*link)->next;
    lookup = *link;
    *ours = lookup != NULL && lookup->progress != ASKING;
    if (*ours)
        *link = lookup->next;
    else if (lookup != NULL)
        lookup->progress = ABANDONED;
    pthread_mutex_unlock(&resolver->mutex);
    return lookup;
}

void exo_take_found(struct exosip *state)
{
    struct lookup *lookup;
    int ours;
    while ((lookup = take_through(state->resolver, &ours)) != NULL) {
        finish(state, lookup);
        if (ours)
            lookup_free(lookup);
    }
}

/* ------------------------------------------------------------------------------------------------------
 * For the contract
 */
int exo_order_call(void *state, struct sb_object *call, const sb_parties *parties, const sb_content *content)
{
    struct exo_order order = {EXO_CALL, *parties, NULL, NULL, 0, content};
    return begin(state, call, &order);
}

int exo_order_request(void *state, struct sb_object *transaction, const char *method, const sb_parties *parties,
                      const sb_content *content)
{
    struct exo_order order = {EXO_REQUEST, *parties, method, NULL, 0, content};
    return begin(state, transaction, &order);
}

int exo_order_publish(void *state, struct sb_object *transaction, const sb_parties *parties, const char *event,
                      const char *etag, int expires, const sb_content *content)
{
    struct exo_order order = {EXO_PUBLISH, *parties, event, etag, expires, content};
    return begin(state, transaction, &order);
}

int exo_order_subscription(void *state, struct sb_object *subscription, const sb_parties *parties, const char *event,
                           int expires, const sb_content *content)
{
    struct exo_order order = {EXO_SUBSCRIBE, *parties, event, NULL, expires, content};
    return begin(state, subscription, &order);
}

int exo_order_registration(void *state, struct sb_object *registration, const char *registrar,
                           const sb_parties *parties, const char *contact, int expires)
{
    struct exo_order order = {EXO_REGISTER, *parties, registrar, contact, expires, NULL};
    return begin(state, registration, &order);
}
