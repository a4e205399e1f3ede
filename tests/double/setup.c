/* setup.c - init, quit, the socket, the address that is written into messages. */
#include "double.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct d_state D;

/* Survives quit and init, as in the library: an address of NULL binds the one of the time before. */
static char last_bound[sizeof D.bound] = "0.0.0.0";

/* So does this. */
static int ipv6;

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

/* libosip2 5 prints errors to standard output until it is told where to, which is the program's part with libeXosip2 5.3.
 * Its texts are const from 5.3 on only, hence the cast where this is handed over. */
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
    if (D_IS_5_3)
        osip_trace(__FILE__, __LINE__, OSIP_ERROR, NULL, "as libeXosip2 5.3 says much\n");
    else
        osip_trace_initialize_func(TRACE_LEVEL0, (osip_trace_func_t *)say_nothing);
    memset(&D, 0, sizeof D);
    D.crash = crash;
    D.dont_send_101 = D.learns = D_IS_5_3;
    D.socket = -1;
    D.family = AF_INET;
    strcpy(D.gateway, "192.0.2.1"); /* as good as any address far away */
    strcpy(D.gateway6, "2001:db8::1");
    D.user_agent = osip_strdup("eXosip/" D_VERSION " (double)");
    if (osip_init(&D.osip) != 0 || pipe(D.wake) != 0 || pipe2(D.told, O_NONBLOCK) != 0)
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
    d_lock();
    D.stopping = 1;
    d_unlock();
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
    close(D.told[0]);
    close(D.told[1]);
    d_stream_clear();
    if (D.socket >= 0)
        close(D.socket);
    D.running = 0;
}

void d_enable_ipv6(int on)
{
    ipv6 = on;
}

int d_ipv6(void)
{
    return ipv6;
}

static struct addrinfo *look_up(const char *host, int port)
{
    struct addrinfo wanted, *found = NULL;
    char service[8];
    memset(&wanted, 0, sizeof wanted);
    wanted.ai_family = ipv6 ? AF_INET6 : AF_INET;
    wanted.ai_socktype = D.protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
    snprintf(service, sizeof service, "%d", port);
    return getaddrinfo(host, service, &wanted, &found) == 0 ? found : NULL;
}

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    return ntohs(D.family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                      : ((struct sockaddr_in *)&address)->sin_port);
}

/* 5.3 shares its port with others that let it, and takes no connection. */
static int bound_socket(const struct addrinfo *place)
{
    int fd = socket(place->ai_family, place->ai_socktype, 0), on = 1;
    if (fd >= 0 && place->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (fd >= 0 && D_IS_5_3)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd >= 0 && bind(fd, place->ai_addr, place->ai_addrlen) == 0 &&
        (D.protocol != IPPROTO_TCP || D_IS_5_3 || listen(fd, SOMAXCONN) == 0))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static int start(int socket, int port)
{
    D.socket = socket;
    D.port = port;
    if (pthread_create(&D.thread, NULL, d_worker, NULL) != 0)
        return OSIP_UNDEFINED_ERROR;
    D.thread_runs = 1;
    return OSIP_SUCCESS;
}

int d_listen(int protocol, const char *host, int port, int family)
{
    struct addrinfo *place;
    int fd;
    if (D.thread_runs)
        return OSIP_WRONG_STATE;
    if (host != NULL)
        strncpy(last_bound, host, sizeof last_bound - 1);
    strcpy(D.bound, last_bound);
    D.protocol = protocol;
    D.family = family;
    place = look_up(D.bound, port);
    fd = place == NULL ? -1 : bound_socket(place);
    if (place != NULL)
        freeaddrinfo(place);
    if (fd < 0)
        return -1;
    D.masquerade_port = D.masquerade_port != 0 ? D.masquerade_port : port_of(fd);
    return start(fd, port_of(fd));
}

/* Which family it is stays what it was, as in the library. */
int d_set_socket(int protocol, int socket, int port)
{
    if (D.thread_runs)
        rule_complain("eXosip_set_socket(): it listens already");
    D.protocol = protocol;
    return start(socket, port);
}

/* What a socket that is connected there has for its address. */
static int name_from(int fd, const struct addrinfo *there, char *text, int size)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    text[0] = '\0';
    if (fd >= 0 && connect(fd, there->ai_addr, there->ai_addrlen) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
        getnameinfo((struct sockaddr *)&address, length, text, (socklen_t)size, NULL, 0, NI_NUMERICHOST) == 0)
        return OSIP_SUCCESS;
    return OSIP_NO_NETWORK;
}

int d_ip_towards(const struct addrinfo *there, char *text, int size)
{
    struct addrinfo *own = look_up(D.bound, 0);
    int fd = socket(D.family, SOCK_DGRAM, 0), code = OSIP_NO_NETWORK;
    if (fd >= 0 && own != NULL && bind(fd, own->ai_addr, own->ai_addrlen) == 0)
        code = name_from(fd, there, text, size);
    if (own != NULL)
        freeaddrinfo(own);
    if (fd >= 0)
        close(fd);
    return code;
}

/* The address that packets to the "gateway" would leave from. */
int d_local_ip(int family, char *text, int size)
{
    struct addrinfo wanted, *far = NULL;
    int fd = socket(family, SOCK_DGRAM, 0), code = OSIP_NO_NETWORK;
    memset(&wanted, 0, sizeof wanted);
    wanted.ai_family = family;
    wanted.ai_socktype = SOCK_DGRAM;
    text[0] = '\0';
    if (getaddrinfo(family == AF_INET6 ? D.gateway6 : D.gateway, "9", &wanted, &far) == 0)
        code = name_from(fd, far, text, size);
    if (far != NULL)
        freeaddrinfo(far);
    if (fd >= 0)
        close(fd);
    return code;
}
