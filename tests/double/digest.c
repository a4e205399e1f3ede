/* digest.c - credentials, and the answer to a challenge (22, RFC 2617: MD5 with qop=auth or without). */
#include "double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <osipparser2/osip_md5.h>

int d_auth_add(const char *user, const char *password, const char *realm)
{
    struct d_auth *auth = osip_malloc(sizeof *auth); /* and osip_free(): an application may stand in for both */
    if (auth == NULL)
        return OSIP_NOMEM;
    memset(auth, 0, sizeof *auth);
    strncpy(auth->user, user, sizeof auth->user - 1);
    strncpy(auth->password, password, sizeof auth->password - 1);
    strncpy(auth->realm, realm == NULL ? "" : realm, sizeof auth->realm - 1);
    auth->next = D.auths;
    D.auths = auth;
    return OSIP_SUCCESS;
}

void d_auth_clear(void)
{
    struct d_auth *auth;
    while ((auth = D.auths) != NULL) {
        D.auths = auth->next;
        osip_free(auth);
    }
}

static void unquote(char *plain, size_t size, const char *text)
{
    size_t length;
    text += *text == '"';
    length = strlen(text);
    length -= length > 0 && text[length - 1] == '"';
    snprintf(plain, size, "%.*s", (int)length, text);
}

/* Of this user for this realm, of this user for any, of anybody for this realm, of anybody for any. */
static const struct d_auth *find(const char *realm, const char *user)
{
    const struct d_auth *auth, *best = NULL;
    int value, highest = 0;
    for (auth = D.auths; auth != NULL; auth = auth->next) {
        value = auth->realm[0] == '\0' ? 1 : strcmp(auth->realm, realm) == 0 ? 2 : 0;
        if (value > 0 && user != NULL && strcmp(auth->user, user) == 0)
            value += 2;
        if (value > highest) {
            highest = value;
            best = auth;
        }
    }
    return best;
}

static void update(osip_MD5_CTX *context, const char *text)
{
    osip_MD5Update(context, (unsigned char *)text, (unsigned int)strlen(text));
}

static void final(char hex[33], osip_MD5_CTX *context)
{
    unsigned char sum[16];
    int i;
    osip_MD5Final(sum, context);
    for (i = 0; i < 16; i++)
        sprintf(hex + 2 * i, "%02x", sum[i]);
}

static void hash_of(char hex[33], char *text)
{
    osip_MD5_CTX context;
    osip_MD5Init(&context);
    update(&context, text);
    final(hex, &context);
    osip_free(text);
}

/* As the library: no copy of the password is made for it. */
static void hash_password(char hex[33], const struct d_auth *auth, const char *realm)
{
    osip_MD5_CTX context;
    osip_MD5Init(&context);
    update(&context, auth->user);
    update(&context, ":");
    update(&context, realm);
    update(&context, ":");
    update(&context, auth->password);
    final(hex, &context);
}

/* What was said of a realm in a dialog or registration last, which later requests are answered by unasked. */
static void remember(const osip_message_t *request, const char *realm, const char *nonce,
                     const osip_www_authenticate_t *challenge)
{
    struct d_nonce *known;
    for (known = D.nonces; known != NULL; known = known->next)
        if (strcmp(known->call_id, request->call_id->number) == 0 && strcmp(known->realm, realm) == 0)
            break;
    if (known == NULL) {
        known = calloc(1, sizeof *known);
        if (known == NULL)
            abort();
        snprintf(known->call_id, sizeof known->call_id, "%s", request->call_id->number);
        snprintf(known->realm, sizeof known->realm, "%s", realm);
        known->next = D.nonces;
        D.nonces = known;
    }
    snprintf(known->nonce, sizeof known->nonce, "%s", nonce);
    snprintf(known->opaque, sizeof known->opaque, "%s", challenge->opaque == NULL ? "" : challenge->opaque);
    known->qop = challenge->qop_options != NULL;
    known->count = 0;
}

void d_nonces_clear(void)
{
    struct d_nonce *known;
    while ((known = D.nonces) != NULL) {
        D.nonces = known->next;
        free(known);
    }
}

/* The value of (Proxy-)Authorization. */
static char *compose(const struct d_auth *auth, struct d_nonce *known, const char *method, const char *uri)
{
    char a1[33], a2[33], response[33], count[9];
    char *qop, *opaque, *value;
    snprintf(count, sizeof count, "%08x", ++known->count);
    hash_password(a1, auth, known->realm);
    hash_of(a2, d_format("%s:%s", method, uri));
    hash_of(response, known->qop ? d_format("%s:%s:%s:c0ffee:auth:%s", a1, known->nonce, count, a2)
                                 : d_format("%s:%s:%s", a1, known->nonce, a2));
    qop = known->qop ? d_format(", cnonce=\"c0ffee\", nc=%s, qop=auth", count) : d_format("%s", "");
    opaque = known->opaque[0] != '\0' ? d_format(", opaque=%s", known->opaque) : d_format("%s", "");
    value = d_format("Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", "
                     "algorithm=MD5%s%s",
                     auth->user, known->realm, known->nonce, uri, response, opaque, qop);
    osip_free(qop);
    osip_free(opaque);
    return value;
}

static int answer(osip_message_t *request, struct d_nonce *known, int proxy)
{
    const struct d_auth *auth = find(known->realm, request->from->url->username);
    char *uri = NULL, *value;
    int code;
    if (auth == NULL)
        return OSIP_NOTFOUND;
    if (osip_uri_to_str(request->req_uri, &uri) != 0)
        return OSIP_SYNTAXERROR;
    value = compose(auth, known, request->sip_method, uri);
    code = proxy ? osip_message_set_proxy_authorization(request, value)
                 : osip_message_set_authorization(request, value);
    osip_free(value);
    osip_free(uri);
    return code;
}

static int learn(osip_message_t *request, const osip_www_authenticate_t *challenge)
{
    char realm[128], nonce[256];
    if (challenge->realm == NULL || challenge->nonce == NULL)
        return OSIP_SYNTAXERROR;
    unquote(realm, sizeof realm, challenge->realm);
    unquote(nonce, sizeof nonce, challenge->nonce);
    remember(request, realm, nonce, challenge);
    return OSIP_SUCCESS;
}

int d_authorize(osip_message_t *request, osip_message_t *response)
{
    struct d_nonce *known;
    int code = OSIP_SUCCESS, proxy;
    osip_www_authenticate_t *challenge;
    osip_list_special_free(&request->authorizations, (void (*)(void *))osip_authorization_free);
    osip_list_special_free(&request->proxy_authorizations, (void (*)(void *))osip_proxy_authorization_free);
    /* As the library: without a user in From it does nothing. */
    if (response == NULL || request->from->url == NULL || request->from->url->username == NULL)
        return OSIP_BADPARAMETER;
    challenge = osip_list_get(&response->www_authenticates, 0);
    proxy = challenge == NULL && osip_list_size(&response->proxy_authenticates) > 0;
    if (proxy)
        challenge = osip_list_get(&response->proxy_authenticates, 0);
    if (challenge != NULL)
        code = learn(request, challenge);
    for (known = D.nonces; known != NULL && code == 0; known = known->next)
        if (strcmp(known->call_id, request->call_id->number) == 0)
            code = answer(request, known, proxy); /* unasked, it takes every challenge for a registrar's */
    osip_message_force_update(request);
    return code;
}
