/* probe.c - no part of an engine: setup.py compiles and runs it to see that c-ares is here with all that the
 * engine on libeXosip2 calls. 1.7.5 has it, of 2011. */
#include "search.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

static void on_host(void *data, int status, int timeouts, struct hostent *found)
{
    (void)timeouts;
    *(int *)data = status == ARES_SUCCESS && found != NULL;
}

static void on_answer(void *data, int status, int timeouts, unsigned char *octets, int length)
{
    (void)timeouts;
    (void)octets;
    (void)length;
    *(int *)data = status == ARES_EDESTRUCTION;
}

static int on_socket(ares_socket_t fd, int type, void *data)
{
    (void)fd;
    (void)type;
    (void)data;
    return -1;
}

int main(void)
{
    struct timeval most = {1, 0}, wait;
    struct ares_options options;
    ares_socket_t sockets[1];
    ares_channel channel;
    int version = 0, found = 0, ended = 0;
    memset(&options, 0, sizeof options);
    options.timeout = 1000;
    options.tries = 1;
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
        ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) != ARES_SUCCESS) {
        printf("c-ares %s does not start\n", ares_version(&version));
        return 1;
    }
    ares_set_socket_callback(channel, on_socket, NULL); /* so that no datagram leaves this machine */
    ares_gethostbyname(channel, "192.0.2.1", AF_INET, on_host, &found);
    ares_query(channel, "probe.invalid", 1, 33, on_answer, &ended);
    if (ares_getsock(channel, sockets, 1) != 0)
        ares_process_fd(channel, sockets[0], ARES_SOCKET_BAD);
    ares_timeout(channel, &most, &wait);
    ares_destroy(channel);
    if (!found)
        printf("c-ares %s does not do what it should\n", ares_version(&version));
    return !found;
}
