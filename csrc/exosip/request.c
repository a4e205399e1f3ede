/* request.c - transactions: requests and responses within dialogs (12.2) and outside (8). */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "auth.h"
#include "call.h"
#include "call_events.h"
#include "clock.h"
#include "core.h"
#include "event.h"
#include "index.h"
#include "library.h"
#include "message.h"
#include "screen.h"
#include "state.h"
#include "subscribe.h"
#include "timers.h"

/* How long to wait before a request that has to wait is tried again. */
enum { RETRY_MS = 50 };

/* What goes with the answer to an OPTIONS (11.2). */
static const sb_header ALLOW_HEADER[] = {
    {"Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, MESSAGE, UPDATE, REFER, NOTIFY, SUBSCRIBE"}};
static const sb_content ALLOWED = {ALLOW_HEADER, 1, NULL, NULL, 0};

static struct exo_transaction *record_new(const char *method)
{
    struct exo_transaction *record = calloc(1, sizeof *record);
    if (record == NULL)
        return NULL;
    record->method = strdup(method);
    record->started_ms = sb_monotonic_ms();
    if (record->method != NULL)
        return record;
    free(record);
    return NULL;
}

void exo_transaction_free(struct exo_transaction *record)
{
    exo_content_free(record->content);
    free(record->method);
    free(record->call_id);
    free(record);
}

/* ------------------------------------------------------------------------------------------------------
 * Ours, within a dialog
 */

/* Whether a request has to wait for another one of ours in its dialog. Those that wait keep their order. A request that
 * was challenged goes alone, when no other is on its way: the library can repeat only the last request, and would give
 * an earlier one a CSeq that another has (12.2.1.1). */
static int must_wait(const struct sb_object *transaction)
{
    const struct exo_transaction *record = transaction->lib, *other;
    const struct sb_object *object;
    if (transaction->call->state == SB_CALL_ENDING)
        return 1; /* nothing may follow the BYE */
    for (object = transaction->call->first; object != NULL; object = object->next) {
        other = object->lib;
        if (object == transaction || !object->outgoing || other == NULL)
            continue;
        if (other->is_waiting ? object->id < transaction->id : record->retries > 0 || other->alone)
            return 1;
    }
    return 0;
}

/* SB_ESTATE: it has to wait. */
static int send_within(struct exosip *state, struct sb_object *transaction)
{
    struct exo_transaction *record = transaction->lib;
    struct exo_call *call = transaction->call->lib;
    int did = call->did, code;
    osip_message_t *request = NULL;
    if (did <= 0 || must_wait(transaction))
        return SB_ESTATE;
    exo_lock(state);
    code = exo_error(eXosip_call_build_request(EXO_FIRST(state) did, record->method, &request));
    if (code == SB_OK)
        code = request == NULL ? SB_ELIBRARY : exo_fill(request, &record->content->content);
    if (code == SB_OK) {
        record->cseq = call->cseq = exo_cseq(request);
        record->alone = record->retries > 0;
        exo_set_due(&record->record, sb_monotonic_ms() + EXO_OVERDUE);
        code = exo_error(eXosip_call_send_request(EXO_FIRST(state) did, request));
    } else {
        osip_message_free(request);
    }
    exo_unlock(state);
    return code;
}

int exo_call_request(void *data, struct sb_object *call, struct sb_object *transaction, const char *method,
                     const sb_content *content)
{
    struct exosip *state = data;
    struct exo_transaction *record = record_new(method);
    int code;
    if (record == NULL)
        return SB_ENOMEM;
    exo_keep(transaction, record);
    record->content = exo_content_copy(content);
    if (record->content == NULL)
        return SB_ENOMEM;
    code = send_within(state, transaction);
    if (code != SB_ESTATE || ((struct exo_call *)call->lib)->did <= 0)
        return code;
    /* The library allows one request of each method at a time in a dialog, and counts the peer's, too. */
    record->is_waiting = 1;
    exo_set_due(&record->record, sb_monotonic_ms() + RETRY_MS);
    return SB_OK;
}

int exo_reinvite(void *state, struct sb_object *call, struct sb_object *transaction,
                 const sb_content *content)
{
    return exo_call_request(state, call, transaction, "INVITE", content);
}

struct sb_object *exo_pending_reinvite(struct sb_object *call)
{
    struct sb_object *object;
    for (object = call->first; object != NULL; object = object->next)
        if (object->outgoing && object->is_invite)
            return object;
    return NULL;
}

