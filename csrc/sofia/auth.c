/* auth.c - credentials, and the challenges that they answer (22). */
#include "auth.h"

#include <string.h>
#include <strings.h>

#include <sofia-sip/auth_client_plugin.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/su_md5.h>

#include "core.h"
#include "credentials.h"
#include "digest_sha256.h"
#include "record.h"
#include "state.h"
#include "wipe.h"

void sof_forget_secrets(struct sof_record *record, const char *user)
{
    auth_client_t *known, **link = &record->auth;
    while ((known = *link) != NULL) {
        if (user != NULL && (known->ca_user == NULL || strcmp(known->ca_user, user) != 0)) {
            link = &known->ca_next;
            continue;
        }
        *link = known->ca_next;
        sb_wipe_text(known->ca_pass);
        su_home_unref(known->ca_home);
    }
    sof_forget_sha256(record, user);
}

static void forget_in(struct sb_object *object, void *user)
{
    if (object->lib != NULL)
        sof_forget_secrets(object->lib, user);
}

/* The credentials of a user (NULL: of all) have changed: forget what the dialogs answer challenges with. */
static void forget_everywhere(struct sofia *state, const char *user)
{
    int kind;
    for (kind = SB_KIND_CALL; kind <= SB_KIND_TRANSACTION; kind++)
        sb_core_each(state->core, kind, forget_in, (void *)user);
}

int sof_credentials(void *data, const char *realm, const char *user, const char *password)
{
    struct sofia *state = data;
    struct sb_credential *credential = sb_credential_new(realm, user, password), *replaced, **link;
    if (credential == NULL)
        return SB_ENOMEM;
    link = sb_credential_find(&state->credentials, realm, user);
    if ((replaced = *link) != NULL) {
        *link = replaced->next;
        forget_everywhere(state, user);
    }
    sb_credential_free(replaced);
    credential->next = state->credentials; /* the latest entry comes first */
    state->credentials = credential;
    return SB_OK;
}

int sof_credentials_clear(void *data)
{
    struct sofia *state = data;
    forget_everywhere(state, NULL);
    sb_credentials_free(&state->credentials);
    return SB_OK;
}

/* How well an entry fits: not at all (0), or better for its own realm and for the user in From. */
static int fit(const struct sb_credential *credential, const char *realm, const char *user)
{
    if (credential->realm != NULL && strcmp(credential->realm, realm) != 0)
        return 0;
    return 1 + 2 * (credential->realm != NULL) + (user != NULL && strcmp(credential->user, user) == 0);
}

/* The entry for a realm and a user. Of several that fit as well the latest counts. */
static const struct sb_credential *credential_for(const struct sofia *state, const char *realm, const char *user)
{
    const struct sb_credential *credential, *best = NULL;
    for (credential = state->credentials; credential != NULL; credential = credential->next)
        if (fit(credential, realm, user) > (best == NULL ? 0 : fit(best, realm, user)))
            best = credential;
    return best;
}

/* When a challenge offers auth and auth-int the library would take auth-int, which few servers can check. Leave auth
 * alone. */
static int prefer_auth(su_home_t *home, msg_auth_t *challenge)
{
    const char *offered = msg_header_find_param(challenge->au_common, "qop=");
    const char *rest;
    if (offered == NULL || strstr(offered, "auth-int") == NULL)
        return SB_OK;
    for (rest = strstr(offered, "auth"); rest != NULL; rest = strstr(rest + 4, "auth"))
        if (strncmp(rest, "auth-int", 8) != 0)
            return msg_header_replace_param(home, challenge->au_common, "qop=\"auth\"") < 0 ? SB_ENOMEM : SB_OK;
    return SB_OK;
}

