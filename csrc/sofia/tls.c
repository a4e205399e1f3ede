/* tls.c - certificates: where Sofia-SIP finds them, and what happens to a request when one is not believed.
 *
 * Sofia-SIP looks for certificates in one folder, under fixed names. We make that folder, and remove it when the
 * library has read it. The names lead to files of this process that have no name of their own. So the copy of the
 * private key goes with the process, however the process ends.
 *
 * When a certificate is not believed, the library closes the connection, but does not tell the requests that wait for
 * it: they would run into their timers. It logs the reason and the connection, so we listen to its log.
 */
#include "tls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <sofia-sip/hostdomain.h>
#include <sofia-sip/su_log.h>

#include "call.h"
#include "call_events.h"
#include "core.h"
#include "leases.h"
#include "loop.h"
#include "message.h"
#include "request.h"
#include "state.h"
#include "wipe.h"

static const char *const NAMES[SOF_TLS_FILES] = {"agent.pem", "cafile.pem"};

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
    sb_wipe(octets, sizeof octets);
    if (code == SB_OK && write(to, "\n", 1) != 1)
        code = SB_ENOMEM;
    return got < 0 ? SB_EINVAL : code;
}

static int create(const char *path)
{
    return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

/* Create a file, and remove its name before anything is in it. A link to its descriptor stays behind, which works for
 * as long as this process has the descriptor open. On systems that have no such links the file keeps its name. Returns
 * the descriptor, or -1. */
static int create_nameless(const char *path)
{
    char descriptor[32];
    int fd = create(path);
    if (fd < 0 || unlink(path) != 0)
        return fd;
    snprintf(descriptor, sizeof descriptor, "/proc/self/fd/%d", fd);
    if (symlink(descriptor, path) == 0 && access(path, R_OK) == 0)
        return fd;
    unlink(path);
    close(fd);
    return create(path);
}

/* Write what is in one file, or two, into a new one. */
static int write_pem(su_home_t *home, struct sof_tls_folder *folder, int which, const char *one, const char *other)
{
    char *path = su_sprintf(home, "%s/%s", folder->path, NAMES[which]);
    int code;
    folder->fds[which] = path == NULL ? -1 : create_nameless(path);
    if (folder->fds[which] < 0)
        return SB_ENOMEM;
    code = append_file(folder->fds[which], one);
    if (code == SB_OK && other != NULL)
        code = append_file(folder->fds[which], other);
    return code;
}

int sof_tls_folder(struct sofia *state, struct sof_tls_folder *folder)
{
    const sb_config *config = state->config;
    const char *temporary = getenv("TMPDIR");
    char *path = su_sprintf(state->home, "%s/sipbridge-XXXXXX", temporary != NULL ? temporary : "/tmp");
    int code = SB_OK;
    if (path == NULL || mkdtemp(path) == NULL)
        return SB_ENOMEM;
    folder->path = path;
    if (config->tls_certificate != NULL)
        code = write_pem(state->home, folder, 0, config->tls_certificate, config->tls_private_key);
    if (code == SB_OK && config->tls_ca != NULL)
        code = write_pem(state->home, folder, 1, config->tls_ca, NULL);
    return code;
}

void sof_tls_folder_remove(struct sofia *state, struct sof_tls_folder *folder)
{
    int i;
    if (folder->path == NULL)
        return;
    for (i = 0; i < SOF_TLS_FILES; i++) {
        char *path = su_sprintf(state->home, "%s/%s", folder->path, NAMES[i]);
        if (path != NULL)
            unlink(path);
        if (folder->fds[i] >= 0)
            close(folder->fds[i]);
    }
    rmdir(folder->path);
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

/* What the log said of the TLS handshake under way, on this thread. */
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

/* A connection that was given up, and why. In the memory of the command about it. */
struct refusal {
    char host[64]; /* the peer's address */
    int port;
    char reason[200];
};

/* The requests that wait for the peer. All are noted before one fails, since that may remove others. */
struct waiting {
    const struct refusal *refusal;
    int count;
    struct {
        sb_id id;
        int kind;
    } found[64];
};

/* Whether two hosts are one address, with or without the brackets that an IPv6 address has in a URI. */
static int is_same_address(const char *a, const char *b)
{
    const char *texts[2] = {a, b};
    struct in6_addr addresses[2];
    int i, families[2];
    memset(addresses, 0, sizeof addresses);
    for (i = 0; i < 2; i++) {
        const char *text = texts[i] + (texts[i][0] == '[');
        char host[64];
        snprintf(host, sizeof host, "%.*s", (int)strcspn(text, "]"), text);
        families[i] = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
        if (inet_pton(families[i], host, &addresses[i]) != 1)
            return strcmp(a, b) == 0;
    }
    return families[0] == families[1] && memcmp(&addresses[0], &addresses[1], sizeof addresses[0]) == 0;
}

/* A name in the URI may stand for any address, and without a port for any port (RFC 3263, 4.2). */
static int may_lead_to(const url_t *url, const struct refusal *refusal)
{
    int is_name = url->url_host == NULL || host_is_domain(url->url_host);
    int port = url->url_port != NULL ? atoi(url->url_port) : SOF_TLS_PORT;
    if (port != refusal->port && !(is_name && url->url_port == NULL))
        return 0;
    return is_name || is_same_address(url->url_host, refusal->host);
}

/* Whether a request waits for a peer there, without a response so far. */
static int waits_for(const struct sof_request *request, const struct refusal *refusal)
{
    const url_t *url;
    if (request->orq == NULL || nta_outgoing_status(request->orq) >= 100)
        return 0;
    url = nta_outgoing_route_uri(request->orq);
    if (url == NULL)
        url = nta_outgoing_request_uri(request->orq);
    return url != NULL && may_lead_to(url, refusal);
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
    struct waiting *waiting = data;
    if (object->lib == NULL || waiting->count == (int)(sizeof waiting->found / sizeof *waiting->found) ||
        (object->kind == SB_KIND_SUBSCRIPTION && !object->outgoing) ||
        !waits_for(request_of(object), waiting->refusal))
        return;
    waiting->found[waiting->count].id = object->id;
    waiting->found[waiting->count++].kind = object->kind;
}

static void fail(struct sofia *state, struct sb_object *object, const char *reason)
{
    switch (object->kind) {
    case SB_KIND_CALL: sof_fail_call(state, object, reason); break;
    case SB_KIND_REGISTRATION:
    case SB_KIND_SUBSCRIPTION:
        sb_lease_post(&((struct sof_lease *)object->lib)->lease, state, object, SB_STATE_FAILED, 503, reason, 0, NULL);
        break;
    default: sof_fail_transaction(object, reason); break;
    }
}

static void run_refused(struct sofia *state, struct sof_command *command)
{
    static const int KINDS[] = {SB_KIND_CALL, SB_KIND_REGISTRATION, SB_KIND_SUBSCRIPTION, SB_KIND_TRANSACTION};
    struct waiting waiting;
    int i;
    memset(&waiting, 0, sizeof waiting);
    waiting.refusal = command->data;
    for (i = 0; i < (int)(sizeof KINDS / sizeof *KINDS); i++)
        sb_core_each(state->core, KINDS[i], note, &waiting);
    for (i = 0; i < waiting.count; i++) {
        struct sb_object *object = sb_core_find(state->core, waiting.found[i].kind, waiting.found[i].id);
        if (object != NULL)
            fail(state, object, waiting.refusal->reason);
    }
}

/* The requests fail later: the library calls this while it works on the connection. */
static void refused(struct sofia *state, const char *host, const char *port)
{
    struct sof_command *command;
    struct refusal *refusal;
    msg_t *msg;
    sof_enter(state);
    refusal = sof_draft(NULL, &msg) == SB_OK ? su_zalloc(msg_home(msg), sizeof *refusal) : NULL;
    if (refusal != NULL) {
        snprintf(refusal->host, sizeof refusal->host, "%s", host);
        refusal->port = atoi(port);
        snprintf(refusal->reason, sizeof refusal->reason, "Certificate not believed: %s", handshake.reason);
        command = sof_post_command(state, run_refused, NULL, msg);
        if (command != NULL)
            command->data = refusal;
    }
    sof_leave(state);
    handshake.reason[0] = '\0';
}

/* "%s(%p): %s/%s:%s", function, connection, protocol, host, port: a connection, if it is one of TLS that is closed
 * because of what was heard before. */
static void hear_connection(va_list arguments)
{
    const char *function = va_arg(arguments, const char *), *protocol, *host, *port;
    (void)va_arg(arguments, void *);
    protocol = va_arg(arguments, const char *);
    host = va_arg(arguments, const char *);
    port = va_arg(arguments, const char *);
    if (handshake.reason[0] != '\0' && strcmp(function, "tport_close") == 0 && protocol != NULL && host != NULL &&
        port != NULL && strcasecmp(protocol, "tls") == 0)
        refused(handshake.state, host, port);
}

void sof_tls_hear(const char *format, va_list arguments)
{
    static const char CONNECTION[] = "%s(%p): %s/%s:%s";
    if (handshake.state == NULL)
        return;
    if (strcmp(format, "  err %i:%s\n") == 0) {
        (void)va_arg(arguments, int);
        snprintf(handshake.reason, sizeof handshake.reason, "%.150s", va_arg(arguments, const char *));
    } else if (strstr(format, "Peer Subject Mismatch (%s)") != NULL) {
        (void)va_arg(arguments, const char *);
        (void)va_arg(arguments, void *);
        snprintf(handshake.reason, sizeof handshake.reason, "it is not for %.120s", va_arg(arguments, const char *));
    } else if (strstr(format, "Peer Subject Mismatch") != NULL) {
        snprintf(handshake.reason, sizeof handshake.reason, "it is not for this host");
    } else if (strncmp(format, CONNECTION, sizeof CONNECTION - 1) == 0) {
        hear_connection(arguments);
    }
}