static void post_response(struct exosip *state, struct sb_object *transaction, int status,
                          osip_message_t *response)
{
    struct exo_transaction *record = transaction->lib;
    char *method = record->method; /* the transaction goes with the event, but the event needs this */
    sb_event event;
    record->method = NULL;
    sb_event_response(&event, transaction, method, status);
    exo_post(state, &event, response);
    free(method);
}

int exo_status_without_response(int64_t started_ms)
{
    return sb_monotonic_ms() - started_ms >= SB_64_T1_MS - 1000 ? 408 : 503;
}

static struct sb_object *find_by_cseq(struct sb_object *call, int cseq)
{
    struct sb_object *object;
    for (object = call->first; object != NULL; object = object->next)
        if (object->outgoing && cseq != 0 && ((struct exo_transaction *)object->lib)->cseq == cseq)
            return object;
    return NULL;
}

static void on_bye_response(struct exosip *state, eXosip_event_t *event, struct sb_object *call)
{
    struct exo_call *record = call->lib;
    if (record->ending != EXO_ENDING_BYE_SENT || exo_retry(state, event, &record->retries))
        return;
    exo_end_call(state, call, SB_CAUSE_LOCAL_BYE,
                 event->response != NULL ? event->response->status_code : 408, event->response);
}

/* 12.2.1.2, 14.1: a re-INVITE that nobody answers ends the call. */
static void give_up_reinvite(struct exosip *state, struct sb_object *transaction)
{
    struct sb_object *call = transaction->call;
    exo_send_bye(state, ((struct exo_call *)call->lib)->did, NULL);
    post_response(state, transaction, 408, NULL);
    exo_end_call(state, call, SB_CAUSE_TIMEOUT, 408, NULL);
}

/* Answer a challenge. True when the request goes again: now, or when no other of ours is under way in the dialog. */
static int retry_within(struct exosip *state, eXosip_event_t *event, struct sb_object *transaction)
{
    struct exo_transaction *record = transaction->lib;
    struct exo_call *call = transaction->call->lib;
    if (transaction->call->state == SB_CALL_ENDING)
        return 0; /* the BYE has a higher CSeq already */
    if (record->cseq == call->cseq && exo_retry(state, event, &record->retries)) {
        record->cseq = ++call->cseq; /* 22.2: the next CSeq, in the same dialog */
        exo_set_due(&record->record, sb_monotonic_ms() + EXO_OVERDUE);
        return 1;
    }
    if (record->cseq == call->cseq || !exo_may_retry(state, event->request, event->response, &record->retries))
        return 0;
    record->retries++;
    record->cseq = record->alone = 0;
    record->is_waiting = 1;
    exo_set_due(&record->record, sb_monotonic_ms());
    return 1;
}

void exo_on_call_response(struct exosip *state, eXosip_event_t *event, struct sb_object *call)
{
    struct sb_object *transaction;
    struct exo_transaction *record;
    if (exo_is_method(event->request, "BYE")) {
        on_bye_response(state, event, call);
        return;
    }
    transaction = find_by_cseq(call, exo_cseq(event->request));
    if (transaction == NULL)
        return;
    record = transaction->lib;
    if (retry_within(state, event, transaction))
        return;
    if (call->state == SB_CALL_ENDING && transaction->is_invite && event->response != NULL &&
        event->response->status_code < 300)
        exo_send_ack(state, ((struct exo_call *)call->lib)->did, event->tid, NULL); /* the user cannot any more */
    post_response(state, transaction,
                  event->response != NULL ? event->response->status_code
                                          : exo_status_without_response(record->started_ms),
                  event->response);
}

/* ------------------------------------------------------------------------------------------------------
 * Ours, outside dialogs
 */
static int send_outside(struct exosip *state, struct exo_transaction *record, const struct exo_addresses *addresses,
                        const sb_content *content)
{
    osip_message_t *request = NULL;
    int code;
    exo_lock(state);
    code = exo_error(eXosip_message_build_request(EXO_FIRST(state) & request, record->method, addresses->to,
                                                  addresses->from, addresses->route));
    if (code == SB_OK)
        code = request == NULL ? SB_ELIBRARY : exo_fill(request, content);
    if (code == SB_OK && (record->call_id = exo_call_id(request)) == NULL)
        code = SB_ENOMEM;
    if (code == SB_OK)
        code = exo_error(eXosip_message_send_request(EXO_FIRST(state) request));
    else
        osip_message_free(request);
    exo_unlock(state);
    return code;
}

