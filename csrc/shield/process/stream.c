/* stream.c - the preloaded shield on TCP, for a library that was made for datagrams.
 *
 * The library gets one message at a time, whole and checked. What is not whole yet stays in the kernel, which wakes the
 * library when more comes; the shield keeps no octets itself. Sending always ends, even if the peer does not read.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "passage.h"
#include "preload.h"

enum {
    MAX_MESSAGE = 65535,              /* octets; what a datagram can hold */
    RECEIVE_BUFFER = 4 * MAX_MESSAGE, /* in the kernel, where a message waits until it is whole */
    SEND_PATIENCE = 1000              /* milliseconds that a peer has to make room for a message */
};

static ssize_t (*real_recv)(int, void *, size_t, int);
static ssize_t (*real_send)(int, const void *, size_t, int);
static int (*real_accept)(int, struct sockaddr *, socklen_t *);
static int (*real_socket)(int, int, int);
static int (*real_connect)(int, const struct sockaddr *, socklen_t);

/* A sound message that the library is reading, by descriptor. There are few, since the library waits with select(). */
static struct sound {
    size_t left;    /* how many octets are still in the kernel: the message may be longer than what is read at once */
    char *mended;   /* the whole message if shield_mend() has changed it, else NULL; the kernel has it unchanged */
    size_t length;  /* of that */
} sounds[FD_SETSIZE];

/* Octets of a message that the library has sent a part of, and sends the rest of next; by descriptor. */
static size_t unsent[FD_SETSIZE];

void preload_stream_begin(void)
{
    *(void **)&real_recv = preload_next("recv");
    *(void **)&real_send = preload_next("send");
    *(void **)&real_accept = preload_next("accept");
    *(void **)&real_connect = preload_next("connect");
    *(void **)&real_socket = preload_next("socket");
}

/* ------------------------------------------------------------------------------------------------------
 * In
 */
static void wake_at(int fd, int octets)
{
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &octets, sizeof octets);
}

static int has_ended(int fd)
{
    struct pollfd ended = {fd, POLLRDHUP, 0};
    return poll(&ended, 1, 0) != 0;
}

/* End the stream for the library: the peer will not send the rest, or what it sends is no SIP. */
static ssize_t end_stream(int fd)
{
    shutdown(fd, SHUT_RDWR);
    return 0;
}

static int again(void)
{
    errno = EAGAIN;
    return -1;
}

/* A look at what lies in the kernel, up to a message's length. */
struct view {
    char *octets;
    char *own;   /* to be freed: used when the library's buffer is too small */
    ssize_t length;
    long frame;  /* the length of the first message, as shield_frame() tells it */
};

static void look(int fd, char *buffer, size_t size, int flags, struct view *view)
{
    view->own = NULL;
    view->octets = buffer;
    view->frame = 0;
    view->length = real_recv(fd, buffer, size, flags | MSG_PEEK);
    if (view->length > 0)
        view->frame = shield_frame(buffer, (size_t)view->length, MAX_MESSAGE);
    if (view->length < (ssize_t)size || view->frame != 0)
        return;
    view->octets = view->own = malloc(MAX_MESSAGE);
    view->length = -1;
    if (view->own != NULL)
        view->length = real_recv(fd, view->own, MAX_MESSAGE, flags | MSG_PEEK);
    if (view->length > 0)
        view->frame = shield_frame(view->own, (size_t)view->length, MAX_MESSAGE);
}

/* Remove the empty lines in front of a message (7.5), or a keep-alive (RFC 5626, 4.4.1): the library takes some of them
 * for a message. True when there were some. */
static int take_blank(int fd, const struct view *view, char *buffer, size_t size)
{
    size_t blank = 0;
    while (blank < (size_t)view->length && blank < size &&
           (view->octets[blank] == '\r' || view->octets[blank] == '\n'))
        blank++;
    return blank > 0 && real_recv(fd, buffer, blank, MSG_DONTWAIT) > 0;
}

