/* auth.c - credentials, and the answer to a digest challenge (22).
 *
 * eXosip_automatic_action() would try a wrong password three times, try without credentials at all, and
 * follow redirections behind the user's back; eXosip_default_action() does one step at a time, when told.
 */
#include "auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "credentials.h"
#include "library.h"
#include "message.h"
#include "near.h"
#include "state.h"
#include "timers.h"
#include "wipe.h"

/* The library keeps this many octets of each, and cuts off the rest without a word. */
enum { MAX_CREDENTIAL = 49 };

/* The library frees its list of passwords without wiping it. But it frees memory with a function that libosip2 lets us
 * set. */
#ifdef __GLIBC__
static __thread int wiping;

static void free_wiped(void *octets)
{
    if (wiping)
        sb_wipe(octets, exo_near_size(octets));
    exo_near_free(octets);
}

static void set_wiping(int on)
{
    wiping = on;
}

void exo_wipe_what_is_freed(void)
{
    if (!exo_near_is_on())
        osip_set_allocators(NULL, NULL, free_wiped);
}

void exo_allocate_near(void)
{
    if (exo_near_is_on())
        return;
    exo_near_begin();
    osip_set_allocators(NULL, exo_near_resize, free_wiped); /* before there is anything to resize */
    osip_set_allocators(exo_near_alloc, exo_near_resize, free_wiped);
}
#else
static void set_wiping(int on)
{
    (void)on;
}

void exo_wipe_what_is_freed(void)
{
}

void exo_allocate_near(void)
{
}
#endif

/* Have the library forget them. Under eXosip_lock. */
static int clear_library(struct exosip *state)
{
    int returned;
    EXO_UNUSED(state);
    set_wiping(1);
    returned = eXosip_clear_authentication_info(EXO_ALONE(state));
    set_wiping(0);
    return returned;
}

void exo_forget_secrets(struct exosip *state)
{
    exo_lock(state);
    clear_library(state);
    exo_unlock(state);
}

static int tell_library(struct exosip *state, const struct sb_credential *credential)
{
    EXO_UNUSED(state);
    return eXosip_add_authentication_info(EXO_FIRST(state) credential->user, credential->user,
                                          credential->password, NULL, credential->realm);
}

/* The library cannot replace an entry, so it gets all of them again. */
static int tell_all(struct exosip *state)
{
    struct sb_credential *credential;
    int returned;
    exo_lock(state);
    returned = clear_library(state);
    for (credential = state->credentials; credential != NULL && returned >= 0; credential = credential->next)
        returned = tell_library(state, credential);
    exo_unlock(state);
    return exo_error(returned);
}

int exo_credentials(void *data, const char *realm, const char *user, const char *password)
{
    struct exosip *state = data;
    struct sb_credential *credential, **old, *replaced;
    int code;
    if ((realm != NULL && strlen(realm) > MAX_CREDENTIAL) || strlen(user) > MAX_CREDENTIAL ||
        strlen(password) > MAX_CREDENTIAL)
        return SB_ETOOBIG;
    if (password[0] == '\0')
        return SB_ENOTSUP; /* the library accepts no empty password */
    credential = sb_credential_new(realm, user, password);
    if (credential == NULL)
        return SB_ENOMEM;
    old = sb_credential_find(&state->credentials, realm, user);
    replaced = *old;
    credential->next = replaced == NULL ? NULL : replaced->next;
    *old = credential;
    code = tell_all(state);
    if (code == SB_OK) {
        sb_credential_free(replaced);
        return SB_OK;
    }
    *old = replaced == NULL ? credential->next : replaced; /* as it was */
    sb_credential_free(credential);
    tell_all(state);
    return code;
}

int exo_credentials_clear(void *data)
{
    struct exosip *state = data;
    sb_credentials_free(&state->credentials);
    return tell_all(state);
}

/* True when the text, quoted or not, is this word. */
static int is_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    if (text == NULL)
        return 0;
    text += *text == '"';
    return strncasecmp(text, word, length) == 0 && (text[length] == '\0' || text[length] == '"');
}

static int has_credentials(struct exosip *state, const char *realm)
{
    struct sb_credential *credential;
    for (credential = state->credentials; credential != NULL; credential = credential->next)
        if (credential->realm == NULL || is_word(realm, credential->realm))
            return 1;
    return 0;
}

static osip_www_authenticate_t *challenge_in(osip_message_t *response)
{
    osip_www_authenticate_t *challenge = osip_list_get(&response->www_authenticates, 0);
    return challenge != NULL ? challenge : osip_list_get(&response->proxy_authenticates, 0);
}

static int was_authorized(osip_message_t *request, int status)
{
    return osip_list_size(status == 401 ? &request->authorizations : &request->proxy_authorizations) > 0;
}

static int is_challenge(const osip_message_t *response)
{
    return response != NULL && (response->status_code == 401 || response->status_code == 407);
}

/* The library looks up credentials by the user part of From, and does nothing where there is none. */
static int names_user(const osip_message_t *request)
{
    return request->from != NULL && request->from->url != NULL && request->from->url->username != NULL;
}

int exo_may_retry(struct exosip *state, osip_message_t *request, osip_message_t *response, int *retries)
{
    osip_www_authenticate_t *challenge;
    if (request == NULL || !is_challenge(response) || *retries >= SB_MAX_RETRIES)
        return 0;
    challenge = challenge_in(response);
    if (challenge == NULL || !has_credentials(state, challenge->realm) || !names_user(request))
        return 0;
    return *retries == 0 || is_word(challenge->stale, "true") || !was_authorized(request, response->status_code);
}

int exo_retry(struct exosip *state, eXosip_event_t *event, int *retries)
{
    int returned;
    if (!exo_may_retry(state, event->request, event->response, retries))
        return 0;
    exo_lock(state);
    returned = eXosip_default_action(EXO_FIRST(state) event);
    exo_unlock(state);
    if (returned < 0)
        return 0;
    (*retries)++;
    return 1;
}
