/* bare_register_exosip.c - the yardstick for registrations on libeXosip2 3.x: the least that a C program can do.
 *
 *     bare_register_exosip REGISTRAR COUNT SECONDS
 *
 * Makes the registrations, refreshes each, and then once more, evenly over a while: the library would, but with a look
 * at each of them every time. Prints what facade_register.py does.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <eXosip2/eXosip.h>

#include "steps.h"

enum { EXPIRES_S = 120, WAIT_MS = 20 };

static struct steps steps;

static void take_events(void)
{
    eXosip_event_t *event = eXosip_event_wait(0, WAIT_MS);
    for (; event != NULL; event = eXosip_event_wait(0, 0)) {
        steps.done += event->type == EXOSIP_REGISTRATION_SUCCESS;
        steps.failed += event->type == EXOSIP_REGISTRATION_FAILURE;
        eXosip_event_free(event);
    }
}

/* Returns the library's id of the registration, or an error below 0. */
static int make_one(const char *registrar, int number)
{
    char aor[64];
    osip_message_t *request = NULL;
    int id;
    snprintf(aor, sizeof aor, "sip:user%d@127.0.0.1", number);
    id = eXosip_register_build_initial_register(aor, registrar, NULL, EXPIRES_S, &request);
    return id > 0 && eXosip_register_send_register(id, request) == 0 ? id : -1;
}

static int refresh_one(int id)
{
    osip_message_t *request = NULL;
    if (eXosip_register_build_register(id, EXPIRES_S, &request) != 0)
        return -1;
    return eXosip_register_send_register(id, request) == 0 ? id : -1;
}

/* One REGISTER for each, PARALLEL of them under way at once. Without a registrar they are refreshed. */
static void register_all(int *ids, int count, const char *registrar, const char *what)
{
    begin_step(&steps);
    while (steps.done + steps.failed < count) {
        eXosip_lock();
        for (; steps.sent < count && steps.sent - steps.done - steps.failed < PARALLEL; steps.sent++) {
            int *id = &ids[steps.sent];
            *id = registrar != NULL ? make_one(registrar, steps.sent) : refresh_one(*id);
            steps.failed += *id < 0;
        }
        eXosip_unlock();
        take_events();
    }
    tell_step(&steps, what);
}

static void keep(const int *ids, int count, int seconds)
{
    char what[32];
    snprintf(what, sizeof what, "kept for %d s", seconds);
    begin_step(&steps);
    while (now() - steps.began < seconds) {
        int due = (int)((now() - steps.began) / seconds * count);
        eXosip_lock();
        for (; steps.sent < due; steps.sent++)
            steps.failed += refresh_one(ids[steps.sent]) < 0;
        eXosip_unlock();
        take_events();
    }
    tell_step(&steps, what);
}

int main(int argc, char *argv[])
{
    int count = argc == 4 ? atoi(argv[2]) : 0;
    int *ids = calloc(count > 0 ? (size_t)count : 1, sizeof *ids);
    if (count <= 0 || ids == NULL) {
        fprintf(stderr, "usage: bare_register_exosip REGISTRAR COUNT SECONDS\n");
        return 2;
    }
    if (eXosip_init() != 0 || eXosip_listen_addr(IPPROTO_UDP, "127.0.0.1", 0, AF_INET, 0) != 0) {
        fprintf(stderr, "bare_register_exosip: cannot begin\n");
        return 1;
    }
    puts("ready");
    begin_step(&steps);
    tell_step(&steps, "nothing");
    register_all(ids, count, argv[1], "register");
    register_all(ids, count, NULL, "refresh");
    keep(ids, count, atoi(argv[3]));
    free(ids);
    return 0;
}
