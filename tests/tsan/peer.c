#include "peer.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 8192, CALL_MS = 15 };

static struct {
    int fd, port, engine;
    pthread_t thread;
    pthread_mutex_t mutex;
    int stopping, resting;
    long taken;
    unsigned calls, answers;
} peer = {.fd = -1, .mutex = PTHREAD_MUTEX_INITIALIZER};

/* A message in parts, of those that are needed. */
struct message {
    char line[256], via[512], from[256], to[256], call_id[256], contact[256], event[64];
    char method[32];
    int cseq, status; /* 0: a request */
};

/* ------------------------------------------------------------------------------------------------------
 * Messages
 */

/* Copy the value of a field, up to the line's end; "" where it is not there. Only the first of several. */
static void field(const char *octets, const char *name, char *value, size_t size)
{
    size_t length = strlen(name);
    const char *line;
    *value = '\0';
    for (line = strchr(octets, '\n'); line != NULL; line = strchr(line, '\n')) {
        line++;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            line += length + 1 + strspn(line + length + 1, " ");
            snprintf(value, size, "%.*s", (int)strcspn(line, "\r\n"), line);
            return;
        }
    }
}

static void parse(const char *octets, struct message *message)
{
    char cseq[64];
    memset(message, 0, sizeof *message);
    snprintf(message->line, sizeof message->line, "%.*s", (int)strcspn(octets, "\r\n"), octets);
    field(octets, "Via", message->via, sizeof message->via);
    field(octets, "From", message->from, sizeof message->from);
    field(octets, "To", message->to, sizeof message->to);
    field(octets, "Call-ID", message->call_id, sizeof message->call_id);
    field(octets, "Contact", message->contact, sizeof message->contact);
    field(octets, "Event", message->event, sizeof message->event);
    field(octets, "CSeq", cseq, sizeof cseq);
    sscanf(cseq, "%d %31s", &message->cseq, message->method);
    if (strncmp(message->line, "SIP/2.0 ", 8) == 0)
        message->status = atoi(message->line + 8);
}

static void send_text(const char *text)
{
    struct sockaddr_in to;
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_port = htons((unsigned short)peer.engine);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (sendto(peer.fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to) < 0)
        perror("peer: sendto");
}

static void reply(const struct message *request, int status, const char *more)
{
    char text[SIZE];
    int tagged = strstr(request->to, "tag=") != NULL || status == 100;
    snprintf(text, sizeof text,
             "SIP/2.0 %d Because\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n"
             "Contact: <sip:peer@127.0.0.1:%d>\r\n%sContent-Length: 0\r\n\r\n",
             status, request->via, request->from, request->to, tagged ? "" : ";tag=peer", request->call_id,
             request->cseq, request->method, peer.port, more);
    send_text(text);
}

/* A request with a branch of its own, but for what goes in another's transaction. */
static void request(const char *method, const char *branch, const char *from, const char *to, const char *call_id, int cseq,
                    const char *more)
{
    char text[SIZE];
    snprintf(text, sizeof text,
             "%s sip:engine@127.0.0.1:%d SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%s\r\nFrom: %s\r\nTo: %s\r\n"
             "Call-ID: %s\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\nContact: <sip:peer@127.0.0.1:%d>\r\n%s"
             "Content-Length: 0\r\n\r\n",
             method, peer.engine, peer.port, branch, from, to, call_id, cseq, method, peer.port, more);
    send_text(text);
}

/* ------------------------------------------------------------------------------------------------------
 * Answering
 */

/* The state of a subscription of the engine's, in the dialog that its SUBSCRIBE began. */
static void notify(const struct message *subscribe)
{
    char from[300], branch[64], more[160];
    const char *tag = strstr(subscribe->to, "tag=") != NULL ? "" : ";tag=peer";
    snprintf(from, sizeof from, "%s%s", subscribe->to, tag);
    snprintf(branch, sizeof branch, "notify%u", ++peer.answers);
    snprintf(more, sizeof more, "Event: %s\r\nSubscription-State: active;expires=60\r\n", subscribe->event);
    request("NOTIFY", branch, from, subscribe->from, subscribe->call_id, (int)peer.answers, more);
}

static void answer_invite(const struct message *invite)
{
    static const char CHALLENGE[] = "WWW-Authenticate: Digest realm=\"tsan\", nonce=\"one\", qop=\"auth\"\r\n";
    unsigned turn = peer.answers++;
    reply(invite, 100, "");
    if (strstr(invite->to, "tag=") == NULL && invite->cseq % 20 <= 1 && turn % 3 == 0) {
        reply(invite, 401, CHALLENGE);
        return;
    }
    if (turn % 2 == 0)
        reply(invite, 180, "");
    if (turn % 7 == 3)
        reply(invite, 486, "");
    else if (turn % 7 != 5) /* which rings, and is cancelled */
        reply(invite, 200, "");
}

static void answer(const struct message *message)
{
    struct message invite;
    if (strcmp(message->method, "ACK") == 0)
        return;
    if (strcmp(message->method, "INVITE") == 0) {
        answer_invite(message);
        return;
    }
    if (strcmp(message->method, "REGISTER") == 0 && message->cseq % 2 == 1) {
        reply(message, 401, "WWW-Authenticate: Digest realm=\"tsan\", nonce=\"two\", qop=\"auth\"\r\n");
        return;
    }
    reply(message, 200, strcmp(message->method, "SUBSCRIBE") == 0 ? "Expires: 60\r\n" : "");
    if (strcmp(message->method, "SUBSCRIBE") == 0)
        notify(message);
    if (strcmp(message->method, "CANCEL") == 0) {
        invite = *message;
        strcpy(invite.method, "INVITE");
        reply(&invite, 487, "");
    }
}

