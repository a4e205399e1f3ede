/* sofia_auth.c - credentials, and the challenges that they answer (22). */
#include "sofia_engine.h"

#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>

int sof_credentials(void *data, const char *realm, const char *user, const char *password)
{
    struct sofia *state = data;
    struct sb_credential *credential = sb_credential_new(realm, user, password), *replaced, **link;
    if (credential == NULL)
        return SB_ENOMEM;
    link = sb_credential_find(&state->credentials, realm, user);
    if ((replaced = *link) != NULL)
        *link = replaced->next;
    sb_credential_free(replaced);
    credential->next = state->credentials; /* the latest first */
    state->credentials = credential;
    return SB_OK;
}

int sof_credentials_clear(void *data)
{
    struct sofia *state = data;
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

/* The entry for a realm and a user; the latest, where several are as good. */
static const struct sb_credential *credential_for(const struct sofia *state, const char *realm, const char *user)
{
    const struct sb_credential *credential, *best = NULL;
    for (credential = state->credentials; credential != NULL; credential = credential->next)
        if (fit(credential, realm, user) > (best == NULL ? 0 : fit(best, realm, user)))
            best = credential;
    return best;
}

/* Where a challenge offers both, the library would take auth-int, which few servers that offer it can check. */
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

/* Set the credentials for a challenge. True when there are some. The library would answer Basic as well, with the
 * password as it is, and so to whoever can send a 401; SIP has no Basic any more (22). */
static int answer_challenge(struct sof_record *record, const char *user, msg_auth_t *challenge,
                            msg_hclass_t *header)
{
    const char *quoted = msg_header_find_param(challenge->au_common, "realm=");
    const struct sb_credential *credential;
    char *realm;
    if (quoted == NULL || challenge->au_scheme == NULL || strcasecmp(challenge->au_scheme, "Digest") != 0)
        return 0;
    realm = *quoted == '"' ? msg_unquote_dup(record->home, quoted) : su_strdup(record->home, quoted);
    credential = realm == NULL ? NULL : credential_for(record->state, realm, user);
    su_free(record->home, realm);
    if (credential == NULL)
        return 0;
    if (sof_is_sha256(challenge))
        return sof_take_sha256(record, challenge, header == sip_proxy_authorization_class, credential->user,
                               credential->password);
    return prefer_auth(record->home, challenge) == SB_OK &&
           auc_challenge(&record->auth, record->home, challenge, header) >= 0 &&
           auc_all_credentials(&record->auth, NULL, quoted, credential->user, credential->password) >= 0 &&
           auc_has_authorization(&record->auth); /* not where the scheme or the algorithm is unknown */
}

/* RFC 8760, 2.4: of several for one realm one is answered, the strongest that is known. */
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

/* Returns how many of them there were credentials for. */
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
    const char *user = sip->sip_from->a_url->url_user; /* ours: a response has the request's From */
    int answered = answer_challenges(record, user, sip->sip_www_authenticate, sip_authorization_class);
    answered += answer_challenges(record, user, sip->sip_proxy_authenticate, sip_proxy_authorization_class);
    return answered > 0;
}
