/* call.c - what the user does with a call (13, 14, 15). */
#include "call.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "call_events.h"
#include "clock.h"
#include "index.h"
#include "library.h"
#include "message.h"
#include "object.h"
#include "request.h"
#include "resolve.h"
#include "state.h"

/* ------------------------------------------------------------------------------------------------------
 * Out
 */

/* Put this Call-ID in the place of the library's; NULL: leave it. */
static int set_call_id(osip_message_t *invite, const char *call_id)
{
    if (call_id == NULL)
        return SB_OK;
    osip_call_id_free(invite->call_id);
    invite->call_id = NULL;
    return exo_error(osip_message_set_call_id(invite, call_id));
}

/* Build the INVITE, or set *invite to NULL. Under eXosip_lock. */
static int build_invite(struct exosip *state, osip_message_t **invite, const struct exo_addresses *addresses,
                        const char *call_id, const sb_content *content)
{
    int code;
    EXO_UNUSED(state);
    *invite = NULL;
    code = exo_error(eXosip_call_build_initial_invite(EXO_FIRST(state) invite, addresses->to, addresses->from,
                                                      addresses->route, NULL));
    if (code == SB_OK && *invite == NULL)
        code = SB_ELIBRARY;
    if (code == SB_OK)
        code = set_call_id(*invite, call_id);
    if (code == SB_OK)
        code = exo_fill(*invite, content);
    if (code == SB_OK)
        return SB_OK;
    osip_message_free(*invite);
    *invite = NULL;
    return code;
}

static int send_invite(struct exosip *state, struct exo_call *record, const struct exo_addresses *addresses,
                       const char *call_id, const sb_content *content)
{
    osip_message_t *invite;
    int code, cid;
    exo_lock(state);
    code = build_invite(state, &invite, addresses, call_id, content);
    if (code == SB_OK) {
        record->call_id = exo_call_id(invite);
        cid = eXosip_call_send_initial_invite(EXO_FIRST(state) invite); /* takes the message, whatever it returns */
        record->cid = cid;
        code = cid > 0 ? SB_OK : cid < 0 ? exo_error(cid) : SB_ELIBRARY;
    }
    exo_unlock(state);
    return code;
}

int exo_call(void *data, struct sb_object *call, const sb_parties *parties, const char *call_id,
             const sb_content *content)
{
    struct exosip *state = data;
    struct exo_addresses addresses;
    struct exo_call *record;
    struct sb_object *other;
    int code = exo_check_target(parties);
    if (code != SB_OK)
        return code;
    record = calloc(1, sizeof *record);
    if (record == NULL)
        return SB_ENOMEM;
    exo_keep(call, record);
    record->started_ms = sb_monotonic_ms();
    exo_set_due(&record->record, record->started_ms + EXO_OVERDUE);
    code = exo_addresses_set(&addresses, state, parties);
    if (code == SB_OK)
        code = send_invite(state, record, &addresses, call_id, content);
    exo_addresses_clear(&addresses);
    if (code != SB_OK)
        return code;
    code = exo_index_call(state, call);
    if (code == SB_ELIBRARY && (other = exo_find_call(state, record->cid)) != NULL)
        /* The library numbers calls up to 32767 and then begins anew, even if an old call still has the number. Its
         * events for this call have another Call-ID than the older one's. This call is given up. */
        ((struct exo_call *)other->lib)->strangers++;
    return code;
}

int exo_send_ack(struct exosip *state, int did, int tid, const sb_content *content)
{
    osip_message_t *ack = NULL;
    int code, returned;
    EXO_UNUSED(did);
    EXO_UNUSED(tid);
    if (EXO_ACK_ID(did, tid) <= 0)
        return SB_ESTATE;
    exo_lock(state);
    code = exo_error(eXosip_call_build_ack(EXO_FIRST(state) EXO_ACK_ID(did, tid), &ack));
    if (code == SB_OK)
        code = ack == NULL ? SB_ELIBRARY : exo_fill(ack, content);
    if (code == SB_OK) {
        returned = eXosip_call_send_ack(EXO_FIRST(state) EXO_ACK_ID(did, tid), ack);
        /* The ACK could not be sent because there is no TCP connection. That is the same as a lost ACK: the library has
         * kept it, and sends it when the 2xx comes again (13.2.2.4). */
        code = returned == OSIP_UNDEFINED_ERROR ? SB_OK : exo_error(returned);
    } else {
        osip_message_free(ack);
    }
    exo_unlock(state);
    return code;
}

/* Not eXosip_call_terminate(): it has no room for headers. */
int exo_send_bye(struct exosip *state, int did, const sb_content *content)
{
    osip_message_t *bye = NULL;
    int code;
    if (did <= 0)
        return SB_ESTATE;
    exo_lock(state);
    code = exo_error(eXosip_call_build_request(EXO_FIRST(state) did, "BYE", &bye));
    if (code == SB_OK)
        code = bye == NULL ? SB_ELIBRARY : exo_fill(bye, content);
    if (code == SB_OK)
        code = exo_error(eXosip_call_send_request(EXO_FIRST(state) did, bye));
    else
        osip_message_free(bye);
    exo_unlock(state);
    return code;
}

/* CANCEL or BYE, as the library sees fit. */
static int terminate(struct exosip *state, int cid, int did)
{
    int returned;
    EXO_UNUSED(state);
    exo_lock(state);
    returned = eXosip_call_terminate(EXO_FIRST(state) cid, did);
    exo_unlock(state);
    return exo_error(returned);
}

