/* register.c - registrations (10). */
#include "register.h"

#include <sofia-sip/msg_header.h>

#include "address.h"
#include "leases.h"
#include "message.h"
#include "object.h"
#include "record.h"
#include "state.h"

/* The seconds of our contact among those that a registrar lists (10.2.4), or NULL. */
static const char *listed(const struct sof_lease *lease, const sip_t *sip)
{
    const sip_contact_t *ours = sip_object(lease->request.draft)->sip_contact, *contact;
    const char *seconds = NULL;
    for (contact = sip->sip_contact; contact != NULL && seconds == NULL; contact = contact->m_next)
        if ((contact == sip->sip_contact && contact->m_next == NULL) ||
            url_cmp(contact->m_url, ours->m_url) == 0)
            seconds = contact->m_expires;
    return seconds;
}

static void on_success(struct sof_lease *lease, struct sb_object *registration, int status, const sip_t *sip)
{
    struct sofia *state = lease->record.state;
    char text[SOF_EXPIRES_SIZE];
    const char *expires = sof_expires(text, sip);
    if (!sb_lease_goes_on(&lease->lease, state, registration, listed(lease, sip), expires, status, sip))
        sb_lease_post(&lease->lease, state, registration, SB_STATE_ENDED, status, NULL, 0, sip);
}

static const struct sof_lease_kind REGISTRATION = {
    .object = SB_KIND_REGISTRATION,
    .method = "REGISTER",
    .send_next = sof_lease_send_again,
    .on_success = on_success,
    .on_due = sb_lease_due,
};

static int draft_register(struct sofia *state, const char *registrar, const sb_parties *parties,
                          const char *contact, int expires, msg_t **draft)
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
    if (code == SB_OK)
        code = sof_set_expires(*draft, expires);
    if (code != SB_OK)
        msg_destroy(*draft);
    return code;
}

int sof_register(void *data, struct sb_object *registration, const char *registrar, const sb_parties *parties,
                 const char *contact, int expires)
{
    struct sofia *state = data;
    struct sof_lease *lease;
    msg_t *draft;
    int code = draft_register(state, registrar, parties, contact, expires, &draft);
    if (code != SB_OK)
        return code;
    lease = sof_record_new(state, registration->id, sizeof *lease);
    registration->lib = lease;
    if (lease == NULL) {
        msg_destroy(draft);
        return SB_ENOMEM;
    }
    return sof_lease_start(lease, &REGISTRATION, registration, expires, draft);
}
