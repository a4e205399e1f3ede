/* build.c - messages (8.1.1, 8.2.6, 12.2.1.1). */
#include "double.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

char *d_format(const char *format, ...)
{
    va_list arguments;
    char *text;
    int length;
    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    text = osip_malloc((size_t)length + 1);
    if (text == NULL)
        abort();
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

int d_random(void)
{
    return (int)(osip_build_random_number() & 0x7fffffff);
}

void d_new_branch(osip_message_t *message)
{
    osip_via_t *via = osip_list_get(&message->vias, 0);
    osip_generic_param_t *branch = NULL;
    osip_via_param_get_byname(via, (char *)"branch", &branch);
    osip_free(branch->gvalue);
    branch->gvalue = d_format("z9hG4bK%d", d_random());
}

void d_next_cseq(osip_message_t *message, int by)
{
    int number = atoi(message->cseq->number) + by;
    osip_free(message->cseq->number);
    message->cseq->number = d_format("%d", number);
}

/* What 5.3 writes in place of its address until it sends the message. */
static const char NO_HOST[] = "999.999.999.999";
enum { NO_PORT = 99999 };

/* The address and the port that a message is built with. */
static int name_ourselves(char *ip, int size, int *port)
{
    *port = D_IS_5_3 ? NO_PORT : D.masquerade_port;
    if (!D_IS_5_3)
        return d_local_ip(D.family, ip, size);
    snprintf(ip, (size_t)size, "%s", NO_HOST);
    return OSIP_SUCCESS;
}

static void replace(char **host, char **port, const char *own_host, int own_port)
{
    if (*host != NULL && strcmp(*host, NO_HOST) == 0) {
        osip_free(*host);
        *host = osip_strdup(own_host);
    }
    if (*port != NULL && atoi(*port) == NO_PORT) {
        osip_free(*port);
        *port = d_format("%d", own_port);
    }
}

void d_fill_in(osip_message_t *message, const struct addrinfo *to)
{
    osip_via_t *via = osip_list_get(&message->vias, 0);
    osip_contact_t *contact = osip_list_get(&message->contacts, 0);
    const char *host = D.learned[0] != '\0' ? D.learned : D.masquerade;
    char ip[64] = "";
    if (!D_IS_5_3)
        return;
    d_ip_towards(to, ip, sizeof ip);
    if (MSG_IS_REQUEST(message) && via != NULL)
        replace(&via->host, &via->port, ip, D.masquerade_port);
    if (contact != NULL && contact->url != NULL)
        replace(&contact->url->host, &contact->url->port, host[0] != '\0' ? host : ip,
                D.learned_port > 0 ? D.learned_port : D.masquerade_port);
    osip_message_force_update(message);
}

void d_learn(osip_message_t *response)
{
    osip_via_t *via = osip_list_get(&response->vias, 0);
    osip_generic_param_t *received = NULL, *rport = NULL;
    if (!D.learns || via == NULL)
        return;
    osip_via_param_get_byname(via, (char *)"received", &received);
    osip_via_param_get_byname(via, (char *)"rport", &rport);
    if (received != NULL && received->gvalue != NULL)
        snprintf(D.learned, sizeof D.learned, "%s", received->gvalue);
    if (rport != NULL && rport->gvalue != NULL)
        D.learned_port = atoi(rport->gvalue);
}

static int add_via(osip_message_t *message)
{
    char ip[64];
    char *via;
    int port, code = name_ourselves(ip, sizeof ip, &port);
    if (code != OSIP_SUCCESS)
        return code;
    /* No rport over IPv6: as the library. */
    via = d_format(D.family == AF_INET6 ? "SIP/2.0/%s [%s]:%d;branch=z9hG4bK%d" : "SIP/2.0/%s %s:%d;rport;branch=z9hG4bK%d",
                   D.protocol == IPPROTO_TCP ? "TCP" : "UDP", ip, port, d_random());
    code = osip_message_set_via(message, via);
    osip_free(via);
    return code;
}

int d_add_contact(osip_message_t *message, const char *user)
{
    char ip[64];
    char *text;
    osip_contact_t *contact;
    int code, port;
    name_ourselves(ip, sizeof ip, &port);
    text = d_format(D.family == AF_INET6 ? "<sip:[%s]:%d%s>" : "<sip:%s:%d%s>",
                    D.masquerade[0] != '\0' && !D_IS_5_3 ? D.masquerade : ip, port,
                    D.protocol == IPPROTO_TCP ? ";transport=TCP" : "");
    code = osip_message_set_contact(message, text);
    osip_free(text);
    contact = osip_list_get(&message->contacts, osip_list_size(&message->contacts) - 1);
    if (code == 0 && contact != NULL && user != NULL)
        osip_uri_set_username(contact->url, osip_strdup(user)); /* decoded, and escaped again where it is written */
    return code;
}

int d_add_record_routes(osip_message_t *response, osip_message_t *request)
{
    osip_record_route_t *copy;
    int i, code = 0;
    for (i = 0; i < osip_list_size(&request->record_routes) && code == 0; i++) {
        code = osip_record_route_clone(osip_list_get(&request->record_routes, i), &copy);
        if (code == 0)
            osip_list_add(&response->record_routes, copy, -1);
    }
    return code;
}

static int set_cseq(osip_message_t *message, int number, const char *method)
{
    char *text = d_format("%d %s", number, method);
    int code = osip_message_set_cseq(message, text);
    osip_free(text);
    return code;
}

static int start_request(osip_message_t **request, const char *method)
{
    int code = osip_message_init(request);
    if (code != 0)
        return code;
    osip_message_set_method(*request, osip_strdup(method));
    osip_message_set_version(*request, osip_strdup("SIP/2.0"));
    osip_message_set_max_forwards(*request, "70");
    osip_message_set_user_agent(*request, D.user_agent);
    return add_via(*request);
}

static int give_up(osip_message_t **message, int code)
{
    osip_message_free(*message);
    *message = NULL;
    return code;
}

static int set_target(osip_message_t *request, const char *route, const char *request_uri)
{
    int code;
    if (request_uri == NULL)
        code = osip_uri_clone(request->to->url, &request->req_uri);
    else if ((code = osip_uri_init(&request->req_uri)) == 0)
        code = osip_uri_parse(request->req_uri, request_uri);
    if (code == 0 && route != NULL)
        code = osip_message_set_route(request, route);
    return code;
}

static int is_named(const osip_uri_header_t *header, const char *name)
{
    return osip_strcasecmp(header->gname, name) == 0;
}

/* Some headers of a URI the library leaves out. */
static int is_left_out(const osip_uri_header_t *header)
{
    static const char *const NAMES[] = {"from", "to", "call-id", "cseq", "via", "contact"};
    size_t i;
    for (i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (is_named(header, NAMES[i]))
            return 1;
    return 0;
}

/* The others (19.1.1: "?Subject=hi") become lines of the message, escapes decoded: a line end in one begins the next. */
static void move_uri_headers(osip_message_t *request, osip_uri_t *url)
{
    osip_uri_header_t *header;
    while ((header = osip_list_get(&url->url_headers, 0)) != NULL) {
        osip_list_remove(&url->url_headers, 0);
        if (is_named(header, "route"))
            osip_message_set_route(request, header->gvalue);
        else if (is_named(header, "content-type"))
            osip_message_set_content_type(request, header->gvalue);
        else if (!is_left_out(header))
            osip_message_set_header(request, header->gname, header->gvalue);
        osip_uri_header_free(header);
    }
}

int d_build_request(osip_message_t **request, const char *method, const char *to, const char *from,
                    const char *route, const char *request_uri)
{
    char *call_id;
    int code = start_request(request, method);
    if (code == 0)
        code = osip_message_set_to(*request, to);
    if (code == 0)
        move_uri_headers(*request, (*request)->to->url);
    if (code == 0)
        code = osip_message_set_from(*request, from);
    if (code == 0)
        code = set_target(*request, route, request_uri);
    if (code != 0)
        return give_up(request, code);
    osip_from_set_tag((*request)->from, d_format("%d", d_random()));
    call_id = d_format("%d", d_random());
    osip_message_set_call_id(*request, call_id);
    osip_free(call_id);
    set_cseq(*request, strcmp(method, "REGISTER") == 0 ? 1 : 20, method);
    return OSIP_SUCCESS;
}

static int add_routes(osip_message_t *request, osip_dialog_t *dialog)
{
    osip_route_t *copy;
    int i, code = 0;
    for (i = 0; i < osip_list_size(&dialog->route_set) && code == 0; i++) {
        code = osip_route_clone(osip_list_get(&dialog->route_set, i), &copy);
        if (code == 0)
            osip_list_add(&request->routes, copy, -1);
    }
    return code;
}

int d_build_within(osip_message_t **request, const char *method, osip_dialog_t *dialog)
{
    int code;
    if (dialog->remote_contact_uri == NULL)
        return OSIP_SYNTAXERROR;
    fragile_write(dialog);
    code = start_request(request, method);
    if (code == 0)
        code = osip_uri_clone(dialog->remote_contact_uri->url, &(*request)->req_uri);
    if (code == 0)
        code = osip_to_clone(dialog->remote_uri, &(*request)->to);
    if (code == 0)
        code = osip_from_clone(dialog->local_uri, &(*request)->from);
    if (code == 0)
        code = add_routes(*request, dialog);
    if (code != 0)
        return give_up(request, code);
    osip_message_set_call_id(*request, dialog->call_id);
    if (strcmp(method, "ACK") != 0)
        dialog->local_cseq++;
    set_cseq(*request, dialog->local_cseq, method);
    if (!D_IS_5_3 || strcmp(method, "BYE") != 0)
        d_add_contact(*request, (*request)->from->url->username);
    return OSIP_SUCCESS;
}

static int copy_vias(osip_message_t *response, osip_message_t *request)
{
    osip_via_t *copy;
    int i, code = 0;
    for (i = 0; i < osip_list_size(&request->vias) && code == 0; i++) {
        code = osip_via_clone(osip_list_get(&request->vias, i), &copy);
        if (code == 0)
            osip_list_add(&response->vias, copy, -1);
    }
    return code;
}

/* Not by osip_message_set_header(), whose calls are those of the engine. */
void d_add_header(osip_message_t *message, const char *name, const char *value)
{
    osip_header_t *header = NULL;
    if (osip_header_init(&header) != 0)
        return;
    header->hname = osip_strdup(name);
    header->hvalue = osip_strdup(value);
    osip_list_add(&message->headers, header, -1);
}

static void add_event(osip_message_t *response, const osip_message_t *subscribe)
{
    osip_header_t *event = NULL;
    osip_message_header_get_byname(subscribe, "event", 0, &event);
    d_add_header(response, "Event", event != NULL && event->hvalue != NULL ? event->hvalue : "presence");
}

int d_build_response(osip_message_t **response, osip_dialog_t *dialog, int status, osip_message_t *request)
{
    osip_generic_param_t *tag = NULL;
    const char *reason = osip_message_get_reason(status);
    int code = osip_message_init(response);
    if (code != 0)
        return code;
    osip_message_set_version(*response, osip_strdup("SIP/2.0"));
    osip_message_set_status_code(*response, status);
    osip_message_set_reason_phrase(*response, osip_strdup(reason != NULL ? reason : "Unknown code"));
    osip_message_set_user_agent(*response, D.user_agent);
    code = copy_vias(*response, request);
    if (code == 0)
        code = osip_from_clone(request->from, &(*response)->from);
    if (code == 0)
        code = osip_to_clone(request->to, &(*response)->to);
    if (code == 0)
        code = osip_call_id_clone(request->call_id, &(*response)->call_id);
    if (code == 0)
        code = osip_cseq_clone(request->cseq, &(*response)->cseq);
    if (code != 0)
        return give_up(response, code);
    if (MSG_IS_SUBSCRIBE(request))
        add_event(*response, request);
    if (status != 100 && osip_to_get_tag((*response)->to, &tag) != 0)
        osip_to_set_tag((*response)->to, dialog != NULL && dialog->local_tag != NULL
                                             ? osip_strdup(dialog->local_tag)
                                             : d_format("%d", d_random()));
    return OSIP_SUCCESS;
}
