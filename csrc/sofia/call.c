/* call.c - what the user does with a call (13, 14, 15). */
#include "call.h"

#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_header.h>

#include "call_events.h"
#include "core.h"
#include "early.h"
#include "loop.h"
#include "message.h"
#include "record.h"
#include "request.h"
#include "state.h"

/* The call that a command is about, or NULL when it ended meanwhile. */
static struct sb_object *call_of(struct sofia *state, const struct sof_command *command)
{
    return sb_core_find(state->core, SB_KIND_CALL, command->id);
}

/* Take over the message that the command was to send. */
static msg_t *take(struct sof_command *command)
{
    msg_t *msg = command->msg;
    command->msg = NULL;
    return msg;
}

/* Leave a command with a status and a draft that is taken. */
static struct sof_command *post(struct sofia *state, struct sb_object *call,
                                void (*run)(struct sofia *, struct sof_command *), int status, msg_t *draft)
{
    struct sof_command *command = sof_post_command(state, run, call, draft);
    if (command != NULL)
        command->status = status;
    return command;
}

/* ------------------------------------------------------------------------------------------------------
 * Out
 */
/* The host must have an address by now. From here on we wait for the peer: nta's timers limit the time before its first
 * word, and ours the time that it may ring after a 100. */
static void on_looked_up(struct sof_record *data)
{
    struct sb_object *call = sof_object(data, SB_KIND_CALL);
    if (call != NULL && sof_is_unresolved(&((struct sof_call *)data)->invite))
        sof_fail_call(data->state, call, SB_UNRESOLVED);
    else if (call != NULL)
        sof_set_timer(data, SOF_RING_LEFT_MS, sof_on_ring_limit);
}

static void run_call(struct sofia *state, struct sof_command *command)
{
    struct sb_object *call = call_of(state, command);
    struct sof_call *record;
    msg_t *draft = take(command);
    int code;
    if (call == NULL) {
        msg_destroy(draft);
        return;
    }
    record = call->lib;
    code = sof_dialog_new(&record->record, draft, sof_on_dialog_request);
    if (code == SB_OK)
        code = sof_send(&record->invite, &record->record, &record->record, "INVITE", draft,
                        sof_on_invite_response);
    else
        msg_destroy(draft);
    if (code != SB_OK)
        sof_end_call(state, call, SB_CAUSE_FAILED, 503, NULL);
    else
        sof_set_timer(&record->record, SOF_LOOKUP_MS, on_looked_up);
}

/* Give a draft this Call-ID; NULL: nta makes one. */
static int set_call_id(msg_t *draft, const char *call_id)
{
    sip_call_id_t *header = call_id == NULL ? NULL : sip_call_id_make(msg_home(draft), call_id);
    if (call_id == NULL)
        return SB_OK;
    return header != NULL && msg_header_insert(draft, NULL, (msg_header_t *)header) == 0 ? SB_OK : SB_ENOMEM;
}

int sof_call(void *data, struct sb_object *call, const sb_parties *parties, const char *call_id,
             const sb_content *content)
{
    struct sofia *state = data;
    msg_t *draft;
    int code = sof_draft_request(state, "INVITE", NULL, parties, content, &draft);
    if (code == SB_OK && (code = set_call_id(draft, call_id)) != SB_OK)
        msg_destroy(draft);
    if (code != SB_OK)
        return code;
    call->lib = sof_record_new(state, call->id, sizeof(struct sof_call));
    if (call->lib == NULL) {
        msg_destroy(draft);
        return SB_ENOMEM;
    }
    return post(state, call, run_call, 0, draft) == NULL ? SB_ENOMEM : SB_OK;
}

/* 13.2.2.4. The draft is taken. */
void sof_send_ack(struct sof_call *call, msg_t *draft)
{
    nta_agent_t *agent = call->record.state->agent;
    nta_outgoing_t *ack = NULL;
    sip_cseq_t *cseq = NULL;
    if (call->answered != NULL)
        cseq = sip_cseq_create(msg_home(draft), nta_outgoing_cseq(call->answered), SIP_METHOD_ACK);
    if (cseq != NULL && msg_header_insert(draft, NULL, (msg_header_t *)cseq) == 0 &&
        nta_msg_request_complete(draft, call->record.leg, SIP_METHOD_ACK, NULL) == 0)
        ack = nta_outgoing_mcreate(agent, NULL, NULL, NULL, draft,
                                   NTATAG_ACK_BRANCH(nta_outgoing_branch(call->answered)), TAG_END());
    if (ack != NULL)
        nta_outgoing_destroy(ack); /* nta keeps the ACK for as long as the 2xx may come again */
    else
        msg_destroy(draft);
    if (call->answered != NULL)
        nta_outgoing_destroy(call->answered);
    call->answered = NULL;
}

static void run_ack(struct sofia *state, struct sof_command *command)
{
    struct sb_object *call = call_of(state, command);
    if (call != NULL)
        sof_send_ack(call->lib, take(command));
}

int sof_ack(void *state, struct sb_object *call, const sb_content *content)
{
    msg_t *draft;
    int code = sof_draft(content, &draft);
    if (code != SB_OK)
        return code;
    return post(state, call, run_ack, 0, draft) == NULL ? SB_ENOMEM : SB_OK;
}

/* ------------------------------------------------------------------------------------------------------
 * The end
 */
