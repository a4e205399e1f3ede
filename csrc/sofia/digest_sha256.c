/* digest_sha256.c - digest challenges that ask for SHA-256 (RFC 8760), which Sofia-SIP does not answer by itself. */
#include "digest_sha256.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/su_uniqueid.h>

#include "record.h"
#include "sha256.h"
#include "wipe.h"

/* A challenge that was received, and what answers it; in the record's memory. */
struct sof_sha256 {
    struct sof_sha256 *next;
    int proxy;
    char *realm;     /* as it is to be sent back, with its quotes, like the two that follow */
    char *nonce;
    char *opaque;    /* or NULL */
    int qop;         /* it offered "auth" */
    unsigned count;  /* how often this nonce was used */
    char *user;
    char *secret;    /* the hash of user, realm and password, which is as good as the password in this realm */
};

int sof_is_sha256(const msg_auth_t *challenge)
{
    const char *algorithm = msg_header_find_param(challenge->au_common, "algorithm=");
    if (algorithm == NULL)
        return 0;
    algorithm += *algorithm == '"';
    return strncasecmp(algorithm, "SHA-256", 7) == 0 && (algorithm[7] == '\0' || algorithm[7] == '"');
}

/* Replace a text of an entry (NULL: by nothing), and wipe the old one. A registration is challenged again and again, so
 * that old texts would pile up. */
static void keep(su_home_t *home, char **text, const char *value)
{
    sb_wipe_text(*text);
    su_free(home, *text);
    *text = value == NULL ? NULL : su_strdup(home, value);
}

/* The entry for a realm on one side, or a new one. */
static struct sof_sha256 *entry_for(struct sof_record *record, int proxy, const char *realm)
{
    struct sof_sha256 *entry;
    for (entry = record->sha256; entry != NULL; entry = entry->next)
        if (entry->proxy == proxy && strcmp(entry->realm, realm) == 0)
            return entry;
    entry = su_zalloc(record->home, sizeof *entry);
    if (entry == NULL || (entry->realm = su_strdup(record->home, realm)) == NULL)
        return NULL;
    entry->proxy = proxy;
    entry->next = record->sha256;
    record->sha256 = entry;
    return entry;
}

static char *unquoted(su_home_t *home, const char *value)
{
    return *value == '"' ? msg_unquote_dup(home, value) : su_strdup(home, value);
}

static void hash(char hex[SB_SHA256_HEX], const char *text)
{
    sb_sha256_hex(text == NULL ? "" : text, text == NULL ? 0 : strlen(text), hex);
}

/* RFC 7616, 3.4.2. */
static void keep_secret(su_home_t *home, struct sof_sha256 *entry, const char *password)
{
    char *realm = unquoted(home, entry->realm), hex[SB_SHA256_HEX];
    char *text = realm == NULL ? NULL : su_sprintf(home, "%s:%s:%s", entry->user, realm, password);
    if (text != NULL)
        hash(hex, text);
    keep(home, &entry->secret, text == NULL ? NULL : hex);
    sb_wipe(hex, sizeof hex);
    sb_wipe_text(text);
    su_free(home, text);
    su_free(home, realm);
}

int sof_take_sha256(struct sof_record *record, const msg_auth_t *challenge, int proxy, const char *user,
                    const char *password)
{
    const char *realm = msg_header_find_param(challenge->au_common, "realm=");
    const char *qop = msg_header_find_param(challenge->au_common, "qop=");
    struct sof_sha256 *entry = realm == NULL ? NULL : entry_for(record, proxy, realm);
    if (entry == NULL)
        return 0;
    keep(record->home, &entry->nonce, msg_header_find_param(challenge->au_common, "nonce="));
    keep(record->home, &entry->opaque, msg_header_find_param(challenge->au_common, "opaque="));
    keep(record->home, &entry->user, user);
    entry->qop = qop != NULL;
    entry->count = 0;
    if (entry->nonce == NULL || entry->user == NULL)
        return 0;
    keep_secret(record->home, entry, password);
    return entry->secret != NULL;
}

void sof_forget_sha256(struct sof_record *record, const char *user)
{
    struct sof_sha256 *entry, **link = &record->sha256;
    while ((entry = *link) != NULL) {
        if (user != NULL && (entry->user == NULL || strcmp(entry->user, user) != 0)) {
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        keep(record->home, &entry->secret, NULL);
        keep(record->home, &entry->user, NULL);
        keep(record->home, &entry->nonce, NULL);
        keep(record->home, &entry->opaque, NULL);
        keep(record->home, &entry->realm, NULL);
        su_free(record->home, entry);
    }
}

/* RFC 7616, 3.4.1. */
static char *credentials(su_home_t *home, struct sof_sha256 *entry, const char *method, const char *uri)
{
    char two[SB_SHA256_HEX], response[SB_SHA256_HEX], count[9], nonce[17], *qop = NULL;
    const char *plain = unquoted(home, entry->nonce);
    char *text;
    hash(two, su_sprintf(home, "%s:%s", method, uri));
    snprintf(count, sizeof count, "%08x", ++entry->count);
    snprintf(nonce, sizeof nonce, "%08x%08x", su_randint(0, -1), su_randint(0, -1));
    if (entry->qop) {
        text = su_sprintf(home, "%s:%s:%s:%s:auth:%s", entry->secret, plain, count, nonce, two);
        qop = su_sprintf(home, ", qop=auth, nc=%s, cnonce=\"%s\"", count, nonce);
    } else {
        text = su_sprintf(home, "%s:%s:%s", entry->secret, plain, two);
    }
    hash(response, text);
    sb_wipe_text(text);
    return su_sprintf(home, "Digest username=\"%s\", realm=%s, nonce=%s, uri=\"%s\", response=\"%s\","
                            " algorithm=SHA-256%s%s%s",
                      entry->user, entry->realm, entry->nonce, uri, response, qop != NULL ? qop : "",
                      entry->opaque != NULL ? ", opaque=" : "", entry->opaque != NULL ? entry->opaque : "");
}

int sof_authorize_sha256(struct sof_record *record, msg_t *msg, const char *method)
{
    su_home_t *home = msg_home(msg);
    sip_t *sip = sip_object(msg);
    struct sof_sha256 *entry;
    for (entry = record->sha256; entry != NULL; entry = entry->next) {
        msg_hclass_t *class = entry->proxy ? sip_proxy_authorization_class : sip_authorization_class;
        char *text = credentials(home, entry, method, url_as_string(home, sip->sip_request->rq_url));
        msg_header_t *header = text == NULL ? NULL : msg_header_make(home, class, text);
        if (header == NULL || msg_header_insert(msg, (msg_pub_t *)sip, header) != 0)
            return SB_ENOMEM;
    }
    return SB_OK;
}
