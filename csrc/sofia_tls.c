/* sofia_tls.c - certificates: where Sofia-SIP finds them, and what becomes of a request when one is not believed.
 *
 * It looks for them in one folder, under names of its own. The folder lives while the library reads it: it holds a copy
 * of the private key, for our eyes only.
 *
 * A connection whose certificate is not believed it closes, and tells the requests that wait for it nothing: they would
 * run into their timers. It does log why, and which connection; that is listened to here.
 */
#include "sofia_engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sofia-sip/hostdomain.h>
#include <sofia-sip/su_log.h>

static const char *const NAMES[] = {"agent.pem", "cafile.pem"};

/* Append a file to an open one, and a line end, which the last line may lack. */
static int append_file(int to, const char *path)
{
    char octets[4096];
    ssize_t got = 0;
    int from = open(path, O_RDONLY | O_CLOEXEC), code = SB_OK;
    if (from < 0)
        return SB_EINVAL;
    while (code == SB_OK && (got = read(from, octets, sizeof octets)) > 0)
        code = write(to, octets, (size_t)got) == got ? SB_OK : SB_ENOMEM;
    close(from);
    if (code == SB_OK && write(to, "\n", 1) != 1)
        code = SB_ENOMEM;
    return got < 0 ? SB_EINVAL : code;
}

/* Write what is in one file, or two, into a new one. */
static int write_pem(su_home_t *home, const char *folder, const char *name, const char *one, const char *other)
{
    char *path = su_sprintf(home, "%s/%s", folder, name);
    int code, fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return SB_ENOMEM;
    code = append_file(fd, one);
    if (code == SB_OK && other != NULL)
        code = append_file(fd, other);
    close(fd);
    return code;
}

int sof_tls_folder(struct sofia *state, char **folder)
{
    const sb_config *config = state->config;
    const char *temporary = getenv("TMPDIR");
    int code = SB_OK;
    *folder = su_sprintf(state->home, "%s/sipbridge-XXXXXX", temporary != NULL ? temporary : "/tmp");
    if (*folder == NULL || mkdtemp(*folder) == NULL) {
        *folder = NULL;
        return SB_ENOMEM;
    }
    if (config->tls_certificate != NULL)
        code = write_pem(state->home, *folder, NAMES[0], config->tls_certificate, config->tls_private_key);
    if (code == SB_OK && config->tls_ca != NULL)
        code = write_pem(state->home, *folder, NAMES[1], config->tls_ca, NULL);
    return code;
}

void sof_tls_folder_remove(struct sofia *state, char *folder)
{
    size_t i;
    if (folder == NULL)
        return;
    for (i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char *path = su_sprintf(state->home, "%s/%s", folder, NAMES[i]);
        if (path != NULL)
            unlink(path);
    }
    rmdir(folder);
}

unsigned sof_tls_policy(const sb_config *config)
{
    switch (config->tls_verify) {
    case SB_TLS_VERIFY_NONE: return TPTLS_VERIFY_NONE;
    case SB_TLS_VERIFY_BOTH: return TPTLS_VERIFY_OUT | TPTLS_VERIFY_SUBJECTS_OUT | TPTLS_VERIFY_IN;
    default: return TPTLS_VERIFY_OUT | TPTLS_VERIFY_SUBJECTS_OUT;
    }
}

/* ------------------------------------------------------------------------------------------------------
 * Connections that were given up
 */

/* The library's; no header declares it. */
extern su_log_t tport_log[];

enum { CLOSES = 5 /* the level at which the library logs that it closes a connection */ };

/* What the thread's engine has heard of the handshake under way. */
static __thread struct {
    struct sofia *state;
    char reason[160];
} handshake;

void sof_tls_watch(struct sofia *state)
{
    memset(&handshake, 0, sizeof handshake);
    handshake.state = state;
    su_log_set_level(tport_log, CLOSES);
}

struct refusal {
    char host[64];
    char port[8];
    int count;
    struct {
        sb_id id;
        int kind;
    } found[64];
};

/* Whether a request waits for a peer there, without a response so far. */
static int waits_for(const struct sof_request *request, const struct refusal *refusal)
{
    const url_t *url;
    if (request->orq == NULL || nta_outgoing_status(request->orq) >= 100)
        return 0;
    url = nta_outgoing_route_uri(request->orq);
    if (url == NULL)
        url = nta_outgoing_request_uri(request->orq);
    /* A name in the URI may stand for any address. */
    return url != NULL && strcmp(url->url_port != NULL ? url->url_port : "5061", refusal->port) == 0 &&
           (url->url_host == NULL || host_is_domain(url->url_host) || strcmp(url->url_host, refusal->host) == 0);
}

