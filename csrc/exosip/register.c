/* register.c - registrations (10).
 *
 * The library builds each REGISTER from the one before, with the answer to a challenge, and we send it. On its own, the
 * library would ask for no less than 30 s and no more than 3600 s, whatever the user said.
 */
#include "register.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "auth.h"
#include "index.h"
#include "leases.h"
#include "library.h"
#include "message.h"
#include "object.h"
#include "state.h"

/* Send what was built for the registration, or free it. Under eXosip_lock. */
static int send_built(struct exosip *state, struct exo_registration *record, osip_message_t *message, int code)
{
    EXO_UNUSED(state);
    if (code == SB_OK)
        code = exo_set_expires(message, record->lease.lease.expires);
    if (code != SB_OK) {
        osip_message_free(message);
        return code;
    }
    code = exo_error(eXosip_register_send_register(EXO_FIRST(state) record->rid, message));
    if (code == SB_OK)
        exo_lease_sent(&record->lease);
    return code;
}

/* The library writes one address into both To (what is registered) and From (who registers it, 10.2). Set another From.
 */
static int set_from(osip_message_t *message, const char *address)
{
    osip_generic_param_t *tag = NULL;
    osip_from_t *from = NULL;
    int code = exo_error(osip_from_init(&from));
    if (code != SB_OK)
        return code;
    code = exo_error(osip_from_parse(from, address));
    if (code == SB_OK && osip_from_get_tag(message->from, &tag) == 0 && tag != NULL && tag->gvalue != NULL)
        osip_from_set_tag(from, osip_strdup(tag->gvalue));
    if (code != SB_OK) {
        osip_from_free(from);
        return code;
    }
    osip_from_free(message->from);
    message->from = from;
    return SB_OK;
}

/* Build and send the first REGISTER. contact: in "<>", NULL for what the library says. Under eXosip_lock. */
static int send_first(struct exosip *state, struct exo_registration *record, const char *registrar,
                      const struct exo_addresses *addresses, const char *contact)
{
    osip_message_t *message = NULL;
    int code = SB_OK, rid;
    rid = eXosip_register_build_initial_register(EXO_FIRST(state) addresses->to, registrar, contact,
                                                 record->lease.lease.expires, &message);
    if (rid > 0)
        record->rid = rid;
    else
        code = rid < 0 ? exo_error(rid) : SB_ELIBRARY;
    if (code == SB_OK && message == NULL)
        code = SB_ELIBRARY;
    if (code == SB_OK && strcmp(addresses->from, addresses->to) != 0)
        code = set_from(message, addresses->from);
    if (code == SB_OK && addresses->route != NULL)
        code = exo_error(osip_message_set_route(message, addresses->route));
    return send_built(state, record, message, code);
}

/* Where the parties have no From, the address registers itself. */
static int start(struct exosip *state, struct exo_registration *record, const char *registrar,
                 const sb_parties *parties, const char *contact)
{
    char *own_contact = contact == NULL ? NULL : exo_in_brackets(contact);
    struct exo_addresses addresses;
    sb_parties between = *parties;
    int code;
    if (between.from == NULL)
        between.from = between.to;
    code = exo_addresses_set(&addresses, state, &between);
    if (code == SB_OK && contact != NULL && own_contact == NULL)
        code = SB_ENOMEM;
    if (code == SB_OK) {
        exo_lock(state);
        code = send_first(state, record, registrar, &addresses, own_contact);
        exo_unlock(state);
    }
    exo_addresses_clear(&addresses);
    free(own_contact);
    return code;
}

int exo_register(void *data, struct sb_object *registration, const char *registrar,
                 const sb_parties *parties, const char *contact, int expires)
{
    struct exosip *state = data;
    struct exo_registration *record;
    int code = exo_check_target(parties);
    if (code == SB_OK && strncasecmp(registrar, "sip:", 4) != 0)
        code = SB_ENOTSUP;
    if (code == SB_OK && strlen(registrar) > EXO_MAX_START_LINE)
        code = SB_ETOOBIG;
    if (code != SB_OK)
        return code;
    record = calloc(1, sizeof *record);
    if (record == NULL)
        return SB_ENOMEM;
    exo_keep(registration, record);
    exo_lease_init(&record->lease, expires);
    code = start(state, record, registrar, parties, contact);
    return code == SB_OK ? exo_index_registration(state, registration) : code;
}

