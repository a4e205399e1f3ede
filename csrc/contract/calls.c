/* calls.c - calls (13, 14, 15): which command is possible in which state. */
#include "check.h"
#include "visit.h"

/* Enter the engine, and find this call. */
static int enter(struct sb_visit *visit, int id, int offered, sb_id call_id)
{
    return sb_enter_object(visit, id, offered, SB_KIND_CALL, call_id);
}

sb_id sb_call(int id, const sb_parties *parties, const char *call_id, const sb_content *content)
{
    struct sb_visit visit;
    int code;
    if ((code = sb_check_parties(parties)) != SB_OK || (code = sb_check_call_id(call_id)) != SB_OK ||
        (code = sb_check_content(content)) != SB_OK ||
        (code = sb_enter_begin(&visit, id, sb_backend.call != NULL, SB_KIND_CALL)) != SB_OK)
        return code;
    return sb_leave_begun(&visit, sb_backend.call(visit.state, visit.begun, parties, call_id, content));
}

int sb_call_ring(int id, sb_id call_id, int status, const sb_content *content)
{
    struct sb_visit visit;
    int code;
    if (status < 101 || status > 199)
        return SB_EINVAL;
    if ((code = sb_check_content(content)) != SB_OK ||
        (code = enter(&visit, id, sb_backend.ring != NULL, call_id)) != SB_OK)
        return code;
    code = SB_ESTATE;
    if (visit.object->state == SB_CALL_INCOMING)
        code = sb_backend.ring(visit.state, visit.object, status, content);
    return sb_leave(&visit, code);
}

int sb_call_answer(int id, sb_id call_id, const sb_content *content)
{
    struct sb_visit visit;
    int code;
    if ((code = sb_check_content(content)) != SB_OK ||
        (code = enter(&visit, id, sb_backend.answer_call != NULL, call_id)) != SB_OK)
        return code;
    code = SB_ESTATE;
    if (visit.object->state == SB_CALL_INCOMING)
        code = sb_backend.answer_call(visit.state, visit.object, content);
    if (code == SB_OK)
        visit.object->state = SB_CALL_ACCEPTED;
    return sb_leave(&visit, code);
}

/* Refuse the INVITE of a call. Call it between sb_enter() and sb_leave(). */
static int refuse(const struct sb_visit *visit, int status, const char *reason, const char *contact,
                  const sb_content *content)
{
    int code;
    if (visit->object->state != SB_CALL_INCOMING)
        return SB_ESTATE;
    code = sb_backend.refuse(visit->state, visit->object, status, reason, contact, content);
    if (code == SB_OK)
        visit->object->state = SB_CALL_ENDING;
    return code;
}

int sb_call_reject(int id, sb_id call_id, int status, const char *reason, const sb_content *content)
{
    struct sb_visit visit;
    int code;
    if (status < 400 || status > 699)
        return SB_EINVAL;
    if ((code = sb_check_reason(reason)) != SB_OK || (code = sb_check_content(content)) != SB_OK ||
        (code = enter(&visit, id, sb_backend.refuse != NULL, call_id)) != SB_OK)
        return code;
    return sb_leave(&visit, refuse(&visit, status, reason, NULL, content));
}

int sb_call_redirect(int id, sb_id call_id, int status, const char *contact)
{
    struct sb_visit visit;
    int code;
    if (status < 300 || status > 399)
        return SB_EINVAL;
    if ((code = sb_check_address(contact)) != SB_OK ||
        (code = enter(&visit, id, sb_backend.refuse != NULL, call_id)) != SB_OK)
        return code;
    return sb_leave(&visit, refuse(&visit, status, NULL, contact, NULL));
}

int sb_call_ack(int id, sb_id call_id, const sb_content *content)
{
    struct sb_visit visit;
    int code;
    if ((code = sb_check_content(content)) != SB_OK ||
        (code = enter(&visit, id, sb_backend.ack != NULL, call_id)) != SB_OK)
        return code;
    if (!visit.object->ack_due || visit.object->state == SB_CALL_ENDING)
        return sb_leave(&visit, SB_ESTATE);
    code = sb_backend.ack(visit.state, visit.object, content);
    if (code == SB_OK) {
        visit.object->ack_due = 0;
        visit.object->state = SB_CALL_ESTABLISHED;
    }
    return sb_leave(&visit, code);
}

int sb_call_hangup(int id, sb_id call_id, const sb_content *content)
{
    struct sb_visit visit;
    int code;
    if ((code = sb_check_content(content)) != SB_OK ||
        (code = enter(&visit, id, sb_backend.hangup != NULL, call_id)) != SB_OK)
        return code;
    if (visit.object->state == SB_CALL_INCOMING)
        return sb_leave(&visit, refuse(&visit, 603, NULL, NULL, content));
    if (visit.object->state == SB_CALL_ENDING)
        return sb_leave(&visit, SB_ESTATE);
    code = sb_backend.hangup(visit.state, visit.object, content);
    if (code == SB_OK)
        visit.object->state = SB_CALL_ENDING;
    return sb_leave(&visit, code);
}

sb_id sb_call_request(int id, sb_id call_id, const char *method, const sb_content *content)
{
    struct sb_visit visit;
    int code;
    if ((code = sb_check_method(method)) != SB_OK || (code = sb_check_content(content)) != SB_OK ||
        (code = enter(&visit, id, sb_backend.call_request != NULL, call_id)) != SB_OK)
        return code;
    if (visit.object->state != SB_CALL_ESTABLISHED)
        return sb_leave(&visit, SB_ESTATE);
    if ((code = sb_begin_within(&visit)) != SB_OK)
        return code;
    return sb_leave_begun(&visit, sb_backend.call_request(visit.state, visit.object, visit.begun, method, content));
}

sb_id sb_call_reinvite(int id, sb_id call_id, const sb_content *content)
{
    struct sb_visit visit;
    int code;
    if ((code = sb_check_content(content)) != SB_OK ||
        (code = enter(&visit, id, sb_backend.reinvite != NULL, call_id)) != SB_OK)
        return code;
    if (visit.object->state != SB_CALL_ESTABLISHED || visit.object->invite_pending || visit.object->ack_due)
        return sb_leave(&visit, SB_ESTATE);
    if ((code = sb_begin_within(&visit)) != SB_OK)
        return code;
    visit.begun->is_invite = 1;
    code = sb_backend.reinvite(visit.state, visit.object, visit.begun, content);
    if (code == SB_OK)
        visit.object->invite_pending = 1;
    return sb_leave_begun(&visit, code);
}
