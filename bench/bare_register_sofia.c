/* bare_register_sofia.c - the yardstick for registrations: the least that a C program on Sofia-SIP can do.
 *
 *     bare_register_sofia REGISTRAR COUNT SECONDS
 *
 * Makes the registrations, refreshes each, leaves them to Sofia-SIP for a while; prints what facade_register.py does.
 */
struct work;

#define NUA_MAGIC_T struct work
#define NUA_HMAGIC_T void

#include <stdio.h>
#include <stdlib.h>

#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_log.h>

#include "steps.h"

enum { STEP_MS = 20 };

struct work {
    su_root_t *root;
    nua_handle_t **handles;
    struct steps steps;
};

static void on_event(nua_event_t event, int status, char const *phrase, nua_t *nua, struct work *work,
                     nua_handle_t *nh, void *magic, sip_t const *sip, tagi_t tags[])
{
    (void)phrase, (void)nua, (void)nh, (void)magic, (void)sip, (void)tags;
    if (event != nua_r_register || status < 200)
        return;
    if (status < 300)
        work->steps.done++;
    else
        work->steps.failed++;
}

/* One REGISTER for each, PARALLEL of them under way at once. */
static void register_all(struct work *work, int count, const char *what)
{
    begin_step(&work->steps);
    while (work->steps.done + work->steps.failed < count) {
        while (work->steps.sent < count && work->steps.sent - work->steps.done - work->steps.failed < PARALLEL)
            nua_register(work->handles[work->steps.sent++], TAG_END());
        su_root_step(work->root, STEP_MS);
    }
    tell_step(&work->steps, what);
}

static void keep(struct work *work, int seconds)
{
    char what[32];
    snprintf(what, sizeof what, "kept for %d s", seconds);
    begin_step(&work->steps);
    while (now() - work->steps.began < seconds)
        su_root_step(work->root, STEP_MS);
    tell_step(&work->steps, what);
}

static void make_handles(struct work *work, nua_t *nua, const char *registrar, int count)
{
    char aor[64];
    int i;
    for (i = 0; i < count; i++) {
        snprintf(aor, sizeof aor, "sip:user%d@127.0.0.1", i);
        work->handles[i] = nua_handle(nua, NULL, SIPTAG_TO_STR(aor), SIPTAG_FROM_STR(aor), NUTAG_REGISTRAR(registrar),
                                      SIPTAG_EXPIRES_STR("120"), NUTAG_OUTBOUND("no-options-keepalive no-validate"),
                                      TAG_END());
    }
}

static void quiet(void *stream, char const *format, va_list ap)
{
    (void)stream, (void)format, (void)ap;
}

int main(int argc, char *argv[])
{
    static struct work work;
    nua_t *nua;
    int count = argc == 4 ? atoi(argv[2]) : 0;
    if (count <= 0) {
        fprintf(stderr, "usage: bare_register_sofia REGISTRAR COUNT SECONDS\n");
        return 2;
    }
    su_init();
    su_log_redirect(NULL, quiet, NULL);
    work.root = su_root_create(NULL);
    su_root_threading(work.root, 0);
    nua = nua_create(work.root, on_event, &work, NUTAG_URL("sip:127.0.0.1:*;transport=udp"), TAG_END());
    work.handles = calloc((size_t)count, sizeof *work.handles);
    if (nua == NULL || work.handles == NULL) {
        fprintf(stderr, "bare_register_sofia: cannot begin\n");
        return 1;
    }
    puts("ready");
    begin_step(&work.steps);
    tell_step(&work.steps, "nothing");
    make_handles(&work, nua, argv[1], count);
    register_all(&work, count, "register");
    register_all(&work, count, "refresh");
    keep(&work, atoi(argv[3]));
    return 0;
}
