/* network.c - messages in and out, and the thread that lives on them. Those of TCP come by way of stream.c. */
#include "double.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

/* A longer datagram is cut off, as by a library that was built with libosip2 3.6's defaults. */
enum { LONGEST_DATAGRAM = 4000 };

/* -- out -------------------------------------------------------------------------------------------------- */

static const char *value_of(osip_via_t *via, const char *name)
{
    osip_generic_param_t *parameter = NULL;
    osip_via_param_get_byname(via, (char *)name, &parameter);
    return parameter == NULL ? NULL : parameter->gvalue;
}

static void response_target(osip_message_t *response, const char **host, const char **port)
{
    osip_via_t *via = osip_list_get(&response->vias, 0);
    *host = value_of(via, "received") != NULL ? value_of(via, "received") : via->host;
    *port = value_of(via, "rport") != NULL ? value_of(via, "rport") : via->port;
}

static void request_target(osip_message_t *request, const char **host, const char **port)
{
    osip_route_t *route = osip_list_get(&request->routes, 0);
    osip_uri_param_t *loose = NULL;
    osip_uri_t *uri = request->req_uri;
    if (route != NULL)
        osip_uri_uparam_get_byname(route->url, (char *)"lr", &loose);
    if (loose != NULL)
        uri = route->url;
    *host = uri->host;
    *port = uri->port;
}

static struct addrinfo *look_up(const char *host, const char *port)
{
    struct addrinfo wanted, *found = NULL;
    memset(&wanted, 0, sizeof wanted);
    wanted.ai_family = d_ipv6() ? AF_INET6 : AF_INET;
    wanted.ai_socktype = D.protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
    if (host == NULL || getaddrinfo(host, port == NULL ? "5060" : port, &wanted, &found) != 0)
        return NULL;
    return found;
}

static int send_octets(const struct addrinfo *to, int socket, const char *octets, size_t length)
{
    if (D.protocol == IPPROTO_TCP)
        return d_stream_send(to, socket, octets, length);
    return sendto(D.socket, octets, length, 0, to->ai_addr, to->ai_addrlen) >= 0 ? 0 : -1;
}

/* The first Route of a request that begins something says where it goes, and stays here. */
static int print_without_preloaded(osip_message_t *message, char **octets, size_t *length)
{
    osip_generic_param_t *tag = NULL;
    osip_route_t *route = osip_list_get(&message->routes, 0);
    int code;
    osip_to_get_tag(message->to, &tag);
    if (tag != NULL || route == NULL)
        return osip_message_to_str(message, octets, length);
    osip_list_remove(&message->routes, 0);
    osip_message_force_update(message);
    code = osip_message_to_str(message, octets, length);
    osip_list_add(&message->routes, route, 0);
    osip_message_force_update(message);
    return code;
}

/* A message goes by the transport that its Via tells; there is no other than the one that was listened on. */
static int is_sendable(osip_message_t *message)
{
    osip_via_t *via = osip_list_get(&message->vias, 0);
    return via != NULL && osip_strcasecmp(via->protocol, D.protocol == IPPROTO_TCP ? "TCP" : "UDP") == 0;
}

/* osip2's callback for each message; the target that it offers is the same. */
int d_send(osip_transaction_t *tr, osip_message_t *message, char *unused_host, int unused_port, int socket)
{
    const char *host = NULL, *port = NULL;
    struct addrinfo *to;
    char *octets = NULL;
    size_t length = 0;
    int code = -1;
    (void)tr;
    (void)unused_host;
    (void)unused_port;
    if (message->status_code == 101 && D.dont_send_101)
        return 0;
    rule_call_back(D.callback, message, 0);
    if (MSG_IS_REQUEST(message))
        request_target(message, &host, &port);
    else
        response_target(message, &host, &port);
    fragile_send(host);
    to = is_sendable(message) ? look_up(host, port) : NULL;
    if (to == NULL)
        return -1;
    d_fill_in(message, to);
    if (print_without_preloaded(message, &octets, &length) == 0) {
        code = send_octets(to, socket, octets, length);
        osip_free(octets);
    }
    freeaddrinfo(to);
    return code;
}