/* The library answers an earlier challenge as if it came from a registrar. Correct that when it came from a proxy
 * (22.3). */
static void name_credentials(const struct exo_registration *record, osip_message_t *message)
{
    osip_authorization_t *credentials;
    if (!record->by_proxy || osip_list_size(&message->proxy_authorizations) > 0)
        return;
    while ((credentials = osip_list_get(&message->authorizations, 0)) != NULL) {
        osip_list_remove(&message->authorizations, 0);
        osip_list_add(&message->proxy_authorizations, credentials, -1);
    }
    osip_message_force_update(message);
}

/* The next REGISTER: again with credentials, again later, or the last one. */
int exo_send_register(struct exosip *state, struct exo_registration *record)
{
    osip_message_t *message = NULL;
    int code;
    exo_lock(state);
    code = exo_error(eXosip_register_build_register(EXO_FIRST(state) record->rid, record->lease.lease.expires,
                                                    &message));
    if (code == SB_OK && message == NULL)
        code = SB_ELIBRARY;
    if (code == SB_OK)
        name_credentials(record, message);
    code = send_built(state, record, message, code);
    exo_unlock(state);
    return code;
}

/* ------------------------------------------------------------------------------------------------------
 * The registrar's answers
 */
static int is_same_contact(const osip_contact_t *a, const osip_contact_t *b)
{
    char *left = NULL, *right = NULL;
    int same = a->url != NULL && b->url != NULL && osip_uri_to_str(a->url, &left) == 0 &&
               osip_uri_to_str(b->url, &right) == 0 && strcmp(left, right) == 0;
    osip_free(left);
    osip_free(right);
    return same;
}

static const char *expires_of(osip_contact_t *contact)
{
    osip_generic_param_t *expires = NULL;
    if (contact == NULL || osip_contact_param_get_byname(contact, (char *)"expires", &expires) != 0 ||
        expires == NULL)
        return NULL;
    return expires->gvalue;
}

/* The seconds of our contact among those that a registrar lists (10.2.4), or NULL. */
static const char *listed(eXosip_event_t *event)
{
    osip_contact_t *ours = osip_list_get(&event->request->contacts, 0), *contact;
    const char *seconds = NULL;
    int i, count = osip_list_size(&event->response->contacts);
    for (i = 0; i < count && seconds == NULL && ours != NULL; i++) {
        contact = osip_list_get(&event->response->contacts, i);
        if (count == 1 || is_same_contact(contact, ours))
            seconds = expires_of(contact);
    }
    return seconds;
}

static void on_success(struct exosip *state, eXosip_event_t *event, struct sb_object *registration)
{
    struct exo_lease *lease = registration->lib;
    osip_message_t *response = event->response;
    int status = response->status_code;
    lease->retries = 0;
    if (!sb_lease_goes_on(&lease->lease, state, registration, listed(event), exo_header(response, "expires"), status,
                          response))
        sb_lease_post(&lease->lease, state, registration, SB_STATE_ENDED, status, NULL, 0, response);
}

static void on_failure(struct exosip *state, eXosip_event_t *event, struct sb_object *registration)
{
    struct exo_registration *record = registration->lib;
    int status = event->response != NULL ? event->response->status_code : 0;
    if (status == 401 || status == 407)
        record->by_proxy = status == 407;
    if (status != 0 && exo_may_retry(state, event->request, event->response, &record->lease.retries)) {
        record->lease.retries++;
        if (exo_send_register(state, record) == SB_OK) {
            sb_lease_sent(&record->lease.lease);
            return;
        }
    }
    exo_lease_failed(state, registration, 0, event->response);
}

void exo_on_registration(struct exosip *state, eXosip_event_t *event)
{
    struct sb_object *registration = exo_find_registration(state, event->rid);
    if (registration == NULL || event->request == NULL)
        return;
    if (event->type == EXOSIP_REGISTRATION_SUCCESS && event->response != NULL)
        on_success(state, event, registration);
    else if (event->type == EXOSIP_REGISTRATION_FAILURE)
        on_failure(state, event, registration);
}

void exo_registration_free(struct exosip *state, struct exo_registration *record)
{
    if (state != NULL && record->rid > 0) {
        exo_lock(state);
        eXosip_register_remove(EXO_FIRST(state) record->rid);
        exo_unlock(state);
    }
    free(record);
}