int exo_request(void *data, struct sb_object *transaction, const char *method, const sb_parties *parties,
                const sb_content *content)
{
    struct exosip *state = data;
    struct exo_addresses addresses;
    struct exo_transaction *record;
    int code = exo_check_target(parties);
    if (code != SB_OK)
        return code;
    record = record_new(method);
    if (record == NULL)
        return SB_ENOMEM;
    exo_keep(transaction, record);
    exo_set_due(&record->record, record->started_ms + EXO_OVERDUE);
    code = exo_addresses_set(&addresses, state, parties);
    if (code == SB_OK)
        code = send_outside(state, record, &addresses, content);
    exo_addresses_clear(&addresses);
    return code == SB_OK ? exo_index_request(state, transaction) : code;
}

/* When 3.6 repeats a PUBLISH it puts it into a list twice, and frees it twice in the end. So the user gets the
 * challenge. */
static int may_repeat(eXosip_event_t *event)
{
    return !exo_is_method(event->request, "PUBLISH");
}

void exo_on_response(struct exosip *state, eXosip_event_t *event)
{
    char *call_id = exo_call_id(event->request);
    struct sb_object *transaction = call_id == NULL ? NULL : exo_find_request(state, call_id);
    struct exo_transaction *record;
    free(call_id);
    if (transaction == NULL)
        return;
    record = transaction->lib;
    if (may_repeat(event) && exo_retry(state, event, &record->retries)) {
        exo_set_due(&record->record, sb_monotonic_ms() + EXO_OVERDUE);
        return;
    }
    post_response(state, transaction,
                  event->response != NULL ? event->response->status_code
                                          : exo_status_without_response(record->started_ms),
                  event->response);
}

/* ------------------------------------------------------------------------------------------------------
 * From outside
 */

/* Build an answer to a request. in_call: the request arrived in a dialog. SB_OK, or an error, when *answer may be NULL.
 * Under eXosip_lock. */
static int build_answer(struct exosip *state, int in_call, int tid, int status, osip_message_t **answer)
{
    /* eXosip_message_build_answer() knows 200 to 299 and 301 to 699. */
    int code, built_as = !in_call && status == 300 ? 301 : status;
    EXO_UNUSED(state);
    code = exo_error(in_call ? eXosip_call_build_answer(EXO_FIRST(state) tid, built_as, answer)
                             : eXosip_message_build_answer(EXO_FIRST(state) tid, built_as, answer));
    if (code == SB_OK && *answer == NULL)
        code = SB_ELIBRARY;
    if (code == SB_OK)
        exo_remove_header(*answer, "Refer-Sub"); /* 5.x repeats that of a REFER */
    if (code == SB_OK && built_as != status) {
        osip_message_set_status_code(*answer, status);
        code = exo_set_reason(*answer, osip_message_get_reason(status));
    }
    return code;
}

/* Send the answer; or free it when an error came before. Under eXosip_lock. */
static int send_built(struct exosip *state, int in_call, int tid, int status, osip_message_t *answer, int code)
{
    EXO_UNUSED(state);
    if (code != SB_OK) {
        osip_message_free(answer);
        return code;
    }
    return exo_error(in_call ? eXosip_call_send_answer(EXO_FIRST(state) tid, status, answer)
                             : eXosip_message_send_answer(EXO_FIRST(state) tid, status, answer));
}

static int add_contact(osip_message_t *answer, const char *contact)
{
    char *own = strchr(contact, '<') == NULL ? exo_in_brackets(contact) : NULL;
    int code;
    if (own == NULL && strchr(contact, '<') == NULL)
        return SB_ENOMEM;
    code = exo_error(osip_message_set_contact(answer, own != NULL ? own : contact));
    free(own);
    return code;
}

int exo_send_answer(struct exosip *state, int in_call, int tid, int status, const char *reason, const char *contact,
                    const sb_content *content)
{
    osip_message_t *answer = NULL;
    int code;
    exo_lock(state);
    code = build_answer(state, in_call, tid, status, &answer);
    if (code == SB_OK)
        code = exo_set_reason(answer, reason);
    if (code == SB_OK && contact != NULL)
        code = add_contact(answer, contact);
    if (code == SB_OK)
        code = exo_fill(answer, content);
    if (code == SB_OK && in_call)
        exo_hide_supported(answer);
    code = send_built(state, in_call, tid, status, answer, code);
    exo_unlock(state);
    return code;
}