/* -- in --------------------------------------------------------------------------------------------------- */

static int lacks_headers(const osip_message_t *message)
{
    return osip_list_eol(&message->vias, 0) || message->from == NULL || message->to == NULL ||
           message->cseq == NULL || message->cseq->method == NULL || message->cseq->number == NULL ||
           message->call_id == NULL;
}

void d_handle(const char *octets, size_t length, const struct sockaddr *peer, socklen_t size, int socket)
{
    osip_event_t *event;
    char host[INET6_ADDRSTRLEN] = "", port[8] = "";
    fragile_read(octets, length);
    event = osip_parse(octets, length);
    if (event == NULL)
        return;
    rule_call_back(D.callback, event->sip, 1);
    fragile_look(event->sip);
    if (lacks_headers(event->sip) || (MSG_IS_REQUEST(event->sip) && event->sip->sip_method == NULL)) {
        osip_event_free(event);
        return;
    }
    getnameinfo(peer, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    osip_message_fix_last_via_header(event->sip, host, atoi(port));
    if (!MSG_IS_REQUEST(event->sip))
        d_learn(event->sip);
    if (osip_find_transaction_and_add_event(D.osip, event) == 0)
        return;
    if (MSG_IS_REQUEST(event->sip))
        d_on_new_request(event, socket);
    else
        d_on_late_response(event);
}

static void receive(void)
{
    char octets[LONGEST_DATAGRAM + 1];
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    ssize_t got = recvfrom(D.socket, octets, LONGEST_DATAGRAM, MSG_DONTWAIT, (struct sockaddr *)&peer, &size);
    if (got <= 5)
        return;
    octets[got] = '\0';
    d_handle(octets, (size_t)got, (struct sockaddr *)&peer, size, D.socket);
}

void d_execute(void)
{
    osip_timers_ict_execute(D.osip);
    osip_timers_nict_execute(D.osip);
    osip_timers_ist_execute(D.osip);
    osip_timers_nist_execute(D.osip);
    osip_nist_execute(D.osip);
    osip_nict_execute(D.osip);
    osip_ist_execute(D.osip);
    osip_ict_execute(D.osip);
}

static int await_work(fd_set *set, struct timeval timeout)
{
    char octets[64];
    int highest = D.socket > D.wake[0] ? D.socket : D.wake[0], of_stream;
    FD_ZERO(set);
    FD_SET(D.socket, set);
    FD_SET(D.wake[0], set);
    of_stream = d_stream_set(set);
    if (select((of_stream > highest ? of_stream : highest) + 1, set, NULL, NULL, &timeout) <= 0)
        return 0;
    return !FD_ISSET(D.wake[0], set) || read(D.wake[0], octets, sizeof octets) >= 0;
}

int eXosip_read_message(int count, int seconds, int microseconds)
{
    struct timeval timeout = {seconds, microseconds};
    fd_set set;
    int readable = await_work(&set, timeout);
    (void)count;
    d_lock();
    if (readable && D.protocol == IPPROTO_TCP)
        d_stream_receive(&set);
    else if (readable && FD_ISSET(D.socket, &set))
        receive();
    d_unlock();
    return 0;
}

void *d_worker(void *unused)
{
    int stopping = 0;
    (void)unused;
    rule_inside(1);
    while (!stopping) {
        struct timeval timeout;
        osip_timers_gettimeout(D.osip, &timeout);
        if (timeout.tv_sec > 0)
            eXosip_read_message(1, 1, 0);
        else
            eXosip_read_message(1, 0, (int)timeout.tv_usec);
        d_lock();
        d_stream_ping();
        d_execute();
        d_calls_sweep();
        d_txns_sweep(0);
        stopping = D.stopping;
        d_unlock();
    }
    return NULL;
}