/* ------------------------------------------------------------------------------------------------------
 * Calling: INVITE, a re-INVITE that is cancelled while it is answered, INFO, BYE
 */
static const char *own_from(unsigned call)
{
    static char from[128];
    snprintf(from, sizeof from, "<sip:peer@127.0.0.1:%d>;tag=call%u", peer.port, call);
    return from;
}

static void place_call(void)
{
    char call_id[64], branch[64];
    unsigned call = ++peer.calls;
    snprintf(call_id, sizeof call_id, "peer-%d-%u", peer.port, call);
    snprintf(branch, sizeof branch, "%u-1", call);
    request("INVITE", branch, own_from(call), "<sip:engine@127.0.0.1>", call_id, 1, "");
    if (call % 5 == 0) { /* it is cancelled while it is answered */
        usleep(call % 3000);
        request("CANCEL", branch, own_from(call), "<sip:engine@127.0.0.1>", call_id, 1, "");
    }
    if (call % 4 == 0) {
        snprintf(branch, sizeof branch, "%u-message", call);
        request("MESSAGE", branch, own_from(call), "<sip:engine@127.0.0.1>", branch, 1, "");
        snprintf(branch, sizeof branch, "%u-subscribe", call);
        request("SUBSCRIBE", branch, own_from(call), "<sip:engine@127.0.0.1>", branch, 1,
                "Event: presence\r\nExpires: 60\r\n");
    }
}

/* What follows a final response to a request of ours. */
static void go_on(const struct message *message)
{
    char branch[64];
    unsigned call = 0;
    const char *from;
    if (sscanf(message->call_id, "peer-%*d-%u", &call) != 1)
        return;
    from = own_from(call);
    if (strcmp(message->method, "INVITE") == 0) {
        snprintf(branch, sizeof branch, message->status < 300 ? "%u-%d-ack" : "%u-%d", call, message->cseq);
        request("ACK", branch, from, message->to, message->call_id, message->cseq, "");
        if (message->status >= 300 && message->cseq == 1)
            return;
    }
    if (message->cseq == 1 && message->status >= 200) {
        snprintf(branch, sizeof branch, "%u-2", call);
        request("INVITE", branch, from, message->to, message->call_id, 2, "");
        usleep(call * 37 % 2000);
        request("CANCEL", branch, from, message->to, message->call_id, 2, "");
    } else if (message->cseq == 2 && strcmp(message->method, "INVITE") == 0) {
        snprintf(branch, sizeof branch, "%u-3", call);
        request("INFO", branch, from, message->to, message->call_id, 3, "");
    } else if (message->cseq == 3 && call % 2 == 0) {
        snprintf(branch, sizeof branch, "%u-4", call);
        request("BYE", branch, from, message->to, message->call_id, 4, "");
    }
}

/* ------------------------------------------------------------------------------------------------------
 * The thread
 */
static int state_of(int *resting)
{
    int stopping;
    pthread_mutex_lock(&peer.mutex);
    stopping = peer.stopping;
    *resting = peer.resting;
    pthread_mutex_unlock(&peer.mutex);
    return stopping;
}

static void take(const char *octets)
{
    struct message message;
    parse(octets, &message);
    if (message.status == 0)
        answer(&message);
    else if (message.status >= 200)
        go_on(&message);
    pthread_mutex_lock(&peer.mutex);
    peer.taken++;
    pthread_mutex_unlock(&peer.mutex);
}

static void *run(void *unused)
{
    struct pollfd wait = {.fd = peer.fd, .events = POLLIN};
    char octets[SIZE];
    int resting = 0, quiet = 0;
    ssize_t length;
    (void)unused;
    while (!state_of(&resting)) {
        if (poll(&wait, 1, CALL_MS) > 0 && quiet++ < 20) {
            length = recv(peer.fd, octets, sizeof octets - 1, 0);
            octets[length < 0 ? 0 : length] = '\0';
            take(octets);
            continue;
        }
        quiet = 0;
        if (!resting)
            place_call();
    }
    return NULL;
}

int peer_start(int port)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer.fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (peer.fd < 0 || bind(peer.fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(peer.fd, (struct sockaddr *)&address, &size) != 0) {
        perror("peer: socket");
        exit(2);
    }
    peer.port = ntohs(address.sin_port);
    peer.engine = port;
    peer.stopping = peer.resting = 0;
    if (pthread_create(&peer.thread, NULL, run, NULL) != 0)
        exit(2);
    return peer.port;
}

void peer_rest(void)
{
    pthread_mutex_lock(&peer.mutex);
    peer.resting = 1;
    pthread_mutex_unlock(&peer.mutex);
}

void peer_stop(void)
{
    pthread_mutex_lock(&peer.mutex);
    peer.stopping = 1;
    pthread_mutex_unlock(&peer.mutex);
    pthread_join(peer.thread, NULL);
    close(peer.fd);
}

long peer_taken(void)
{
    long taken;
    pthread_mutex_lock(&peer.mutex);
    taken = peer.taken;
    pthread_mutex_unlock(&peer.mutex);
    return taken;
}
