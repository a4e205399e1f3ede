/* caller.c - calls a SIP server at a cost that is small beside the server's own: one thread, one UDP socket.
 *
 *     caller PORT KIND COUNT PARALLEL RATE SECONDS [REQUESTS]
 *
 * KIND is "call" (INVITE, 200, ACK, then REQUESTS times INFO, then BYE) or "message" (one MESSAGE). COUNT of them are
 * made to 127.0.0.1, PARALLEL at a time, and at most RATE a second (0: any number). What has no answer is sent again
 * (RFC 3261, 17.1), for 32 s at most. After SECONDS in all it gives up; what is not finished then has failed. At PORT
 * there may be a proxy that stays on the route (12.1.2). It prints one line of JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "usage.h"

enum { MAX_PARALLEL = 2000, MAX_TEXT = 1500, FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 4000, GIVE_UP_MS = 32000 };
enum { LOOK_MS = 50 }; /* how often to look for what is to be sent again */
enum { ROOM = 4 * 1024 * 1024 }; /* octets for datagrams that wait to be read */

/* One call, or one MESSAGE. */
struct call {
    int number;        /* which of all; -1: none is under way here */
    int cseq;          /* of the request that waits for its response */
    int is_invite;
    char tag[128];     /* the other side's, with ";tag=" */
    char target[160];  /* its Contact; "" until it has answered */
    char routes[512];  /* the Route headers */
    char text[MAX_TEXT];
    int length;        /* of the request, which may have to be sent again */
    double sent, due;  /* seconds: when it was sent first, and is to be sent next */
    int wait_ms;
};

/* What a response says. */
struct response {
    int status, cseq, slot, number;
    char tag[128], target[160], routes[512];
};

static struct {
    int fd, port, own_port, with_calls, wanted, parallel, requests;
    int begun, done, failed, again;
    double rate, started;
    struct call calls[MAX_PARALLEL];
} bench;

