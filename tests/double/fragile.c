/* fragile.c - dies of what libeXosip2 3.6.0 dies of, and 3.3.0 and 5.3.0.
 *
 * For each request but an ACK it makes a server transaction. Where that fails for want of a header field, libosip2
 * takes it out of a list that it was never in: a NULL pointer, and SIGSEGV. Without a Call-ID it does not come that far.
 *
 * 3.3.0 looks up the host of each request that it receives or sends, where there may be none ("tel:"), and writes the
 * Contact of a request within a dialog into 200 octets. 5.3.0 looks up the host of what it sends. */
#include "double.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

void fragile_read(const char *octets, size_t length)
{
    const char *text = getenv("EXOSIP_DOUBLE_DIE_OF");
    if (text != NULL && *text != '\0' && memmem(octets, length, text, strlen(text)) != NULL)
        raise(SIGSEGV);
}

void fragile_look(const osip_message_t *message)
{
    if (D_IS_5_3 || !D.crash || !MSG_IS_REQUEST(message) || MSG_IS_ACK(message) || message->call_id == NULL)
        return;
    if (osip_list_eol(&message->vias, 0) || message->from == NULL || message->to == NULL ||
        message->cseq == NULL || message->cseq->method == NULL || message->cseq->number == NULL)
        raise(SIGSEGV);
}

void fragile_look_up(osip_message_t *request)
{
    osip_route_t *route = osip_list_get(&request->routes, 0);
    osip_uri_param_t *parameter = NULL;
    const char *host = request->req_uri->host;
    if (!D_IS_3_3)
        return;
    osip_uri_uparam_get_byname(request->req_uri, (char *)"maddr", &parameter);
    if (parameter != NULL && parameter->gvalue != NULL)
        host = parameter->gvalue;
    parameter = NULL;
    if (route != NULL)
        osip_uri_uparam_get_byname(route->url, (char *)"lr", &parameter);
    if (parameter != NULL)
        host = route->url->host;
    if (host == NULL)
        raise(SIGSEGV);
}

void fragile_send(const char *host)
{
    if (D_IS_5_3 && host == NULL)
        raise(SIGSEGV);
}

void fragile_write(const osip_dialog_t *dialog)
{
    const char *user = dialog->local_uri->url->username;
    if (D_IS_3_3 && user != NULL && strlen(user) > 200 - sizeof "<sip:@127.0.0.1:5060>")
        raise(SIGSEGV);
}