int exo_answer(void *data, struct sb_object *transaction, int status, const char *reason,
               const sb_content *content)
{
    struct exo_transaction *record = transaction->lib;
    int code;
    if (content == NULL && status < 300 && strcmp(record->method, "OPTIONS") == 0)
        content = &ALLOWED;
    code = exo_send_answer(data, transaction->call != NULL, record->tid, status, reason, NULL, content);
    if (code == SB_OK && transaction->is_invite && status < 300)
        ((struct exo_call *)transaction->call->lib)->ack_awaited = 1;
    return code;
}

void exo_answer_call_request(struct exosip *state, int tid, int status)
{
    exo_send_answer(state, 1, tid, status, NULL, NULL, NULL);
}

void exo_answer_request(struct exosip *state, int tid, int status)
{
    exo_send_answer(state, 0, tid, status, NULL, NULL, NULL);
}

/* The status to answer with before the user sees the request, or 0. */
static int own_answer(struct exosip *state, const eXosip_event_t *event, const struct sb_object *call)
{
    int status = sb_core_own_answer(state->core, call, exo_is_method(event->request, "OPTIONS"));
    return status == 0 && exo_is_dangerous(event->request) ? 414 : status;
}

static struct sb_object *transaction_new(struct exosip *state, const eXosip_event_t *event,
                                         struct sb_object *call)
{
    struct exo_transaction *record = record_new(event->request->sip_method);
    struct sb_object *transaction = record == NULL ? NULL : sb_core_add(state->core, SB_KIND_TRANSACTION, call);
    if (transaction == NULL) {
        if (record != NULL)
            exo_transaction_free(record);
        return NULL;
    }
    exo_keep(transaction, record);
    transaction->is_invite = event->type == EXOSIP_CALL_REINVITE;
    record->tid = event->tid;
    exo_set_due(&record->record, record->started_ms + (transaction->is_invite ? SB_RING_LIMIT_MS : SB_64_T1_MS));
    return transaction;
}

/* Returns 0, or the status to refuse it with. */
static int post_request(struct exosip *state, const struct sb_object *transaction, osip_message_t *request)
{
    sb_event event;
    sb_event_request(&event, transaction);
    return exo_post_request(state, &event, request);
}

/* Tell the user of it. Returns 0, or the status to refuse it with. */
static int take_request(struct exosip *state, const eXosip_event_t *event, struct sb_object *call)
{
    struct sb_object *transaction = transaction_new(state, event, call);
    int status = transaction == NULL ? 503 : post_request(state, transaction, event->request);
    if (status != 0 && transaction != NULL)
        sb_core_drop_request(state->core, transaction);
    return status;
}

/* The library answered it, and tells of it all the same: a BYE, whose call it ends apart; and an INFO of no call with 481,
 * or in a call with 500 for its CSeq. */
static int is_answered(const osip_message_t *request, const struct sb_object *call)
{
    return exo_is_method(request, "BYE") || (call == NULL && exo_is_method(request, "INFO"));
}

void exo_on_request(struct exosip *state, eXosip_event_t *event, struct sb_object *call)
{
    int status;
    if (event->request == NULL || event->request->sip_method == NULL || is_answered(event->request, call))
        return;
    if (call == NULL && exo_take_notify(state, event))
        return;
    status = own_answer(state, event, call);
    if (status == 0)
        status = take_request(state, event, call);
    if (status != 0)
        exo_send_answer(state, call != NULL, event->tid, status, NULL, NULL, status == 200 ? &ALLOWED : NULL);
}

/* ------------------------------------------------------------------------------------------------------
 * Time
 */
static void send_waiting(struct exosip *state, struct sb_object *transaction)
{
    struct exo_transaction *record = transaction->lib;
    int code = send_within(state, transaction);
    if (code == SB_ESTATE && sb_monotonic_ms() - record->started_ms < SB_64_T1_MS) {
        exo_set_due(&record->record, sb_monotonic_ms() + RETRY_MS);
    } else if (code != SB_OK) {
        post_response(state, transaction, code == SB_ESTATE ? 408 : 503, NULL);
    } else {
        record->is_waiting = 0;
    }
}

void exo_transaction_due(struct exosip *state, struct sb_object *transaction)
{
    struct exo_transaction *record = transaction->lib;
    exo_set_due(&record->record, 0);
    if (record->is_waiting) {
        send_waiting(state, transaction);
    } else if (!transaction->outgoing) {
        /* The peer no longer waits for the answer; the library will soon forget the request. */
        exo_send_answer(state, transaction->call != NULL, record->tid, 500, NULL, NULL, NULL);
        sb_core_drop_request(state->core, transaction);
    } else if (transaction->is_invite) {
        give_up_reinvite(state, transaction);
    } else {
        post_response(state, transaction, 408, NULL);
    }
}
