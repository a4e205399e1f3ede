/* transactions.c - requests outside dialogs (8), and answers to those from outside, within dialogs or not. */
#include <string.h>

#include "check.h"
#include "visit.h"

int sb_answer(int id, sb_id transaction_id, int status, const char *reason, const sb_content *content)
{
    struct sb_visit visit;
    struct sb_object *transaction;
    int code;
    if (status < 200 || status > 699)
        return SB_EINVAL;
    if ((code = sb_check_reason(reason)) != SB_OK || (code = sb_check_content(content)) != SB_OK ||
        (code = sb_enter_object(&visit, id, sb_backend.answer != NULL, SB_KIND_TRANSACTION, transaction_id)) != SB_OK)
        return code;
    transaction = visit.object;
    if (transaction->outgoing)
        return sb_leave(&visit, SB_ESTATE);
    code = sb_backend.answer(visit.state, transaction, status, reason, content);
    if (code == SB_OK) {
        if (transaction->is_invite)
            transaction->call->invite_pending = 0;
        sb_core_remove(visit.core, transaction);
    }
    return sb_leave(&visit, code);
}

/* A method for which the contract has no other function. */
static int check_other_method(const char *method)
{
    int code = sb_check_method(method);
    if (code == SB_OK && (strcmp(method, "REGISTER") == 0 || strcmp(method, "SUBSCRIBE") == 0))
        return SB_EINVAL;
    return code;
}

sb_id sb_request(int id, const char *method, const sb_parties *parties, const sb_content *content)
{
    struct sb_visit visit;
    int code;
    if ((code = check_other_method(method)) != SB_OK || (code = sb_check_parties(parties)) != SB_OK ||
        (code = sb_check_content(content)) != SB_OK ||
        (code = sb_enter_begin(&visit, id, sb_backend.request != NULL, SB_KIND_TRANSACTION)) != SB_OK)
        return code;
    return sb_leave_begun(&visit, sb_backend.request(visit.state, visit.begun, method, parties, content));
}

sb_id sb_publish(int id, const sb_parties *parties, const char *event, const char *etag, int expires,
                 const sb_content *content)
{
    struct sb_visit visit;
    int code;
    if ((code = sb_check_parties(parties)) != SB_OK || (code = sb_check_event(event)) != SB_OK ||
        (code = sb_check_optional_text(etag)) != SB_OK || (code = sb_check_expires(expires)) != SB_OK ||
        (code = sb_check_event_content(content)) != SB_OK ||
        (code = sb_enter_begin(&visit, id, sb_backend.publish != NULL, SB_KIND_TRANSACTION)) != SB_OK)
        return code;
    code = sb_backend.publish(visit.state, visit.begun, parties, event, etag, expires, content);
    return sb_leave_begun(&visit, code);
}
