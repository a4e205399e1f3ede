/* before.c - a service on libeXosip2 3.x: takes calls, collects the keys that come by INFO, hangs up after "#", and
 * prints what each caller keyed in. after.py does the same on sipbridge; docs/migration.md compares them.
 *
 *     cc -DOSIP_MT before.c -o before -leXosip2 -losip2 -losipparser2
 *     ./before 5060
 *
 * (Without OSIP_MT the headers make eXosip_lock() do nothing, while the library has threads.)
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <eXosip2/eXosip.h>

enum { RINGING = 180, OK = 200, BUSY = 486, MOST_CALLS = 100, MOST_KEYS = 32 };

/* What the program knows of a call. The library tells of each by numbers: cid is the call, did its dialog. */
struct call {
    int cid, did;
    char caller[256];
    char keys[MOST_KEYS + 1];
};

static struct call calls[MOST_CALLS];
static volatile sig_atomic_t stopped;

static const char SDP[] = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                          "m=audio 9 RTP/AVP 0\r\na=inactive\r\n";

/* The call with a cid; 0 finds a free place. */
static struct call *find(int cid)
{
    int i;
    for (i = 0; i < MOST_CALLS; i++)
        if (calls[i].cid == cid)
            return &calls[i];
    return NULL;
}

static void name_caller(struct call *call, const osip_message_t *invite)
{
    char *uri = NULL;
    if (osip_uri_to_str(invite->from->url, &uri) == 0) {
        snprintf(call->caller, sizeof call->caller, "%s", uri);
        osip_free(uri);
    }
}

static void take_call(const eXosip_event_t *event)
{
    osip_message_t *answer = NULL;
    struct call *call = find(0);
    if (call == NULL) {
        eXosip_call_send_answer(event->tid, BUSY, NULL);
        return;
    }
    memset(call, 0, sizeof *call);
    call->cid = event->cid;
    call->did = event->did;
    name_caller(call, event->request);
    eXosip_call_send_answer(event->tid, RINGING, NULL);
    if (eXosip_call_build_answer(event->tid, OK, &answer) != 0)
        return;
    osip_message_set_body(answer, SDP, sizeof SDP - 1);
    osip_message_set_content_type(answer, "application/sdp");
    eXosip_call_send_answer(event->tid, OK, answer);
}

/* The key in "Signal=5", or 0. */
static char key_in(osip_message_t *info)
{
    osip_body_t *body = NULL;
    const char *signal_line;
    if (osip_message_get_body(info, 0, &body) < 0 || body == NULL || body->body == NULL)
        return 0;
    signal_line = strstr(body->body, "Signal=");
    return signal_line == NULL ? 0 : signal_line[strlen("Signal=")];
}

static void take_key(const eXosip_event_t *event)
{
    osip_message_t *answer = NULL;
    struct call *call = find(event->cid);
    char key;
    if (!MSG_IS_INFO(event->request) || eXosip_call_build_answer(event->tid, OK, &answer) != 0)
        return; /* BYE comes here, too: the library has answered it */
    eXosip_call_send_answer(event->tid, OK, answer);
    key = key_in(event->request);
    if (call == NULL || key == 0)
        return;
    if (key == '#')
        eXosip_call_terminate(call->cid, call->did);
    else if (strlen(call->keys) < MOST_KEYS)
        call->keys[strlen(call->keys)] = key;
}

/* A call ends with one of several events, or with more than one: the first counts. */
static void end_call(int cid)
{
    struct call *call = cid > 0 ? find(cid) : NULL;
    if (call == NULL)
        return;
    printf("%s keyed in %s\n", call->caller, call->keys[0] ? call->keys : "nothing");
    fflush(stdout);
    memset(call, 0, sizeof *call);
}

static void on_event(const eXosip_event_t *event)
{
    switch (event->type) {
    case EXOSIP_CALL_INVITE:
        take_call(event);
        break;
    case EXOSIP_CALL_MESSAGE_NEW:
        take_key(event);
        break;
    case EXOSIP_CALL_MESSAGE_ANSWERED: /* our BYE; its did is -1 */
    case EXOSIP_CALL_CLOSED:
    case EXOSIP_CALL_CANCELLED:
    case EXOSIP_CALL_RELEASED:
        end_call(event->cid);
        break;
    default:
        break;
    }
}

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

int main(int argc, char *argv[])
{
    int on = 1;
    if (argc != 2 || eXosip_init() != 0 ||
        eXosip_listen_addr(IPPROTO_UDP, "127.0.0.1", atoi(argv[1]), AF_INET, 0) != 0) {
        fprintf(stderr, "usage: before PORT, a free one\n");
        return 2;
    }
    eXosip_set_option(EXOSIP_OPT_DONT_SEND_101, &on);
    eXosip_set_option(EXOSIP_OPT_SET_IPV4_FOR_GATEWAY, "127.0.0.1"); /* or Contact has the default route's address */
    signal(SIGTERM, stop);
    while (!stopped) {
        eXosip_event_t *event = eXosip_event_wait(1, 0);
        if (event == NULL)
            continue;
        eXosip_lock();
        on_event(event);
        eXosip_unlock();
        eXosip_event_free(event);
    }
    eXosip_quit();
    return 0;
}
