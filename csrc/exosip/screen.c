/* screen.c - what libeXosip2 3.3 or 5.3 cannot take is changed before it looks, and put right before anybody else does.
 *
 * The library shows each message to a callback before it does anything with it, and goes on with what the callback
 * leaves. 3.6 needs nothing of this. 3.3 and 5.3
 * - read the host of each URI that they may send to, where there may be none ("tel:"): SIGSEGV. Such a URI gets a host
 *   that leads nowhere; its text is not made of that. 3.3 does so with the Request-URI of what arrives, too.
 * 3.3
 * - asks for SRV records of the Request-URI and the Route of what arrives, for nothing, and its whole stack waits for
 *   the answer: not where there is a port.
 * - writes the user of its side's address into 200 octets of its stack, whatever its length.
 * - tells that a call was cancelled, and not by which CANCEL, which may have a Reason: it is kept until then.
 * - answers each NOTIFY that it knows no subscription for with 481, and it is made to forget ours (subscribe.c).
 *   It gets it by another name, and hands it on as it does each request that it does not know. Until it forgets it must
 *   not take it for one of the subscription's dialog: it gets the notifier's tag changed.
 * 5.3
 * - takes a REFER outside of calls for a new subscription, and answers one itself whose dialog it does not know. It gets
 *   it by another name, too: 3.x hands it on.
 */
#include "screen.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"
#include "mark.h"
#include "message.h"
#include "request.h"
#include "state.h"
#include "trace.h"

enum { CANCELS = 64 }; /* the number of CANCELs that are kept */

static const char NOWHERE[] = ":";  /* not a name, so nobody asks DNS for it */
static const char NO_PORT[] = "0";

/* Methods that nobody else uses: a method may have a ".". */
static const char NOTIFY[] = "sipbridge.NOTIFY", REFER[] = "sipbridge.REFER", REFUSED[] = "sipbridge.REFUSED";
static const char HIDDEN[] = "sipbridge.";

static int is_set(char **text, const char *value)
{
    osip_free(*text);
    *text = osip_strdup(value);
    return *text != NULL;
}

static int has_host(osip_uri_t *uri)
{
    return uri == NULL || uri->host != NULL || is_set(&uri->host, NOWHERE);
}

static int has_port(osip_uri_t *uri)
{
    return uri == NULL || uri->string != NULL || uri->port != NULL || is_set(&uri->port, NO_PORT);
}

static osip_uri_t *uri_in(osip_list_t *addresses, int index)
{
    osip_from_t *address = osip_list_get(addresses, index);
    return address == NULL ? NULL : address->url;
}

static int have_hosts(osip_list_t *addresses)
{
    int i, sound = 1;
    for (i = 0; i < osip_list_size(addresses); i++)
        sound &= has_host(uri_in(addresses, i));
    return sound;
}

/* The tag in To of a response to SUBSCRIBE, or NULL. */
static osip_generic_param_t *notifier_tag(const osip_message_t *message)
{
    osip_generic_param_t *tag = NULL;
    if (message == NULL || MSG_IS_REQUEST(message) || message->cseq == NULL || message->cseq->method == NULL ||
        strcmp(message->cseq->method, "SUBSCRIBE") != 0 || message->to == NULL)
        return NULL;
    osip_to_get_tag(message->to, &tag);
    return tag != NULL && tag->gvalue != NULL ? tag : NULL;
}

static int hide(osip_generic_param_t *tag)
{
    size_t size = tag == NULL ? 0 : sizeof HIDDEN + strlen(tag->gvalue);
    char *hidden;
    if (tag == NULL)
        return 1;
    hidden = osip_malloc(size);
    if (hidden == NULL)
        return 0;
    snprintf(hidden, size, "%s%s", HIDDEN, tag->gvalue);
    osip_free(tag->gvalue);
    tag->gvalue = hidden;
    return 1;
}

/* Whether all that may be sent to has a host now. */
static int prepare_addresses(osip_message_t *message)
{
    return have_hosts(&message->contacts) & have_hosts(&message->record_routes) & have_hosts(&message->routes);
}

/* False when memory is out. */
static int prepare(osip_message_t *message)
{
    int sound = prepare_addresses(message);
    if (!MSG_IS_REQUEST(message))
        return sound & hide(notifier_tag(message));
    sound &= has_host(message->req_uri) & has_port(message->req_uri) & has_port(uri_in(&message->routes, 0));
    if (exo_is_method(message, "NOTIFY"))
        sound &= is_set(&message->sip_method, NOTIFY);
    return sound;
}

/* The library ignores a request that has no method. */
static void drop(osip_message_t *message)
{
    osip_free(message->sip_method);
    message->sip_method = NULL;
    osip_message_set_status_code(message, 0);
}

int exo_is_long_user(const osip_from_t *address)
{
    return address != NULL && address->url != NULL && address->url->username != NULL &&
           strlen(address->url->username) > EXO_MAX_USER;
}

/* ------------------------------------------------------------------------------------------------------
 * CANCEL
 */

