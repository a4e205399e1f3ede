#include "credentials.h"

#include <stdlib.h>
#include <string.h>

#include "wipe.h"

void sb_credential_free(struct sb_credential *credential)
{
    if (credential == NULL)
        return;
    free(credential->realm);
    free(credential->user);
    sb_wipe_free(credential->password);
    free(credential);
}

struct sb_credential *sb_credential_new(const char *realm, const char *user, const char *password)
{
    struct sb_credential *credential = calloc(1, sizeof *credential);
    if (credential == NULL)
        return NULL;
    credential->realm = realm == NULL ? NULL : strdup(realm);
    credential->user = strdup(user);
    credential->password = strdup(password);
    if ((realm == NULL || credential->realm != NULL) && credential->user != NULL &&
        credential->password != NULL)
        return credential;
    sb_credential_free(credential);
    return NULL;
}

static int is_same_realm(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

struct sb_credential **sb_credential_find(struct sb_credential **list, const char *realm, const char *user)
{
    while (*list != NULL && !(is_same_realm((*list)->realm, realm) && strcmp((*list)->user, user) == 0))
        list = &(*list)->next;
    return list;
}

void sb_credentials_free(struct sb_credential **list)
{
    struct sb_credential *credential;
    while ((credential = *list) != NULL) {
        *list = credential->next;
        sb_credential_free(credential);
    }
}
