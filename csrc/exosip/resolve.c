/* resolve.c - finds out where a request goes before the library sees the request (RFC 3263).
 *
 * The library would ask DNS while it holds its lock: a name server that does not answer would stop every call. And only
 * some builds of it know SRV records. So a request that begins something waits (lookup.c) until its host has an
 * address. Then the library gets the address as a route, which does not leave this machine: the library removes the
 * first Route.
 */
#include "resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "call.h"
#include "core.h"
#include "datagram.h"
#include "event.h"
#include "lookup.h"
#include "message.h"
#include "register.h"
#include "request.h"
#include "state.h"
#include "subscribe.h"

/* The arguments of exo_call() and the like. */
struct exo_order {
    enum { EXO_CALL, EXO_REQUEST, EXO_PUBLISH, EXO_SUBSCRIBE, EXO_REGISTER } what;
    sb_parties parties;
    const char *name;   /* method, event or registrar */
    const char *detail; /* Call-ID, etag or contact; may be NULL */
    int expires;
    const sb_content *content;
};

/* A request that waits for its address. */
struct waiting {
    struct exo_lookup lookup; /* first, because lookup.c knows this part of it */
    int kind;
    struct exo_order order;
    char *texts[4];           /* the texts that the order points to */
    struct exo_content *content;
};

/* ------------------------------------------------------------------------------------------------------
 * What waits
 */
void exo_lookup_free(struct exo_lookup *lookup)
{
    struct waiting *waiting = (struct waiting *)lookup;
    size_t i;
    for (i = 0; i < sizeof waiting->texts / sizeof *waiting->texts; i++)
        free(waiting->texts[i]);
    exo_content_free(waiting->content);
    free(lookup->host);
    free(waiting);
}

static const char *keep(struct waiting *waiting, int place, const char *text, int *failed)
{
    if (text == NULL)
        return NULL;
    waiting->texts[place] = strdup(text);
    *failed |= waiting->texts[place] == NULL;
    return waiting->texts[place];
}

