/* send.c - sends our requests, in their dialogs, and again for a challenge. */
#include "send.h"

#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>

#include "address.h"
#include "auth.h"
#include "digest_sha256.h"
#include "message.h"
#include "state.h"

int sof_dialog_new(struct sof_record *record, msg_t *draft, nta_request_f *inward)
{
    const sip_t *sip = sip_object(draft);
    record->leg = nta_leg_tcreate(record->state->agent, inward, record, SIPTAG_CALL_ID(sip->sip_call_id),
                                  SIPTAG_FROM(sip->sip_from), SIPTAG_TO(sip->sip_to), SIPTAG_CSEQ_STR("1"), TAG_END());
    return record->leg != NULL && nta_leg_tag(record->leg, NULL) != NULL ? SB_OK : SB_ELIBRARY;
}

int sof_dialog_accept(struct sof_record *record, nta_incoming_t *irq, const sip_t *sip, nta_request_f *inward)
{
    nta_leg_t *leg = nta_leg_tcreate(record->state->agent, inward, record, SIPTAG_CALL_ID(sip->sip_call_id),
                                     SIPTAG_FROM(sip->sip_to), SIPTAG_TO(sip->sip_from), SIPTAG_CSEQ_STR("1"),
                                     NTATAG_REMOTE_CSEQ(sip->sip_cseq->cs_seq), TAG_END());
    const char *tag;
    record->leg = leg;
    if (leg == NULL || (tag = nta_leg_tag(leg, NULL)) == NULL)
        return SB_ENOMEM;
    nta_leg_server_route(leg, sip->sip_record_route, sip->sip_contact);
    nta_incoming_tag(irq, tag);
    return SB_OK;
}

/* Make our Contact a sips: URI if the Request-URI is one. Within a dialog the Request-URI is known only now. */
static int adjust_contact(const struct sofia *state, msg_t *msg)
{
    sip_t *sip = sip_object(msg);
    sip_contact_t *wanted = sof_contact(state, sip->sip_request->rq_url);
    if (wanted == state->contact || sip->sip_contact == NULL ||
        url_cmp(sip->sip_contact->m_url, state->contact->m_url) != 0)
        return 0;
    msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)sip->sip_contact);
    return msg_header_add_dup(msg, NULL, (msg_header_t *)wanted);
}

static nta_outgoing_t *send_copy(struct sof_request *request, msg_t *msg)
{
    struct sof_record *dialog = request->dialog;
    sip_t *sip = sip_object(msg);
    const url_string_t *target =
        sip->sip_request == NULL ? NULL : (const url_string_t *)sip->sip_request->rq_url;
    if (nta_msg_request_complete(msg, dialog->leg, sip_method_code(request->method), request->method, target) < 0 ||
        adjust_contact(dialog->state, msg) != 0 ||
        auc_authorization(&dialog->auth, msg, (msg_pub_t *)sip, request->method, sip->sip_request->rq_url,
                          sip->sip_payload) < 0 ||
        sof_authorize_sha256(dialog, msg, request->method) != SB_OK)
        return NULL;
    return nta_outgoing_mcreate(dialog->state->agent, request->callback, request->owner, NULL, msg, TAG_END());
}

int sof_send_again(struct sof_request *request)
{
    msg_t *msg = msg_copy(request->draft);
    if (request->orq != NULL)
        nta_outgoing_destroy(request->orq);
    request->orq = msg == NULL ? NULL : send_copy(request, msg);
    if (msg != NULL && request->orq == NULL)
        msg_destroy(msg);
    return request->orq == NULL ? SB_ELIBRARY : SB_OK;
}

int sof_send(struct sof_request *request, struct sof_record *dialog, struct sof_record *owner,
             const char *method, msg_t *draft, nta_response_f *callback)
{
    sof_request_clear(request);
    request->dialog = dialog;
    request->owner = owner;
    request->callback = callback;
    request->draft = draft;
    request->method = su_strdup(msg_home(draft), method);
    request->retries = 0;
    return request->method == NULL ? SB_ELIBRARY : sof_send_again(request);
}

int sof_is_unresolved(const struct sof_request *request)
{
    msg_t *msg = request->orq == NULL ? NULL : nta_outgoing_getrequest(request->orq);
    int is_so = msg != NULL && sip_object(msg)->sip_via == NULL; /* a Via names the socket that the request leaves by */
    if (msg != NULL)
        msg_destroy(msg);
    return is_so;
}

/* Free a request. nta would forget an INVITE at once, and could not acknowledge what is still to come; so an INVITE is
 * cancelled first. */
static void forget(nta_outgoing_t *orq)
{
    if (nta_outgoing_method(orq) == sip_method_invite && nta_outgoing_status(orq) < 200)
        nta_outgoing_cancel(orq);
    nta_outgoing_destroy(orq);
}

void sof_request_clear(struct sof_request *request)
{
    if (request->orq != NULL)
        forget(request->orq);
    if (request->draft != NULL)
        msg_destroy(request->draft);
    memset(request, 0, sizeof *request);
}

static int is_stale(const msg_auth_t *challenge)
{
    for (; challenge != NULL; challenge = challenge->au_next) {
        const char *stale = msg_header_find_param(challenge->au_common, "stale=");
        if (stale != NULL && strncasecmp(stale + (*stale == '"'), "true", 4) == 0)
            return 1;
    }
    return 0;
}

static int has_stale(const sip_t *sip)
{
    return is_stale(sip->sip_www_authenticate) || is_stale(sip->sip_proxy_authenticate);
}

static int was_authorized(nta_outgoing_t *orq, int status)
{
    msg_t *sent = nta_outgoing_getrequest(orq);
    const sip_t *sip = sent == NULL ? NULL : sip_object(sent);
    int was = 0;
    if (sip != NULL)
        was = status == 401 ? sip->sip_authorization != NULL : sip->sip_proxy_authorization != NULL;
    if (sent != NULL)
        msg_destroy(sent);
    return was;
}

int sof_retry(struct sof_request *request, const sip_t *sip)
{
    int status;
    if (sip == NULL || request->draft == NULL || request->retries >= SB_MAX_RETRIES)
        return 0;
    status = sip->sip_status->st_status;
    if (status != 401 && status != 407)
        return 0;
    if (request->retries > 0 && was_authorized(request->orq, status) && !has_stale(sip))
        return 0; /* they were refused */
    if (!sof_take_challenges(request->dialog, sip))
        return 0;
    request->retries++;
    return sof_send_again(request) == SB_OK;
}