static const struct sof_request *request_of(const struct sb_object *object)
{
    switch (object->kind) {
    case SB_KIND_CALL: return &((struct sof_call *)object->lib)->invite;
    case SB_KIND_REGISTRATION:
    case SB_KIND_SUBSCRIPTION: return &((struct sof_lease *)object->lib)->request;
    default: return &((struct sof_transaction *)object->lib)->request;
    }
}

static void note(struct sb_object *object, void *data)
{
    struct refusal *refusal = data;
    if (object->lib == NULL || refusal->count == (int)(sizeof refusal->found / sizeof *refusal->found) ||
        (object->kind == SB_KIND_SUBSCRIPTION && !object->outgoing) || !waits_for(request_of(object), refusal))
        return;
    refusal->found[refusal->count].id = object->id;
    refusal->found[refusal->count++].kind = object->kind;
}

static void fail(struct sofia *state, struct sb_object *object, const char *reason)
{
    switch (object->kind) {
    case SB_KIND_CALL: sof_fail_call(state, object, reason); break;
    case SB_KIND_REGISTRATION:
    case SB_KIND_SUBSCRIPTION: sof_post_lease(object->lib, object, SB_STATE_FAILED, 503, reason, 0, NULL); break;
    default: sof_fail_transaction(object, reason); break;
    }
}

static void run_refused(struct sofia *state, struct sof_command *command)
{
    static const int KINDS[] = {SB_KIND_CALL, SB_KIND_REGISTRATION, SB_KIND_SUBSCRIPTION, SB_KIND_TRANSACTION};
    struct refusal refusal;
    int i;
    memset(&refusal, 0, sizeof refusal);
    if (command->reason == NULL || sscanf(command->reason, "%63[^|]|%7[^|]|", refusal.host, refusal.port) != 2)
        return;
    for (i = 0; i < (int)(sizeof KINDS / sizeof *KINDS); i++)
        sb_core_each(state->core, KINDS[i], note, &refusal);
    for (i = 0; i < refusal.count; i++) {
        struct sb_object *object = sb_core_find(state->core, refusal.found[i].kind, refusal.found[i].id);
        if (object != NULL)
            fail(state, object, strrchr(command->reason, '|') + 1);
    }
}

/* Not in this call: it comes in the middle of what the library does with the connection. */
static void refused(struct sofia *state, const char *peer)
{
    struct sof_command *command;
    char host[64], port[8];
    msg_t *msg;
    if (sscanf(peer, "%63[^:]:%7[0-9]", host, port) != 2)
        return;
    sof_enter(state);
    if (sof_draft(NULL, &msg) == SB_OK && (command = sof_post_command(state, run_refused, NULL, msg)) != NULL)
        command->reason = su_sprintf(msg_home(msg), "%s|%s|Certificate not believed: %s", host, port,
                                     handshake.reason);
    sof_leave(state);
    handshake.reason[0] = '\0';
}

void sof_tls_hear(const char *format, va_list arguments)
{
    char line[256], *found;
    if (handshake.state == NULL)
        return;
    if (strcmp(format, "  err %i:%s\n") != 0 && strstr(format, "Peer Subject Mismatch") == NULL &&
        strncmp(format, "%s(%p): %s/%s:%s", 16) != 0)
        return;
    if (vsnprintf(line, sizeof line, format, arguments) < 0)
        return;
    line[strcspn(line, "\n")] = '\0';
    if (strstr(line, "Peer Subject Mismatch") != NULL)
        snprintf(handshake.reason, sizeof handshake.reason, "it is not for %s",
                 (found = strrchr(line, '(')) != NULL ? found + 1 : "this host");
    else if (strncmp(line, "  err ", 6) == 0 && (found = strchr(line, ':')) != NULL)
        snprintf(handshake.reason, sizeof handshake.reason, "%.150s", found + 1);
    else if (strncmp(line, "tport_close(", 12) == 0 && handshake.reason[0] != '\0' &&
             (found = strstr(line, "tls/")) != NULL)
        refused(handshake.state, found + 4);
    handshake.reason[strcspn(handshake.reason, ")")] = '\0';
}
