/* sofia_register.c - registrations (10). */
#include "sofia_engine.h"

#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_header.h>

static int on_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip);

static void post_change(struct sof_registration *record, struct sb_object *registration, int new_state, int status,
                        int expires, const char *reason, const sip_t *sip)
{
    sb_event event;
    memset(&event, 0, sizeof event);
    event.reason = reason;
    event.type = SB_EV_REGISTRATION;
    event.registration = registration->id;
    event.state = new_state;
    event.status = status;
    event.expires = expires;
    event.method = "REGISTER";
    sof_post(record->record.state, &event, sof_real(sip));
}

static void post_registration(struct sof_registration *record, struct sb_object *registration, int new_state,
                              int status, int expires, const sip_t *sip)
{
    post_change(record, registration, new_state, status, expires, NULL, sip);
}

void sof_fail_registration(struct sb_object *registration, const char *reason)
{
    post_change(registration->lib, registration, SB_STATE_FAILED, 503, 0, reason, NULL);
}

/* ------------------------------------------------------------------------------------------------------
 * REGISTER
 */

/* The next REGISTER: the first one, again later, or the last one. */
static void send_next(struct sof_registration *record, struct sb_object *registration)
{
    sof_set_timer(&record->record, 0, NULL);
    record->outdated = 0;
    if (sof_set_expires(record->request.draft, record->expires) != SB_OK ||
        sof_send_again(&record->request) != SB_OK)
        post_registration(record, registration, SB_STATE_FAILED, 503, 0, NULL);
}

static void on_due(struct sof_record *data)
{
    struct sof_registration *record = (struct sof_registration *)data;
    struct sb_object *registration = sof_object(data, SB_KIND_REGISTRATION);
    record->request.retries = 0;
    if (registration != NULL)
        send_next(record, registration);
}

static void run_register(struct sofia *state, struct sof_command *command)
{
    struct sb_object *registration = sb_core_find(state->core, SB_KIND_REGISTRATION, command->id);
    struct sof_registration *record;
    msg_t *draft = command->msg;
    int code;
    if (registration == NULL)
        return;
    record = registration->lib;
    command->msg = NULL;
    code = sof_dialog_new(&record->record, draft, NULL);
    if (code == SB_OK)
        code = sof_set_expires(draft, record->expires);
    if (code == SB_OK)
        code = sof_send(&record->request, &record->record, &record->record, "REGISTER", draft, on_response);
    else
        msg_destroy(draft);
    if (code != SB_OK)
        post_registration(record, registration, SB_STATE_FAILED, 503, 0, NULL);
}

static int draft_register(struct sofia *state, const char *registrar, const sb_parties *parties,
                          const char *contact, msg_t **draft)
{
    sb_parties between = *parties;
    sip_contact_t *own;
    int code;
    if (between.from == NULL)
        between.from = between.to;
    code = sof_draft_request(state, "REGISTER", registrar, &between, NULL, draft);
    if (code != SB_OK)
        return code;
    own = sof_contact(state, sip_object(*draft)->sip_request->rq_url);
    if (contact != NULL)
        own = sip_contact_format(msg_home(*draft), "<%s>", contact);
    code = own == NULL ? SB_EINVAL : SB_OK;
    if (code == SB_OK && msg_header_add_dup(*draft, NULL, (msg_header_t *)own) != 0)
        code = SB_ENOMEM;
    if (code != SB_OK)
        msg_destroy(*draft);
    return code;
}

int sof_register(void *data, struct sb_object *registration, const char *registrar, const sb_parties *parties,
                 const char *contact, int expires)
{
    struct sofia *state = data;
    struct sof_registration *record;
    msg_t *draft;
    int code = draft_register(state, registrar, parties, contact, &draft);
    if (code != SB_OK)
        return code;
    record = sof_record_new(state, registration->id, sizeof *record);
    registration->lib = record;
    if (record == NULL) {
        msg_destroy(draft);
        return SB_ENOMEM;
    }
    record->expires = expires;
    record->busy = 1;
    return sof_post_command(state, run_register, registration, draft) == NULL ? SB_ENOMEM : SB_OK;
}

