/* stream.c - TCP: connections, and where messages end on them (18.3). */
#include "double.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 4000, MORE_ROOM = 1000 }; /* octets: of a buffer, and what is added when it is full */

struct d_peer {
    int fd;
    struct sockaddr_storage address; /* that it was connected to, or from */
    socklen_t size;
    char *octets;
    size_t length, room;
    struct d_peer *next;
};

static struct d_peer *peer_new(int fd, const struct sockaddr *address, socklen_t size)
{
    struct d_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        abort();
    peer->fd = fd;
    memcpy(&peer->address, address, size);
    peer->size = size;
    peer->next = D.peers;
    D.peers = peer;
    return peer;
}

static void peer_free(struct d_peer *peer)
{
    struct d_peer **link;
    for (link = &D.peers; *link != peer; link = &(*link)->next)
        ;
    *link = peer->next;
    close(peer->fd);
    free(peer->octets);
    free(peer);
}

void d_stream_clear(void)
{
    while (D.peers != NULL)
        peer_free(D.peers);
}

/* -- out -------------------------------------------------------------------------------------------------- */

static struct d_peer *find(const struct addrinfo *to, int fd)
{
    struct d_peer *peer;
    for (peer = D.peers; peer != NULL; peer = peer->next)
        if (peer->fd == fd)
            return peer;
    for (peer = D.peers; peer != NULL; peer = peer->next)
        if (peer->size == to->ai_addrlen && memcmp(&peer->address, to->ai_addr, peer->size) == 0)
            return peer;
    return NULL;
}

/* The double's peers are near: it waits for them, where the library goes on and sends later. */
static struct d_peer *connect_to(const struct addrinfo *to)
{
    int fd = socket(to->ai_family, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, to->ai_addr, to->ai_addrlen) == 0) {
        d_wake(); /* the thread has one more to wait for */
        return peer_new(fd, to->ai_addr, to->ai_addrlen);
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

int d_stream_send(const struct addrinfo *to, int socket, const char *octets, size_t length)
{
    struct d_peer *peer = find(to, socket);
    if (peer == NULL)
        peer = connect_to(to);
    while (peer != NULL && length > 0) {
        ssize_t sent = send(peer->fd, octets, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return -1;
        octets += sent;
        length -= (size_t)sent;
    }
    return peer == NULL ? -1 : 0;
}

void d_stream_ping(void)
{
    struct d_peer *peer;
    struct timespec now;
    long long now_ms;
    if (D.protocol != IPPROTO_TCP || D.keep_alive_ms <= 0)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    now_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
    if (now_ms < D.next_ping_ms)
        return;
    for (peer = D.peers; peer != NULL && D.next_ping_ms != 0; peer = peer->next)
        send(peer->fd, "\r\n\r\n", 4, MSG_NOSIGNAL);
    D.next_ping_ms = now_ms + D.keep_alive_ms;
}

/* -- in --------------------------------------------------------------------------------------------------- */

/* The value of Content-Length, by its long or its compact name; 0 without one. */
static size_t body_length(const char *header, size_t length)
{
    static const char *const NAMES[] = {"\r\ncontent-length:", "\r\ncontent-length ", "\r\nl:", "\r\nl "};
    size_t i, at;
    for (i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        for (at = 0; at + strlen(NAMES[i]) < length; at++)
            if (strncasecmp(header + at, NAMES[i], strlen(NAMES[i])) == 0) {
                const char *colon = memchr(header + at, ':', length - at);
                return colon == NULL ? 0 : (size_t)atoi(colon + 1);
            }
    return 0;
}

/* The length of the first message, 0 when it is not whole. */
static size_t message_length(const struct d_peer *peer)
{
    const char *end = memmem(peer->octets, peer->length, "\r\n\r\n", 4);
    size_t length;
    if (end == NULL)
        return 0;
    length = (size_t)(end + 4 - peer->octets);
    length += length == 4 ? 0 : body_length(peer->octets, length);
    return length <= peer->length ? length : 0;
}

static void handle_messages(struct d_peer *peer)
{
    size_t length;
    while ((length = message_length(peer)) > 0) {
        if (length > 4) /* a keep-alive */
            d_handle(peer->octets, length, (struct sockaddr *)&peer->address, peer->size, peer->fd);
        peer->length -= length;
        memmove(peer->octets, peer->octets + length, peer->length);
    }
}

static void receive(struct d_peer *peer)
{
    ssize_t got;
    if (peer->length == peer->room) {
        peer->room += peer->room == 0 ? ROOM : MORE_ROOM;
        peer->octets = realloc(peer->octets, peer->room + 1); /* body_length() reads a number up to its end */
        if (peer->octets == NULL)
            abort();
    }
    got = recv(peer->fd, peer->octets + peer->length, peer->room - peer->length, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        peer_free(peer);
        return;
    }
    peer->length += (size_t)got;
    peer->octets[peer->length] = '\0';
    handle_messages(peer);
}

static void take_connection(void)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    int fd = accept(D.socket, (struct sockaddr *)&address, &size);
    if (fd >= 0)
        peer_new(fd, (struct sockaddr *)&address, size);
}

int d_stream_set(fd_set *set)
{
    struct d_peer *peer;
    int highest = -1;
    d_lock();
    for (peer = D.peers; peer != NULL; peer = peer->next) {
        FD_SET(peer->fd, set);
        highest = peer->fd > highest ? peer->fd : highest;
    }
    d_unlock();
    return highest;
}

void d_stream_receive(fd_set *set)
{
    struct d_peer *peer, *next;
    for (peer = D.peers; peer != NULL; peer = next) {
        next = peer->next;
        if (FD_ISSET(peer->fd, set))
            receive(peer);
    }
    if (FD_ISSET(D.socket, set))
        take_connection();
}
