/* bare_exosip.c - the yardstick on libeXosip2 3.x: the least that a C program on it can do to answer calls.
 *
 *     bare_exosip PORT
 *
 * Answers each INVITE with 200 and an SDP, each MESSAGE and INFO with 200, lets the library answer BYE, prints
 * "ready", runs until SIGTERM.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <eXosip2/eXosip.h>

enum { OK = 200, WAIT_S = 1 };

static volatile sig_atomic_t stopped;

static const char SDP[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                          "m=audio 6000 RTP/AVP 0\r\n";

static void answer_call(const eXosip_event_t *event)
{
    osip_message_t *answer = NULL;
    if (eXosip_call_build_answer(event->tid, OK, &answer) != 0)
        return;
    osip_message_set_body(answer, SDP, sizeof SDP - 1);
    osip_message_set_content_type(answer, "application/sdp");
    eXosip_call_send_answer(event->tid, OK, answer);
}

static void answer_within(const eXosip_event_t *event)
{
    osip_message_t *answer = NULL;
    if (MSG_IS_INFO(event->request) && eXosip_call_build_answer(event->tid, OK, &answer) == 0)
        eXosip_call_send_answer(event->tid, OK, answer);
}

static void answer_outside(const eXosip_event_t *event)
{
    osip_message_t *answer = NULL;
    if (eXosip_message_build_answer(event->tid, OK, &answer) == 0)
        eXosip_message_send_answer(event->tid, OK, answer);
}

static void on_event(const eXosip_event_t *event)
{
    eXosip_lock();
    if (event->type == EXOSIP_CALL_INVITE)
        answer_call(event);
    else if (event->type == EXOSIP_CALL_MESSAGE_NEW)
        answer_within(event);
    else if (event->type == EXOSIP_MESSAGE_NEW)
        answer_outside(event);
    eXosip_unlock();
}

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

int main(int argc, char *argv[])
{
    int on = 1;
    if (argc != 2) {
        fprintf(stderr, "usage: bare_exosip PORT\n");
        return 2;
    }
    signal(SIGTERM, stop);
    if (eXosip_init() != 0 || eXosip_listen_addr(IPPROTO_UDP, "127.0.0.1", atoi(argv[1]), AF_INET, 0) != 0) {
        fprintf(stderr, "bare_exosip: cannot listen on 127.0.0.1:%s\n", argv[1]);
        return 1;
    }
    eXosip_set_option(EXOSIP_OPT_DONT_SEND_101, &on);
    eXosip_masquerade_contact("127.0.0.1", atoi(argv[1])); /* it would name the address of another interface */
    puts("ready");
    fflush(stdout);
    while (!stopped) {
        eXosip_event_t *event = eXosip_event_wait(WAIT_S, 0);
        if (event == NULL)
            continue;
        on_event(event);
        eXosip_event_free(event);
    }
    eXosip_quit();
    return 0;
}
