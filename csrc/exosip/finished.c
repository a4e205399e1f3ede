/* finished.c - see finished.h. libosip2 ends transactions at once by itself where the transport is reliable. */
#include "finished.h"

#include <string.h>
#include <sys/time.h>

#include "library.h"

#include <osip2/osip.h>

/* With the end of such a request's transaction the library ends the subscription, if that is over. But that may have
 * come to an end meanwhile, and the library has yet to answer for it. */
static int is_of_subscription(const osip_transaction_t *transaction)
{
    const char *method = transaction->cseq == NULL ? NULL : transaction->cseq->method;
    return method == NULL || strcmp(method, "NOTIFY") == 0 || strcmp(method, "SUBSCRIBE") == 0;
}

/* Timers (RFC 3261, 17): I waits for repetitions of an ACK, J for those of a request, K for those of a final response.
 * What I and K wait for, the library ignores if it comes later. */
void exo_end_early(void *data, int is_memorable)
{
    osip_transaction_t *transaction = data;
    if (transaction->ctx_type == NIST && is_memorable)
        transaction->nist_context->timer_j_length = 0;
    else if (transaction->ctx_type == IST)
        transaction->ist_context->timer_i_length = 0;
    else if (transaction->ctx_type == NICT && !is_of_subscription(transaction))
        transaction->nict_context->timer_k_length = 0;
}
