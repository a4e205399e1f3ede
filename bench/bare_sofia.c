/* bare_sofia.c - the yardstick: the least that a C program on Sofia-SIP can do to answer calls.
 *
 *     bare_sofia PORT
 *
 * Answers each INVITE with 200 and an SDP, lets Sofia-SIP answer BYE, MESSAGE and INFO, prints "ready", runs until
 * SIGTERM.
 */
#define NUA_MAGIC_T struct agent
#define NUA_HMAGIC_T void
#define SU_ROOT_MAGIC_T struct agent

struct agent;

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_log.h>

struct agent {
    su_root_t *root;
    nua_t *nua;
};

static volatile sig_atomic_t stopped;

static const char SDP[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                          "m=audio 6000 RTP/AVP 0\r\n";

static void on_event(nua_event_t event, int status, char const *phrase, nua_t *nua, struct agent *agent,
                     nua_handle_t *nh, void *magic, sip_t const *sip, tagi_t tags[])
{
    (void)status, (void)phrase, (void)nua, (void)agent, (void)magic, (void)sip, (void)tags;
    if (event == nua_i_invite)
        nua_respond(nh, SIP_200_OK, SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(SDP),
                    TAG_END());
    else if (event == nua_i_terminated)
        nua_handle_destroy(nh);
}

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static void quiet(void *stream, char const *format, va_list ap)
{
    (void)stream, (void)format, (void)ap;
}

int main(int argc, char *argv[])
{
    struct agent agent;
    char url[64];
    if (argc != 2) {
        fprintf(stderr, "usage: bare_sofia PORT\n");
        return 2;
    }
    snprintf(url, sizeof url, "sip:127.0.0.1:%s;transport=udp", argv[1]);
    signal(SIGTERM, stop);
    su_init();
    su_log_redirect(NULL, quiet, NULL);
    agent.root = su_root_create(&agent);
    su_root_threading(agent.root, 0);
    agent.nua = nua_create(agent.root, on_event, &agent, NUTAG_URL(url), NUTAG_MEDIA_ENABLE(0),
                           NUTAG_AUTOALERT(0), NUTAG_SESSION_TIMER(0), NUTAG_ALLOW("INFO"), TAG_END());
    if (agent.nua == NULL) {
        fprintf(stderr, "bare_sofia: cannot listen on %s\n", url);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    while (!stopped)
        su_root_step(agent.root, 1000);
    return 0;
}