/* There is one engine per process, and the callback gets no argument of ours. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static osip_message_t *cancels[CANCELS];
static int next_cancel;

static int is_of_call(osip_message_t *cancel, const char *call_id)
{
    char *own = cancel == NULL ? NULL : exo_call_id(cancel);
    int same = own != NULL && strcmp(own, call_id) == 0;
    free(own);
    return same;
}

osip_message_t *exo_take_cancel(const char *call_id)
{
    osip_message_t *found = NULL;
    int i;
    pthread_mutex_lock(&mutex);
    for (i = 0; i < CANCELS && found == NULL; i++)
        if (is_of_call(cancels[i], call_id)) {
            found = cancels[i];
            cancels[i] = NULL;
        }
    pthread_mutex_unlock(&mutex);
    return found;
}

/* Keep the CANCEL: the last one of each call, and as many as there is room for. */
static void keep_cancel(osip_message_t *cancel)
{
    char *call_id = exo_call_id(cancel);
    osip_message_t *copy = NULL, *before;
    if (call_id == NULL || osip_message_clone(cancel, &copy) != 0) {
        free(call_id);
        return;
    }
    before = exo_take_cancel(call_id);
    free(call_id);
    osip_message_free(before);
    pthread_mutex_lock(&mutex);
    before = cancels[next_cancel];
    cancels[next_cancel] = copy;
    next_cancel = (next_cancel + 1) % CANCELS;
    pthread_mutex_unlock(&mutex);
    osip_message_free(before);
}

void exo_drop_cancels(void)
{
    int i;
    for (i = 0; i < CANCELS; i++) {
        osip_message_free(cancels[i]);
        cancels[i] = NULL;
    }
}

/* ------------------------------------------------------------------------------------------------------
 * Supported
 */
static const char SUPPORTED_NAME[] = "Supported", UNSEEN_NAME[] = "X-Sipbridge-Supported";

/* Without memory they keep their name. */
static void rename_headers(osip_message_t *message, const char *name, const char *new_name)
{
    osip_header_t *header = NULL;
    while (osip_message_header_get_byname(message, name, 0, &header) >= 0 && header != NULL) {
        char *copy = osip_strdup(new_name);
        if (copy == NULL)
            return;
        osip_free(header->hname);
        header->hname = copy;
        osip_message_force_update(message);
    }
}

void exo_hide_supported(osip_message_t *answer)
{
    if (SB_EXOSIP_API == 3)
        return;
    rename_headers(answer, SUPPORTED_NAME, UNSEEN_NAME);
    rename_headers(answer, "k", UNSEEN_NAME);
}

/* ------------------------------------------------------------------------------------------------------
 * Before the library
 */
static void screen_response(osip_message_t *response)
{
    int sound = prepare(response);
    if (!sound || exo_is_long_user(response->from))
        drop(response);
}

static void screen_request(osip_message_t *request)
{
    int refused = exo_is_long_user(request->to), sound;
    if (request->sip_method == NULL)
        return;
    if (exo_is_method(request, "CANCEL") && !refused)
        keep_cancel(request);
    sound = prepare(request);
    if (refused)
        sound = sound && !exo_is_method(request, "ACK") && is_set(&request->sip_method, REFUSED);
    if (!sound)
        drop(request);
}

static void screen_for_5_3(osip_message_t *message)
{
    int sound = prepare_addresses(message);
    if (MSG_IS_REQUEST(message) && exo_is_method(message, "REFER"))
        sound &= is_set(&message->sip_method, REFER);
    if (!sound)
        drop(message);
}

static void on_outgoing(osip_message_t *message)
{
    if (message != NULL && SB_EXOSIP_API == 5)
        rename_headers(message, UNSEEN_NAME, SUPPORTED_NAME);
    exo_trace(message, NULL);
}

void exo_on_message(osip_message_t *message, int received)
{
    struct sb_origin origin;
    if (message == NULL || !received) {
        on_outgoing(message);
        return;
    }
    exo_find_origin(&origin);
    exo_trace(message, &origin);
    exo_mark(message, &origin);
    if (EXO_IS_3_3 && MSG_IS_REQUEST(message))
        screen_request(message);
    else if (EXO_IS_3_3)
        screen_response(message);
    else if (SB_EXOSIP_API == 5)
        screen_for_5_3(message);
}

/* ------------------------------------------------------------------------------------------------------
 * Afterwards
 */
static void take_port(osip_uri_t *uri)
{
    if (uri == NULL || uri->port == NULL || strcmp(uri->port, NO_PORT) != 0)
        return;
    osip_free(uri->port);
    uri->port = NULL;
}

static void show(osip_generic_param_t *tag)
{
    if (tag != NULL && strncmp(tag->gvalue, HIDDEN, sizeof HIDDEN - 1) == 0)
        memmove(tag->gvalue, tag->gvalue + sizeof HIDDEN - 1, strlen(tag->gvalue + sizeof HIDDEN - 1) + 1);
}

static void restore_method(osip_message_t *message, const char *other, const char *method)
{
    if (!exo_is_method(message, other))
        return;
    is_set(&message->sip_method, method);
    osip_message_force_update(message);
}

static void restore(osip_message_t *message)
{
    if (message == NULL || !MSG_IS_REQUEST(message))
        return;
    take_port(message->req_uri);
    take_port(uri_in(&message->routes, 0));
    restore_method(message, NOTIFY, "NOTIFY");
    osip_message_force_update(message);
}

int exo_restore(struct exosip *state, eXosip_event_t *event)
{
    if (SB_EXOSIP_API == 5)
        restore_method(event->request, REFER, "REFER");
    if (!EXO_IS_3_3)
        return 1;
    if (event->response != NULL) {
        show(notifier_tag(event->response));
        osip_message_force_update(event->response);
    }
    restore(event->request);
    restore(event->ack);
    if (!exo_is_method(event->request, REFUSED))
        return 1;
    if (event->type == EXOSIP_CALL_MESSAGE_NEW)
        exo_answer_call_request(state, event->tid, 400);
    else
        exo_answer_request(state, event->tid, 400);
    return 0;
}