int exo_send_cancel(struct exosip *state, struct exo_call *call)
{
    /* Name the call, but no dialog: 3.3 forgets a dialog that is named here at once, and a 2xx that crosses the CANCEL
     * then belongs to none. */
    int code = terminate(state, call->cid, 0);
    if (code != SB_OK)
        return code;
    call->ending = EXO_ENDING_CANCELLED;
    exo_set_due(&call->record, sb_monotonic_ms() + SB_64_T1_MS); /* 9.1: then it is taken as cancelled */
    return SB_OK;
}

int exo_ack(void *data, struct sb_object *call, const sb_content *content)
{
    struct exo_call *record = call->lib;
    return exo_send_ack(data, record->did, record->tid, content);
}

/* Keep what is to go with the BYE until it is due. */
static int postpone(struct exo_call *record, enum exo_ending ending, const sb_content *content)
{
    struct exo_content *copy = exo_content_copy(content);
    if (copy == NULL)
        return SB_ENOMEM;
    exo_content_free(record->farewell);
    record->farewell = copy;
    record->ending = ending;
    return SB_OK;
}

static int hangup_calling(struct exosip *state, struct exo_call *record, const sb_content *content)
{
    int code = postpone(record, EXO_ENDING_CANCEL_DUE, content);
    if (code != SB_OK || !record->provisional)
        return code;
    code = exo_send_cancel(state, record);
    if (code == SB_ESTATE)
        return SB_OK; /* the final response is on its way to us */
    if (code != SB_OK)
        record->ending = EXO_ENDING_NOT;
    return code;
}

/* The peer's 2xx had no Contact, so nobody knows where to send a BYE (12.1.2): the call ends without one. */
static int give_up(struct exo_call *record)
{
    record->ending = EXO_ENDING_BYE_SENT;
    exo_set_due(&record->record, sb_monotonic_ms());
    return SB_OK;
}

int exo_hangup(void *data, struct sb_object *call, const sb_content *content)
{
    struct exosip *state = data;
    struct exo_call *record = call->lib;
    int code;
    if (exo_give_up(state, call))
        return SB_OK;
    if (call->state == SB_CALL_CALLING)
        return hangup_calling(state, record, content);
    if (call->state == SB_CALL_ACCEPTED)
        return postpone(record, EXO_ENDING_BYE_DUE, content);
    if (call->ack_due) {
        code = exo_send_ack(state, record->did, record->tid, NULL);
        if (code != SB_OK)
            return code == SB_EINVAL ? give_up(record) : code;
        call->ack_due = 0;
    }
    code = exo_send_bye(state, record->did, content);
    if (code == SB_EINVAL)
        return give_up(record);
    if (code == SB_OK) {
        record->ending = EXO_ENDING_BYE_SENT;
        record->retries = 0;
    }
    return code;
}

/* ------------------------------------------------------------------------------------------------------
 * In
 */

/* Whether the user wants a reliable provisional response, which the library cannot send (RFC 3262). */
static int wants_reliable(const sb_content *content)
{
    size_t i;
    for (i = 0; content != NULL && i < content->header_count; i++)
        if (strcasecmp(content->headers[i].name, "Require") == 0 &&
            strstr(content->headers[i].value, "100rel") != NULL)
            return 1;
    return 0;
}

int exo_ring(void *state, struct sb_object *call, int status, const sb_content *content)
{
    if (wants_reliable(content))
        return SB_ENOTSUP;
    if (status == 101) /* 5.x sends none, nor does 3.x with the option that keeps it from sending its own */
        return SB_ENOTSUP;
    return exo_send_answer(state, 1, ((struct exo_call *)call->lib)->tid, status, NULL, NULL, content);
}

int exo_answer_call(void *state, struct sb_object *call, const sb_content *content)
{
    struct exo_call *record = call->lib;
    int code = exo_send_answer(state, 1, record->tid, 200, NULL, NULL, content);
    if (code == SB_OK) {
        record->ack_awaited = 1;
        exo_set_due(&record->record, sb_monotonic_ms() + SB_64_T1_MS);
    }
    return code;
}

int exo_refuse(void *state, struct sb_object *call, int status, const char *reason, const char *contact,
               const sb_content *content)
{
    struct exo_call *record = call->lib;
    int code = exo_send_answer(state, 1, record->tid, status, reason, contact, content);
    if (code == SB_OK) {
        record->ending = EXO_ENDING_REFUSED;
        exo_set_due(&record->record, sb_monotonic_ms() + SB_64_T1_MS);
    }
    return code;
}

/* ------------------------------------------------------------------------------------------------------
 * Time
 */
void exo_call_due(struct exosip *state, struct sb_object *call)
{
    struct exo_call *record = call->lib;
    exo_set_due(&record->record, 0);
    if (record->ending == EXO_ENDING_CANCELLED || record->ending == EXO_ENDING_CANCEL_DUE) {
        exo_end_call(state, call, SB_CAUSE_CANCELLED, 487, NULL);
    } else if (call->state == SB_CALL_ACCEPTED || record->ending == EXO_ENDING_BYE_DUE) {
        /* 13.3.1.4. This function of the library also stops it from repeating the 200. */
        terminate(state, record->cid, record->did);
        exo_end_call(state, call, SB_CAUSE_TIMEOUT, 408, NULL);
    } else if (record->ending != EXO_ENDING_NOT) {
        exo_end_call(state, call, SB_CAUSE_FAILED, 503, NULL);
    } else if (call->state == SB_CALL_CALLING) {
        exo_send_cancel(state, record); /* when it crosses a 200, on_unknown() hangs up */
        exo_end_call(state, call, SB_CAUSE_TIMEOUT, 408, NULL);
    } else if (call->state == SB_CALL_INCOMING) {
        exo_answer_call_request(state, record->tid, 480);
        exo_end_call(state, call, SB_CAUSE_TIMEOUT, 408, NULL);
    }
}

void exo_call_free(struct exo_call *record)
{
    free(record->call_id);
    exo_content_free(record->farewell);
    free(record);
}
