/* setup.c - init, quit, the socket, the address that is written into messages. */
#include "double.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct d_state D;

/* Survives quit and init, as in the library: an address of NULL binds the one of the time before. */
static char last_bound[sizeof D.bound] = "0.0.0.0";

static int last_id;

void exosip_double_next_id(int id)
{
    last_id = id - 1;
}

int d_next_id(void)
{
    last_id = last_id >= 32766 ? 1 : last_id + 1; /* never asks who still has it */
    return last_id;
}

/* libosip2 5 prints errors to standard output until it is told where to. Its texts are const from 5.3 on only,
 * hence the cast where this is handed over. */
static void say_nothing(const char *file, int line, osip_trace_level_t level, const char *format, va_list arguments)
{
    (void)file;
    (void)line;
    (void)level;
    (void)format;
    (void)arguments;
}

int d_init(void)
{
    int crash = D.crash;
    osip_trace_initialize_func(TRACE_LEVEL0, (osip_trace_func_t *)say_nothing);
    memset(&D, 0, sizeof D);
    D.crash = crash;
    D.socket = -1;
    strcpy(D.gateway, "192.0.2.1"); /* as good as any address far away */
    D.user_agent = osip_strdup("eXosip/3.6.0 (double)");
    if (osip_init(&D.osip) != 0 || pipe(D.wake) != 0)
        return OSIP_UNDEFINED_ERROR;
    d_set_callbacks(D.osip);
    D.running = 1;
    return OSIP_SUCCESS;
}

void d_wake(void)
{
    if (write(D.wake[1], "", 1) < 0)
        abort();
}

void d_quit(void)
{
    D.stopping = 1;
    d_wake();
    if (D.thread_runs)
        pthread_join(D.thread, NULL);
    d_calls_clear();
    d_regs_clear();
    d_subs_clear();
    d_txns_sweep(1);
    d_events_clear();
    d_auth_clear();
    d_nonces_clear();
    osip_release(D.osip);
    osip_free(D.user_agent);
    close(D.wake[0]);
    close(D.wake[1]);
    if (D.socket >= 0)
        close(D.socket);
    D.running = 0;
}

static int bind_to(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    D.socket = socket(AF_INET, SOCK_DGRAM, 0);
    if (D.socket >= 0 && bind(D.socket, (struct sockaddr *)address, sizeof *address) == 0 &&
        getsockname(D.socket, (struct sockaddr *)address, &size) == 0)
        return 0;
    if (D.socket >= 0)
        close(D.socket);
    D.socket = -1;
    return -1;
}

int d_listen(const char *host, int port)
{
    struct sockaddr_in address;
    if (D.thread_runs)
        return OSIP_WRONG_STATE;
    if (host != NULL)
        strncpy(last_bound, host, sizeof last_bound - 1);
    strcpy(D.bound, last_bound);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    if (inet_pton(AF_INET, D.bound, &address.sin_addr) != 1 || bind_to(&address) != 0)
        return -1;
    D.port = ntohs(address.sin_port);
    if (D.masquerade_port == 0)
        D.masquerade_port = D.port;
    if (pthread_create(&D.thread, NULL, d_worker, NULL) != 0)
        return OSIP_UNDEFINED_ERROR;
    D.thread_runs = 1;
    return OSIP_SUCCESS;
}

/* The address that packets to the "gateway" would leave from. */
int d_local_ip(char *text, int size)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM, 0), code = OSIP_NO_NETWORK;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(9);
    text[0] = '\0';
    if (fd >= 0 && inet_pton(AF_INET, D.gateway, &address.sin_addr) == 1 &&
        connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
        inet_ntop(AF_INET, &address.sin_addr, text, (socklen_t)size) != NULL)
        code = OSIP_SUCCESS;
    if (fd >= 0)
        close(fd);
    return code;
}