/* Remove from the stream what was refused. */
static void skip(int fd, char *buffer, size_t size, size_t length)
{
    while (length > 0) {
        ssize_t got = real_recv(fd, buffer, length < size ? length : size, MSG_DONTWAIT);
        if (got <= 0)
            return;
        length -= (size_t)got;
    }
}

static void forget(struct sound *sound)
{
    free(sound->mended);
    memset(sound, 0, sizeof *sound);
}

static ssize_t receive_sound(int fd, char *buffer, size_t size, int flags)
{
    struct sound *sound = &sounds[fd];
    ssize_t got = real_recv(fd, buffer, sound->left < size ? sound->left : size, flags);
    if (got <= 0)
        return got;
    if (sound->mended != NULL)
        memcpy(buffer, sound->mended + sound->length - sound->left, (size_t)got);
    sound->left -= (size_t)got;
    if (sound->left == 0)
        forget(sound);
    return got;
}

/* Give the library a message, or its beginning. A view that does not fit into the library's buffer is kept if it was
 * changed. */
static ssize_t deliver(int fd, struct view *view, char *buffer, size_t size, int flags)
{
    struct sound *sound = &sounds[fd];
    ssize_t got;
    sound->left = sound->length = (size_t)view->frame;
    if (view->own == NULL) {
        got = receive_sound(fd, buffer, size, flags);
        if (got > 0)
            shield_mend(buffer, (size_t)got);
        return got;
    }
    if (shield_mend(view->own, sound->length)) {
        sound->mended = view->own;
        view->own = NULL;
    }
    return receive_sound(fd, buffer, size, flags);
}

/* What becomes of what was seen: > 0 when the library may have it, 0 when another look is due, < 0 when the answer to
 * the library is in *answer. */
static int judge(int fd, const struct view *view, char *buffer, size_t size, struct preload_source *source,
                 ssize_t *answer)
{
    *answer = view->length;
    if (view->length <= 0)
        return -1;
    if (take_blank(fd, view, buffer, size))
        return 0;
    if (view->frame < 0) {
        preload_refuse(source, SHIELD_FIELD);
        *answer = end_stream(fd);
        return -1;
    }
    if (view->frame == 0) {
        wake_at(fd, (int)view->length + 1);
        *answer = has_ended(fd) ? end_stream(fd) : again();
        return -1;
    }
    wake_at(fd, 1);
    if (preload_may_pass(fd, view->octets, (size_t)view->frame, (size_t)view->frame, source, SHIELD_STREAM))
        return 1;
    skip(fd, buffer, size, (size_t)view->frame);
    return 0;
}

/* Who is at the other end. Asking fails after a reset, but what came before the reset is there. */
static void find_source(int fd, struct preload_source *source)
{
    memset(source, 0, sizeof *source);
    source->size = sizeof source->address;
    if (getpeername(fd, (struct sockaddr *)&source->address, &source->size) != 0)
        source->address.ss_family = AF_INET;
    preload_name_source(source);
}

/* The library looks at a message when it has the last part of it. So each part tells where it came from. */
static ssize_t noted(ssize_t got, const struct preload_source *source)
{
    if (got > 0 && source->port != 0)
        preload_note_source(source, SHIELD_STREAM);
    return got;
}

ssize_t preload_stream_receive(int fd, char *buffer, size_t size, int flags)
{
    struct preload_source source;
    int round;
    flags |= MSG_DONTWAIT;
    if (fd >= FD_SETSIZE)
        return end_stream(fd);
    find_source(fd, &source);
    if (sounds[fd].left > 0)
        return noted(receive_sound(fd, buffer, size, flags), &source);
    for (round = 0; round < PRELOAD_ROUNDS; round++) {
        struct view view;
        ssize_t answer;
        int verdict, error;
        look(fd, buffer, size, flags, &view);
        verdict = judge(fd, &view, buffer, size, &source, &answer);
        if (verdict > 0) {
            preload_note_passage(&source, 0, SHIELD_STREAM, view.octets, (size_t)view.frame);
            answer = noted(deliver(fd, &view, buffer, size, flags), &source);
        }
        error = errno;
        free(view.own);
        errno = error;
        if (verdict != 0)
            return answer;
    }
    return again();
}

