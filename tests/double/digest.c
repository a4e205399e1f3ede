/* digest.c - credentials, and the answer to a challenge (22, RFC 2617: MD5 with qop=auth or without). */
#include "double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <osipparser2/osip_md5.h>

int d_auth_add(const char *user, const char *password, const char *realm)
{
    struct d_auth *auth = calloc(1, sizeof *auth);
    if (auth == NULL)
        return OSIP_NOMEM;
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
        free(auth);
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

static const struct d_auth *find(const char *realm)
{
    const struct d_auth *auth, *any = NULL;
    for (auth = D.auths; auth != NULL; auth = auth->next) {
        if (auth->realm[0] == '\0')
            any = auth;
        else if (strcmp(auth->realm, realm) == 0)
            return auth;
    }
    return any;
}

static void hash(char hex[33], const char *text)
{
    unsigned char sum[16];
    osip_MD5_CTX context;
    int i;
    osip_MD5Init(&context);
    osip_MD5Update(&context, (unsigned char *)text, (unsigned int)strlen(text));
    osip_MD5Final(sum, &context);
    for (i = 0; i < 16; i++)
        sprintf(hex + 2 * i, "%02x", sum[i]);
}

static void hash_of(char hex[33], char *text)
{
    hash(hex, text);
    osip_free(text);
}

/* The value of (Proxy-)Authorization. */
static char *compose(const struct d_auth *auth, const char *realm, const char *nonce, int qop, const char *method,
                     const char *uri)
{
    char a1[33], a2[33], response[33];
    hash_of(a1, d_format("%s:%s:%s", auth->user, realm, auth->password));
    hash_of(a2, d_format("%s:%s", method, uri));
    hash_of(response, qop ? d_format("%s:%s:00000001:c0ffee:auth:%s", a1, nonce, a2)
                          : d_format("%s:%s:%s", a1, nonce, a2));
    return d_format("Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", "
                    "algorithm=MD5%s",
                    auth->user, realm, nonce, uri, response,
                    qop ? ", cnonce=\"c0ffee\", nc=00000001, qop=auth" : "");
}

static int answer(osip_message_t *request, const osip_www_authenticate_t *challenge, int proxy)
{
    char realm[128], nonce[256], *uri = NULL, *value;
    const struct d_auth *auth;
    int code;
    if (challenge->realm == NULL || challenge->nonce == NULL)
        return OSIP_SYNTAXERROR;
    unquote(realm, sizeof realm, challenge->realm);
    unquote(nonce, sizeof nonce, challenge->nonce);
    auth = find(realm);
    if (auth == NULL)
        return OSIP_NOTFOUND;
    if (osip_uri_to_str(request->req_uri, &uri) != 0)
        return OSIP_SYNTAXERROR;
    value = compose(auth, realm, nonce, challenge->qop_options != NULL, request->sip_method, uri);
    code = proxy ? osip_message_set_proxy_authorization(request, value)
                 : osip_message_set_authorization(request, value);
    osip_free(value);
    osip_free(uri);
    return code;
}

int d_authorize(osip_message_t *request, osip_message_t *response)
{
    int i, code = OSIP_SUCCESS;
    osip_list_special_free(&request->authorizations, (void (*)(void *))osip_authorization_free);
    osip_list_special_free(&request->proxy_authorizations, (void (*)(void *))osip_proxy_authorization_free);
    /* As the library: without a user in From it does nothing. */
    if (response == NULL || request->from->url == NULL || request->from->url->username == NULL)
        return OSIP_BADPARAMETER;
    for (i = 0; i < osip_list_size(&response->www_authenticates) && code == 0; i++)
        code = answer(request, osip_list_get(&response->www_authenticates, i), 0);
    for (i = 0; i < osip_list_size(&response->proxy_authenticates) && code == 0; i++)
        code = answer(request, osip_list_get(&response->proxy_authenticates, i), 1);
    osip_message_force_update(request);
    return code;
}