static const char SDP[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                          "m=audio 6000 RTP/AVP 0\r\n";

static int write_request(const struct call *call, char *text, const char *method, int cseq, const char *type,
                         const char *body)
{
    int slot = (int)(call - bench.calls);
    char contact[80] = "", anybody[48];
    snprintf(anybody, sizeof anybody, "sip:bench@127.0.0.1:%d", bench.port);
    if (call->is_invite)
        snprintf(contact, sizeof contact, "Contact: <sip:caller@127.0.0.1:%d>\r\n", bench.own_port);
    return snprintf(text, MAX_TEXT,
                    "%s %s SIP/2.0\r\n"
                    "%sVia: SIP/2.0/UDP 127.0.0.1:%d;rport;branch=z9hG4bK-%d-%d-%d%s\r\n"
                    "From: <sip:caller@127.0.0.1:%d>;tag=c%d\r\n"
                    "To: <sip:bench@127.0.0.1:%d>%s\r\n"
                    "Call-ID: %d-%d-%d@127.0.0.1\r\n"
                    "CSeq: %d %s\r\n"
                    "%s"
                    "Max-Forwards: 70\r\n"
                    "%s%s%s"
                    "Content-Length: %d\r\n\r\n%s",
                    method, call->target[0] == '\0' ? anybody : call->target, call->routes, bench.own_port,
                    bench.own_port, call->number, cseq,
                    strcmp(method, "ACK") == 0 ? "-ack" : "", bench.own_port, call->number, bench.port, call->tag,
                    slot, call->number, bench.own_port, cseq, method, contact,
                    type == NULL ? "" : "Content-Type: ",
                    type == NULL ? "" : type, type == NULL ? "" : "\r\n", (int)strlen(body), body);
}

static void transmit(const char *text, int length)
{
    if (send(bench.fd, text, (size_t)length, 0) < 0 && errno != ECONNREFUSED && errno != ENOBUFS && errno != EAGAIN) {
        perror("caller: send");
        exit(1);
    }
}

static void ask(struct call *call, const char *method, const char *type, const char *body)
{
    call->is_invite = strcmp(method, "INVITE") == 0;
    call->cseq++;
    call->length = write_request(call, call->text, method, call->cseq, type, body);
    call->wait_ms = FIRST_WAIT_MS;
    call->sent = now();
    call->due = call->sent + call->wait_ms / 1e3;
    transmit(call->text, call->length);
}

static void begin(struct call *call)
{
    call->number = -1; /* run() looks for what has not begun */
    if (bench.begun == bench.wanted || (bench.rate > 0 && bench.begun > bench.rate * (now() - bench.started)))
        return;
    call->number = bench.begun++;
    call->cseq = 0;
    call->tag[0] = call->target[0] = call->routes[0] = '\0';
    if (bench.with_calls)
        ask(call, "INVITE", "application/sdp", SDP);
    else
        ask(call, "MESSAGE", "text/plain", "lunch at noon?");
}

static void acknowledge(const struct call *call)
{
    char text[MAX_TEXT];
    transmit(text, write_request(call, text, "ACK", 1, NULL, ""));
}

/* The next step of a call whose last request was answered with 200. */
static void go_on(struct call *call)
{
    if (!bench.with_calls || call->cseq == bench.requests + 2) {
        bench.done++;
        begin(call);
    } else if (call->cseq == bench.requests + 1) {
        ask(call, "BYE", NULL, "");
    } else {
        ask(call, "INFO", "application/dtmf-relay", "Signal=5");
    }
}

static void on_response(const struct response *response)
{
    struct call *call = &bench.calls[response->slot];
    if (call->number != response->number || response->status < 200)
        return;
    if (bench.with_calls && response->cseq == 1 && response->status < 300 && call->tag[0] == '\0') {
        strcpy(call->tag, response->tag);
        strcpy(call->target, response->target);
        strcpy(call->routes, response->routes);
    }
    if (bench.with_calls && response->cseq == 1)
        acknowledge(call); /* also when the 200 comes again */
    if (response->cseq != call->cseq)
        return;
    if (response->status < 300) {
        go_on(call);
    } else {
        bench.failed++;
        begin(call);
    }
}

/* The value of a header in this line, or NULL. */
static const char *value_of(const char *line, const char *name, const char *compact)
{
    size_t length = strlen(name);
    if (strncasecmp(line, name, length) != 0)
        length = strncasecmp(line, compact, strlen(compact)) == 0 ? strlen(compact) : 0;
    if (length == 0)
        return NULL;
    line += length + strspn(line + length, " \t");
    return *line == ':' ? line + 1 + strspn(line + 1, " \t") : NULL;
}

static void read_tag(const char *value, char *tag, size_t size)
{
    const char *end = strpbrk(value, "\r\n"), *found = strstr(value, ";tag=");
    size_t length;
    tag[0] = '\0';
    if (found == NULL || (end != NULL && found > end))
        return;
    length = 5 + strcspn(found + 5, "; \t\r\n");
    if (length < size) {
        memcpy(tag, found, length);
        tag[length] = '\0';
    }
}

/* The URI between angle brackets. */
static void read_target(const char *value, char *target, size_t size)
{
    size_t length = strcspn(value, "<\r\n");
    value += length;
    if (*value == '<' && (length = strcspn(++value, ">\r\n")) < size) {
        memcpy(target, value, length);
        target[length] = '\0';
    }
}

/* Put a Route header before those that are there: the last Record-Route is the first hop (12.1.2). */
static void add_route(const char *value, char *routes, size_t size)
{
    static const char NAME[] = "Route: ";
    size_t length = strcspn(value, "\r\n"), all = sizeof NAME - 1 + length + 2;
    if (strlen(routes) + all >= size)
        return;
    memmove(routes + all, routes, strlen(routes) + 1);
    memcpy(routes, NAME, sizeof NAME - 1);
    memcpy(routes + sizeof NAME - 1, value, length);
    memcpy(routes + sizeof NAME - 1 + length, "\r\n", 2);
}

/* Returns 0 for what is no response to one of ours. */
static int parse(const char *text, struct response *response)
{
    const char *line = text, *value;
    int port = 0;
    memset(response, 0, sizeof *response);
    response->slot = -1;
    if (sscanf(text, "SIP/2.0 %3d", &response->status) != 1)
        return 0;
    while ((line = strchr(line, '\n')) != NULL && *++line != '\r') {
        if ((value = value_of(line, "Call-ID", "i")) != NULL)
            sscanf(value, "%d-%d-%d", &response->slot, &response->number, &port);
        else if ((value = value_of(line, "CSeq", "cseq")) != NULL)
            response->cseq = atoi(value);
        else if ((value = value_of(line, "To", "t")) != NULL)
            read_tag(value, response->tag, sizeof response->tag);
        else if ((value = value_of(line, "Contact", "m")) != NULL)
            read_target(value, response->target, sizeof response->target);
        else if ((value = value_of(line, "Record-Route", "record-route")) != NULL)
            add_route(value, response->routes, sizeof response->routes);
    }
    return port == bench.own_port && response->slot >= 0 && response->slot < bench.parallel;
}

static void read_all(void)
{
    char text[65536];
    struct response response;
    ssize_t length;
    while ((length = recv(bench.fd, text, sizeof text - 1, MSG_DONTWAIT)) > 0) {
        text[length] = '\0';
        if (parse(text, &response))
            on_response(&response);
    }
}

/* Begin what was not to begin before, and send again. 17.1.1.2, 17.1.2.2: the wait grows, and that for the response to an INVITE without a limit. */
static void repeat(struct call *call, double time)
{
    if (call->number < 0)
        begin(call);
    if (call->number < 0 || time < call->due)
        return;
    if (time - call->sent > GIVE_UP_MS / 1e3) {
        bench.failed++;
        begin(call);
        return;
    }
    call->wait_ms *= 2;
    if (!call->is_invite && call->wait_ms > LONGEST_WAIT_MS)
        call->wait_ms = LONGEST_WAIT_MS;
    call->due = time + call->wait_ms / 1e3;
    bench.again++;
    transmit(call->text, call->length);
}

static void run(double limit)
{
    struct pollfd wanted = {bench.fd, POLLIN, 0};
    double end = bench.started + limit, looked = bench.started;
    int i;
    for (i = 0; i < bench.parallel; i++)
        begin(&bench.calls[i]);
    while (bench.done + bench.failed < bench.wanted && now() < end) {
        if (poll(&wanted, 1, LOOK_MS) > 0)
            read_all();
        if (now() - looked < LOOK_MS / 1e3)
            continue;
        looked = now();
        for (i = 0; i < bench.parallel; i++)
            repeat(&bench.calls[i], looked);
    }
}

/* Open the socket, bound to a port that the system chooses. */
static int open_socket(void)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int room = ROOM;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bench.fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (bench.fd < 0 || bind(bench.fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(bench.fd, (struct sockaddr *)&address, &size) != 0)
        return -1;
    bench.own_port = ntohs(address.sin_port);
    setsockopt(bench.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    address.sin_port = htons((unsigned short)bench.port);
    return connect(bench.fd, (struct sockaddr *)&address, sizeof address);
}

int main(int argc, char *argv[])
{
    if (argc < 7 || argc > 8) {
        fprintf(stderr, "usage: caller PORT call|message COUNT PARALLEL RATE SECONDS [REQUESTS]\n");
        return 2;
    }
    bench.port = atoi(argv[1]);
    bench.with_calls = strcmp(argv[2], "call") == 0;
    bench.wanted = atoi(argv[3]);
    bench.parallel = atoi(argv[4]);
    bench.rate = atof(argv[5]);
    bench.requests = argc == 8 ? atoi(argv[7]) : 0;
    if (bench.parallel < 1 || bench.parallel > MAX_PARALLEL || open_socket() != 0) {
        perror("caller");
        return 1;
    }
    bench.started = now();
    run(atof(argv[6]));
    printf("{\"succeeded\": %d, \"failed\": %d, \"seconds\": %.3f, \"retransmissions\": %d, \"cpu\": %.3f}\n", bench.done,
           bench.wanted - bench.done, now() - bench.started, bench.again, cpu_seconds());
    return 0;
}