/* ------------------------------------------------------------------------------------------------------
 * Out
 */

/* libeXosip2 holds its lock and tries again and again until a peer reads. Here such a peer loses its connection. */
static ssize_t send_in_time(int fd, const void *octets, size_t length, int flags)
{
    int64_t until = preload_microseconds() + (int64_t)SEND_PATIENCE * 1000;
    for (;;) {
        struct pollfd room = {fd, POLLOUT, 0};
        ssize_t sent = real_send(fd, octets, length, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
        int64_t left = until - preload_microseconds();
        if (sent >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
            return sent;
        if (left <= 0)
            break;
        poll(&room, 1, (int)(left / 1000) + 1);
    }
    shutdown(fd, SHUT_RDWR);
    errno = ETIMEDOUT;
    return -1;
}

/* Send what the library gives to its connection: a message, or the rest of one. */
static ssize_t send_noted(int fd, const void *octets, size_t length, int flags)
{
    int is_counted = fd < FD_SETSIZE;
    struct preload_source other;
    ssize_t sent;
    if (shield_passages_are_told() && !(is_counted && unsent[fd] == length)) {
        find_source(fd, &other);
        preload_note_passage(&other, 1, SHIELD_STREAM, octets, length);
    }
    sent = send_in_time(fd, octets, length, flags);
    if (is_counted)
        unsent[fd] = sent > 0 ? length - (size_t)sent : 0;
    return sent;
}

EXPORTED ssize_t send(int fd, const void *octets, size_t length, int flags)
{
    if (real_send == NULL)
        preload_stream_begin(); /* another library's constructor sends */
    if (preload_is_screened(__builtin_return_address(0)) && preload_type_of(fd) == SOCK_STREAM)
        return send_noted(fd, octets, length, flags);
    return real_send(fd, octets, length, flags);
}

/* ------------------------------------------------------------------------------------------------------
 * Connections
 */

/* Find a peer that is gone within two minutes: the library has room for 200 connections only. */
static void set_options(int fd)
{
    static const int SIZE = RECEIVE_BUFFER, ON = 1, IDLE = 60, INTERVAL = 15, COUNT = 4;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &SIZE, sizeof SIZE);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &ON, sizeof ON);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &IDLE, sizeof IDLE);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &INTERVAL, sizeof INTERVAL);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &COUNT, sizeof COUNT);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &ON, sizeof ON); /* a 180 does not wait for the ACK of the 100 */
}

/* Check a new descriptor. With one of FD_SETSIZE or more the library would write past the end of its set. */
static int admit(int fd)
{
    if (fd < 0)
        return fd;
    if (fd >= FD_SETSIZE) {
        close(fd);
        errno = EMFILE;
        return -1;
    }
    unsent[fd] = 0;
    forget(&sounds[fd]); /* the descriptor may have been another connection's */
    set_options(fd);
    return fd;
}

EXPORTED int accept(int listener, struct sockaddr *address, socklen_t *size)
{
    int fd;
    if (real_accept == NULL)
        preload_stream_begin();
    fd = real_accept(listener, address, size);
    return preload_is_screened(__builtin_return_address(0)) && preload_type_of(listener) == SOCK_STREAM ? admit(fd)
                                                                                                       : fd;
}

EXPORTED int socket(int family, int type, int protocol)
{
    int fd;
    if (real_socket == NULL)
        preload_stream_begin();
    fd = real_socket(family, type, protocol);
    return preload_is_screened(__builtin_return_address(0)) && preload_type_of(fd) == SOCK_STREAM ? admit(fd) : fd;
}

/* To learn how far a connection is, libeXosip2 calls connect() again, with half of an IPv6 address and a wrong length
 * (it keeps both in a struct sockaddr). The kernel checks only the length. */
EXPORTED int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    if (real_connect == NULL)
        preload_stream_begin();
    if (preload_is_screened(__builtin_return_address(0)) && address->sa_family == AF_INET6)
        size = sizeof(struct sockaddr_in6);
    return real_connect(fd, address, size);
}