static struct waiting *waiting_new(const struct sb_object *object, const struct exo_order *order, const char *host,
                                   int port)
{
    struct waiting *waiting = calloc(1, sizeof *waiting);
    struct exo_order *copy;
    int failed = 0;
    if (waiting == NULL)
        return NULL;
    waiting->lookup.host = strdup(host);
    waiting->lookup.port = port;
    waiting->lookup.id = object->id;
    waiting->kind = object->kind;
    copy = &waiting->order;
    *copy = *order;
    copy->parties.to = keep(waiting, 0, order->parties.to, &failed);
    copy->parties.from = keep(waiting, 1, order->parties.from, &failed);
    copy->parties.route = NULL;
    copy->name = keep(waiting, 2, order->name, &failed);
    copy->detail = keep(waiting, 3, order->detail, &failed);
    if (order->content != NULL) {
        waiting->content = exo_content_copy(order->content);
        failed |= waiting->content == NULL;
    }
    copy->content = waiting->content == NULL ? NULL : &waiting->content->content;
    if (!failed && waiting->lookup.host != NULL)
        return waiting;
    exo_lookup_free(&waiting->lookup);
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------
 * Orders
 */
static int run(struct exosip *state, struct sb_object *object, const struct exo_order *order)
{
    switch (order->what) {
    case EXO_CALL: return exo_call(state, object, &order->parties, order->detail, order->content);
    case EXO_REQUEST: return exo_request(state, object, order->name, &order->parties, order->content);
    case EXO_PUBLISH:
        return exo_publish(state, object, &order->parties, order->name, order->detail, order->expires, order->content);
    case EXO_SUBSCRIBE:
        return exo_subscribe(state, object, &order->parties, order->name, order->expires, order->content);
    default: return exo_register(state, object, order->name, &order->parties, order->detail, order->expires);
    }
}

/* Refuse at once what the functions above would refuse. */
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

static const char *target_of(const struct exosip *state, const struct exo_order *order)
{
    if (order->parties.route != NULL)
        return order->parties.route;
    if (state->route != NULL)
        return state->route;
    return order->what == EXO_REGISTER ? order->name : order->parties.to;
}

static const char *host_of(const osip_uri_t *uri)
{
    osip_uri_param_t *maddr = NULL;
    osip_uri_uparam_get_byname((osip_uri_t *)uri, (char *)"maddr", &maddr);
    return maddr != NULL && maddr->gvalue != NULL ? maddr->gvalue : uri->host;
}

/* Find the host that the request goes to. Returns a copy, to be freed, and sets the port, or 0. NULL: it goes to an
 * address, not to a name. */
static char *next_hop(const struct exosip *state, const struct exo_order *order, int *port)
{
    osip_to_t *parsed = NULL;
    const char *host;
    char *copy = NULL;
    if (osip_to_init(&parsed) != 0)
        return NULL;
    if (osip_to_parse(parsed, target_of(state, order)) == 0 && parsed->url != NULL && parsed->url->host != NULL) {
        host = host_of(parsed->url);
        *port = parsed->url->port != NULL ? atoi(parsed->url->port) : 0;
        copy = is_address(host) ? NULL : strdup(host);
    }
    osip_to_free(parsed);
    return copy;
}

static int begin(struct exosip *state, struct sb_object *object, const struct exo_order *order)
{
    struct waiting *waiting;
    int port = 0, code;
    char *host = next_hop(state, order, &port);
    if (host == NULL)
        return run(state, object, order);
    code = check(order);
    waiting = code == SB_OK ? waiting_new(object, order, host, port) : NULL;
    free(host);
    if (waiting == NULL)
        return code == SB_OK ? SB_ENOMEM : code;
    code = exo_look_up(state->resolver, &waiting->lookup);
    if (code != SB_OK)
        exo_lookup_free(&waiting->lookup);
    return code;
}

int exo_give_up(struct exosip *state, const struct sb_object *object)
{
    if (object->lib != NULL)
        return 0;
    exo_lookup_give_up(state->resolver, object->id);
    return 1;
}

void exo_note_silence(struct exosip *state, sb_id id)
{
    exo_avoid_silent(state->avoid, id);
}

/* ------------------------------------------------------------------------------------------------------
 * What was found
 */
static void post_end(struct exosip *state, const struct waiting *waiting, const struct sb_object *object, int status,
                     const char *reason)
{
    int given_up = waiting->lookup.given_up;
    sb_event event;
    if (object->kind == SB_KIND_CALL)
        sb_event_call_ended(&event, object, given_up ? SB_CAUSE_CANCELLED : SB_CAUSE_FAILED, status);
    else if (object->kind == SB_KIND_TRANSACTION)
        sb_event_response(&event, object, waiting->order.what == EXO_REQUEST ? waiting->order.name : "PUBLISH", status);
    else
        sb_event_lease(&event, object, given_up ? SB_STATE_ENDED : SB_STATE_FAILED, status, 0);
    event.reason = reason;
    exo_post(state, &event, NULL);
}

static void finish(struct exosip *state, struct waiting *waiting)
{
    struct sb_object *object = sb_core_find(state->core, waiting->kind, waiting->lookup.id);
    char route[EXO_ADDRESS_SIZE + 8];
    if (object == NULL || object->lib != NULL)
        return;
    if (waiting->lookup.given_up) {
        post_end(state, waiting, object, waiting->kind == SB_KIND_CALL ? 487 : 200, NULL);
        return;
    }
    if (waiting->lookup.address[0] == '\0') {
        post_end(state, waiting, object, 503, SB_UNRESOLVED);
        return;
    }
    snprintf(route, sizeof route, "sip:%s", waiting->lookup.address);
    waiting->order.parties.route = route;
    if (run(state, object, &waiting->order) == SB_OK)
        exo_avoid_note(state->avoid, waiting->lookup.id, waiting->lookup.address);
    else
        post_end(state, waiting, object, 503, NULL);
}

void exo_take_found(struct exosip *state)
{
    struct exo_lookup *lookup;
    while ((lookup = exo_take_lookup(state->resolver)) != NULL) {
        finish(state, (struct waiting *)lookup);
        exo_lookup_free(lookup);
    }
}

/* ------------------------------------------------------------------------------------------------------
 * For the contract
 */
int exo_order_call(void *state, struct sb_object *call, const sb_parties *parties, const char *call_id,
                   const sb_content *content)
{
    struct exo_order order = {EXO_CALL, *parties, NULL, call_id, 0, content};
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