static void run_next(struct sofia *state, struct sof_command *command)
{
    struct sb_object *registration = sb_core_find(state->core, SB_KIND_REGISTRATION, command->id);
    if (registration != NULL)
        on_due(registration->lib);
}

static int change(struct sofia *state, struct sb_object *registration, int expires)
{
    struct sof_registration *record = registration->lib;
    if (record->expires == 0)
        return SB_ESTATE;
    if (!record->busy && sof_post_command(state, run_next, registration, NULL) == NULL)
        return SB_ENOMEM;
    record->outdated = record->busy; /* once the answer to the one under way is there */
    record->expires = expires;
    record->busy = 1;
    return SB_OK;
}

int sof_register_refresh(void *state, struct sb_object *registration, int expires)
{
    return change(state, registration, expires);
}

int sof_register_end(void *state, struct sb_object *registration)
{
    return change(state, registration, 0);
}

/* ------------------------------------------------------------------------------------------------------
 * The registrar's answers
 */

/* The seconds that the registrar grants (10.2.4): for our contact, for all of them, or as we wished. */
static int granted(const struct sof_registration *record, const sip_t *sip)
{
    const sip_contact_t *ours = sip_object(record->request.draft)->sip_contact, *contact;
    const char *seconds = NULL;
    for (contact = sip->sip_contact; contact != NULL && seconds == NULL; contact = contact->m_next)
        if ((contact == sip->sip_contact && contact->m_next == NULL) ||
            url_cmp(contact->m_url, ours->m_url) == 0)
            seconds = contact->m_expires;
    if (seconds != NULL && atoi(seconds) > 0)
        return atoi(seconds);
    if (sip->sip_expires != NULL && sip->sip_expires->ex_delta > 0 && sip->sip_expires->ex_delta < INT_MAX)
        return (int)sip->sip_expires->ex_delta;
    return record->expires;
}

static void on_success(struct sof_registration *record, struct sb_object *registration, int status, const sip_t *sip)
{
    int seconds;
    record->request.retries = 0;
    if (record->outdated) {
        record->busy = 1;
        send_next(record, registration);
        return;
    }
    if (record->expires == 0) {
        post_registration(record, registration, SB_STATE_ENDED, status, 0, sip);
        return;
    }
    seconds = granted(record, sip);
    sof_set_timer(&record->record, sb_core_refresh_ms(seconds), on_due);
    post_registration(record, registration, SB_STATE_ACTIVE, status, seconds, sip);
}

/* 423 Interval Too Brief (10.2.8): ask for what the registrar wants at least. */
static int is_too_brief(struct sof_registration *record, int status, const sip_t *sip)
{
    const sip_min_expires_t *least = sip == NULL ? NULL : sip_min_expires(sip);
    if (status != 423 || record->expires == 0 || record->request.retries >= SOF_MAX_RETRIES || least == NULL ||
        least->me_delta >= INT_MAX || (int)least->me_delta <= record->expires)
        return 0;
    record->expires = (int)least->me_delta;
    record->request.retries++;
    return 1;
}

static void on_failure(struct sof_registration *record, struct sb_object *registration, int status,
                       const sip_t *sip)
{
    if (is_too_brief(record, status, sof_real(sip))) {
        record->busy = 1;
        send_next(record, registration);
        return;
    }
    if (sof_real(sip) == NULL && status != 408)
        status = 503;
    post_registration(record, registration, SB_STATE_FAILED, status, 0, sip);
}

static int on_response(struct sof_record *data, nta_outgoing_t *orq, const sip_t *sip)
{
    struct sof_registration *record = (struct sof_registration *)data;
    struct sb_object *registration;
    int status = nta_outgoing_status(orq);
    sof_enter(data->state);
    registration = sof_object(data, SB_KIND_REGISTRATION);
    if (registration != NULL && status >= 200 && !sof_retry(&record->request, sof_real(sip))) {
        record->busy = 0;
        if (status < 300)
            on_success(record, registration, status, sip);
        else
            on_failure(record, registration, status, sip);
    }
    sof_leave(data->state);
    return 0;
}

void sof_registration_free(struct sof_registration *record)
{
    sof_request_clear(&record->request);
}