int sof_send_bye(struct sof_call *call, msg_t *draft)
{
    call->ending = SOF_ENDING_BYE;
    return sof_send(&call->bye, &call->record, &call->record, "BYE", draft, sof_on_bye_response);
}

/* The headers that are to go with a CANCEL. */
static char *headers_of(msg_t *draft)
{
    const sip_unknown_t *header;
    char *text = NULL;
    for (header = sip_object(draft)->sip_unknown; header != NULL; header = header->un_next)
        text = su_sprintf(msg_home(draft), "%s%s: %s\r\n", text == NULL ? "" : text, header->un_name,
                          header->un_value);
    return text;
}

static void run_hangup(struct sofia *state, struct sof_command *command)
{
    struct sb_object *call = call_of(state, command);
    struct sof_call *record;
    msg_t *ack;
    if (call == NULL)
        return;
    record = call->lib;
    if (command->status == SB_CALL_CALLING && record->answered == NULL) {
        record->ending = SOF_ENDING_CANCEL;
        sof_set_timer(&record->record, SB_64_T1_MS, sof_on_cancel_timeout);
        nta_outgoing_tcancel(record->invite.orq, NULL, NULL, SIPTAG_HEADER_STR(headers_of(command->msg)),
                             TAG_END());
        record->farewell = take(command); /* needed when a 2xx crosses the CANCEL */
        return;
    }
    if (record->irq != NULL) { /* our 2xx is not acknowledged yet */
        record->ending = SOF_ENDING_BYE_DUE;
        record->farewell = take(command);
        return;
    }
    if (record->answered != NULL && sof_draft(NULL, &ack) == SB_OK)
        sof_send_ack(record, ack);
    if (sof_send_bye(record, take(command)) != SB_OK)
        sof_end_call(state, call, SB_CAUSE_FAILED, 503, NULL);
}

int sof_hangup(void *data, struct sb_object *call, const sb_content *content)
{
    struct sofia *state = data;
    msg_t *draft;
    int code = sof_draft_within(state, "BYE", content, &draft);
    if (code != SB_OK)
        return code;
    if (post(state, call, run_hangup, call->state, draft) == NULL)
        return SB_ENOMEM;
    call->ack_due = 0; /* run_hangup() sends the ACK that was due */
    return SB_OK;
}

/* ------------------------------------------------------------------------------------------------------
 * In
 */
static void run_ring(struct sofia *state, struct sof_command *command)
{
    struct sb_object *call = call_of(state, command);
    struct sof_call *record = call == NULL ? NULL : call->lib;
    if (record == NULL || record->irq == NULL || nta_incoming_status(record->irq) >= 200)
        return;
    if (command->status < 200 && sof_wants_reliable(command->msg))
        sof_reply_reliably(state, record->irq, command->status, take(command));
    else
        sof_reply_unlocked(state, record->irq, command->status, NULL, take(command));
}

int sof_ring(void *state, struct sb_object *call, int status, const sb_content *content)
{
    msg_t *draft;
    int code = sof_draft(content, &draft);
    if (code != SB_OK)
        return code;
    if (status < 200 && sof_wants_reliable(draft) && !((struct sof_call *)call->lib)->peer_100rel) {
        msg_destroy(draft);
        return SB_ENOTSUP;
    }
    return post(state, call, run_ring, status, draft) == NULL ? SB_ENOMEM : SB_OK;
}

int sof_answer_call(void *state, struct sb_object *call, const sb_content *content)
{
    return sof_ring(state, call, 200, content);
}

static void run_refuse(struct sofia *state, struct sof_command *command)
{
    struct sb_object *call = call_of(state, command);
    struct sof_call *record;
    int status = command->status;
    msg_t *sent;
    if (call == NULL)
        return;
    record = call->lib;
    sof_reply(state, record->irq, status, command->reason, take(command));
    sent = nta_incoming_getresponse(record->irq);
    sof_end_call(state, call, sb_cause_of_refusal(status), status,
                 sent == NULL ? NULL : sip_object(sent));
    if (sent != NULL)
        msg_destroy(sent);
}

int sof_refuse(void *data, struct sb_object *call, int status, const char *reason, const char *contact,
               const sb_content *content)
{
    struct sofia *state = data;
    struct sof_command *command;
    char *bracketed;
    msg_t *draft;
    int code = sof_draft(content, &draft);
    if (code == SB_OK && contact != NULL) {
        bracketed = su_sprintf(msg_home(draft), strchr(contact, '<') != NULL ? "%s" : "<%s>", contact);
        code = bracketed == NULL ? SB_ENOMEM : sof_add_header(draft, "Contact", bracketed);
        if (code != SB_OK)
            msg_destroy(draft);
    }
    if (code != SB_OK)
        return code;
    command = post(state, call, run_refuse, status, draft);
    if (command == NULL)
        return SB_ENOMEM;
    command->reason = reason == NULL ? NULL : su_strdup(msg_home(draft), reason);
    return SB_OK;
}

void sof_call_free(struct sof_call *record)
{
    if (record->irq != NULL)
        nta_incoming_destroy(record->irq);
    if (record->answered != NULL)
        nta_outgoing_destroy(record->answered);
    if (record->farewell != NULL)
        msg_destroy(record->farewell);
    sof_early_free(record);
    sof_request_clear(&record->invite);
    sof_request_clear(&record->bye);
}
