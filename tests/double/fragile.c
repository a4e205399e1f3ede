/* fragile.c - dies of what libeXosip2 3.6.0 dies of.
 *
 * For each request but an ACK it makes a server transaction. Where that fails for want of a header field, libosip2
 * takes it out of a list that it was never in: a NULL pointer, and SIGSEGV. Without a Call-ID it does not come that far. */
#include "double.h"

#include <signal.h>
#include <string.h>

void fragile_look(const osip_message_t *message)
{
    if (!D.crash || !MSG_IS_REQUEST(message) || MSG_IS_ACK(message) || message->call_id == NULL)
        return;
    if (osip_list_eol(&message->vias, 0) || message->from == NULL || message->to == NULL ||
        message->cseq == NULL || message->cseq->method == NULL || message->cseq->number == NULL)
        raise(SIGSEGV);
}
