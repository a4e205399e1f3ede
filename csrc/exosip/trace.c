/* trace.c - traces messages. With a shield in front, these are the octets that pass the sockets, and the shield tells of
 * them. Without one, they are what the library shows to us, written as text once more. */
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "message.h"
#include "origin.h"

static struct sb_core *volatile trace_core; /* one engine per process: the callback gets no argument of ours */

void exo_trace_to(struct sb_core *core)
{
    if (trace_core != NULL)
        sb_core_watch(trace_core, 0);
    trace_core = core;
    if (core != NULL)
        sb_core_watch(core, 1);
}

static void print_peer(char *peer, size_t size, const char *host, const char *port)
{
    int bare = host != NULL && strchr(host, ':') != NULL && host[0] != '['; /* IPv6 */
    if (host != NULL)
        snprintf(peer, size, bare ? "[%s]:%s" : "%s:%s", host, port == NULL ? "5060" : port);
}

/* Find out where the library sends a request. */
static void print_target(char *peer, size_t size, const osip_message_t *request)
{
    osip_route_t *route = osip_list_get(&request->routes, 0);
    osip_uri_param_t *loose = NULL;
    osip_uri_t *uri = request->req_uri;
    if (route != NULL && route->url != NULL) {
        osip_uri_uparam_get_byname(route->url, (char *)"lr", &loose);
        if (loose != NULL)
            uri = route->url;
    }
    if (uri != NULL)
        print_peer(peer, size, uri->host, uri->port);
}

/* Name the peer by the topmost Via: a response goes there, and a request came from there. (The library calls us before
 * it notes the source address, so we take the sent-by.) */
static void print_via(char *peer, size_t size, const osip_message_t *message)
{
    osip_via_t *via = osip_list_get(&message->vias, 0);
    osip_generic_param_t *received = NULL, *rport = NULL;
    const char *host, *port;
    if (via == NULL)
        return;
    osip_via_param_get_byname(via, (char *)"received", &received);
    osip_via_param_get_byname(via, (char *)"rport", &rport);
    host = received != NULL && received->gvalue != NULL ? received->gvalue : via->host;
    port = rport != NULL && rport->gvalue != NULL ? rport->gvalue : via->port;
    print_peer(peer, size, host, port);
}

/* Name the other side: where the message came from, if the shield knows it, or else as the message has it. */
static void print_other(char *peer, size_t size, const osip_message_t *message, const struct sb_origin *origin)
{
    if (origin != NULL && origin->transport != 0)
        sb_origin_write(origin, peer, size);
    else if (MSG_IS_REQUEST(message) && origin == NULL)
        print_target(peer, size, message);
    else if (MSG_IS_REQUEST(message) || origin == NULL)
        print_via(peer, size, message);
}

void exo_trace(osip_message_t *message, const struct sb_origin *origin)
{
    char peer[300] = "", *octets;
    size_t length = 0;
    if (trace_core == NULL || sb_core_is_watched(trace_core) || message == NULL)
        return;
    if (exo_octets(message, &octets, &length) != 0)
        return;
    /* libosip2 keeps the text that it has written. Discard it, because the library changes the message once more before
     * it sends it. */
    osip_message_force_update(message);
    print_other(peer, sizeof peer, message, origin);
    sb_core_trace(trace_core, origin == NULL, peer, origin, octets, length);
    osip_free(octets);
}