/* Give the library the hash of user, realm and password; it needs no more. Wipe what it had for the realm. */
static int tell_library(struct sof_record *record, const struct sb_credential *credential, const char *realm,
                        const char *quoted)
{
    char secret[4 + 2 * SU_MD5_DIGEST_SIZE + 1] = "HA1+";
    auth_client_t *known;
    su_md5_t md5[1];
    int code;
    su_md5_init(md5);
    su_md5_strupdate(md5, credential->user);
    su_md5_update(md5, ":", 1);
    su_md5_strupdate(md5, realm);
    su_md5_update(md5, ":", 1);
    su_md5_strupdate(md5, credential->password);
    su_md5_hexdigest(md5, secret + 4);
    sb_wipe(md5, sizeof md5);
    for (known = record->auth; known != NULL; known = known->ca_next)
        if (known->ca_realm != NULL && strcmp(known->ca_realm, quoted) == 0 && known->ca_pass != NULL &&
            strcmp(known->ca_pass, secret) != 0)
            sb_wipe_text(known->ca_pass);
    code = auc_all_credentials(&record->auth, "HA1+Digest", quoted, credential->user, secret);
    sb_wipe(secret, sizeof secret);
    return code >= 0 ? SB_OK : SB_ENOMEM;
}

/* The library answers the challenge. False where its scheme or algorithm is unknown. */
static int take_md5(struct sof_record *record, msg_auth_t *challenge, msg_hclass_t *header,
                    const struct sb_credential *credential, const char *realm, const char *quoted)
{
    return prefer_auth(record->home, challenge) == SB_OK &&
           auc_challenge(&record->auth, record->home, challenge, header) >= 0 &&
           tell_library(record, credential, realm, quoted) == SB_OK && auc_has_authorization(&record->auth);
}

/* Answer a challenge. True when there are credentials for it. It has to be Digest: the library would answer Basic, too,
 * and send the password to anybody who sends a 401. SIP has no Basic any more (22). */
static int answer_challenge(struct sof_record *record, const char *user, msg_auth_t *challenge,
                            msg_hclass_t *header)
{
    const char *quoted = msg_header_find_param(challenge->au_common, "realm=");
    const struct sb_credential *credential;
    char *realm;
    int code;
    if (quoted == NULL || challenge->au_scheme == NULL || strcasecmp(challenge->au_scheme, "Digest") != 0)
        return 0;
    realm = *quoted == '"' ? msg_unquote_dup(record->home, quoted) : su_strdup(record->home, quoted);
    credential = realm == NULL ? NULL : credential_for(record->state, realm, user);
    if (credential == NULL) {
        su_free(record->home, realm);
        return 0;
    }
    if (sof_is_sha256(challenge))
        code = sof_take_sha256(record, challenge, header == sip_proxy_authorization_class, credential->user,
                               credential->password);
    else
        code = take_md5(record, challenge, header, credential, realm, quoted);
    su_free(record->home, realm);
    return code;
}

/* RFC 8760, 2.4: of several challenges for one realm, the strongest one that we know is answered. True when there is a
 * stronger one. */
static int is_weaker(const msg_auth_t *challenge, const msg_auth_t *all)
{
    const char *realm = msg_header_find_param(challenge->au_common, "realm="), *other;
    if (sof_is_sha256(challenge) || realm == NULL)
        return 0;
    for (; all != NULL; all = all->au_next)
        if (sof_is_sha256(all) && (other = msg_header_find_param(all->au_common, "realm=")) != NULL &&
            strcmp(realm, other) == 0)
            return 1;
    return 0;
}

/* Answer challenges. Returns how many there were credentials for. */
static int answer_challenges(struct sof_record *record, const char *user, const msg_auth_t *challenges,
                             msg_hclass_t *header)
{
    su_home_t home[1] = {SU_HOME_INIT(home)};
    msg_header_t *copies = msg_header_dup(home, (const msg_header_t *)challenges);
    msg_auth_t *challenge, *next;
    int answered = 0;
    for (challenge = (msg_auth_t *)copies; challenge != NULL; challenge = next) {
        next = challenge->au_next;
        challenge->au_next = NULL;
        if (!is_weaker(challenge, challenges))
            answered += answer_challenge(record, user, challenge, header);
    }
    su_home_deinit(home);
    return answered;
}

int sof_take_challenges(struct sof_record *record, const sip_t *sip)
{
    const char *user = sip->sip_from->a_url->url_user; /* our own: a response repeats the request's From */
    int answered = answer_challenges(record, user, sip->sip_www_authenticate, sip_authorization_class);
    answered += answer_challenges(record, user, sip->sip_proxy_authenticate, sip_proxy_authorization_class);
    return answered > 0;
}
