/* preload.c - the shield between a library and its sockets: _shield.so, for LD_PRELOAD.
 *
 * It replaces recv() and recvfrom(), with which libeXosip2 receives, their variants for _FORTIFY_SOURCE, the functions
 * that make TCP connections and send on them (stream.c), those that make transactions and send what ends them
 * (transactions.c), those that make dialogs (dialogs.c), and those of its queue of events (events.c). It screens only
 * calls from the object that attach() was given. Everybody else in the process, Python's sockets among them, gets the C
 * library's functions.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "count.h"
#include "limit.h"
#include "passage.h"
#include "preload.h"
#include "received.h"
#include "service.h"

#define SECOND 1000000

enum {
    MAX_OBJECTS = 4,
    MAX_GAIN = 3,     /* an answer to a datagram may be this many times as long (RFC 9000, 8.1) */
    MAX_FILES = 8,    /* files of counters: for as many processes of a user at the same time */
    MAX_WAIT = 60     /* seconds in a socket; a longer time means that a clock was set */
};

static ssize_t (*real_recvfrom)(int, void *, size_t, int, struct sockaddr *, socklen_t *);

static void begin(void);

/* ------------------------------------------------------------------------------------------------------
 * Whose calls are screened
 */
static struct {
    uintptr_t low, high;
} objects[MAX_OBJECTS];
static volatile int object_count;

struct wanted {
    uintptr_t address, low, high;
};

/* Find the addresses of the object that holds this address. */
static int find_object(struct dl_phdr_info *info, size_t size, void *data)
{
    struct wanted *wanted = data;
    uintptr_t low = UINTPTR_MAX, high = 0;
    int i;
    (void)size;
    for (i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        low = begin < low ? begin : low;
        high = begin + info->dlpi_phdr[i].p_memsz > high ? begin + info->dlpi_phdr[i].p_memsz : high;
    }
    if (wanted->address < low || wanted->address >= high)
        return 0;
    wanted->low = low;
    wanted->high = high;
    return 1;
}

int preload_is_screened(const void *caller)
{
    int i;
    for (i = 0; i < object_count; i++)
        if ((uintptr_t)caller >= objects[i].low && (uintptr_t)caller < objects[i].high)
            return 1;
    return 0;
}

/* Where others, such as `sipbridge doctor`, read the counters: a file for each user. A process that finds it taken
 * appends -2, -3 and so on to the name. */
static void share_counters(void)
{
    const char *path = getenv("SIPBRIDGE_SHIELD_COUNTERS");
    char usual[64], numbered[PATH_MAX];
    int number;
    snprintf(usual, sizeof usual, "/tmp/sipbridge-shield-%lu", (unsigned long)getuid());
    if (path == NULL)
        path = usual;
    if (*path == '\0' || shield_count_into(path) == 0)
        return;
    for (number = 2; number <= MAX_FILES; number++) {
        int length = snprintf(numbered, sizeof numbered, "%s-%d", path, number);
        if (length < (int)sizeof numbered && shield_count_into(numbered) == 0)
            return;
    }
}

static int attach(const void *function)
{
    struct wanted wanted = {(uintptr_t)function, 0, 0};
    if (preload_is_screened(function))
        return 0;
    if (object_count == MAX_OBJECTS || !dl_iterate_phdr(find_object, &wanted))
        return -1;
    objects[object_count].low = wanted.low;
    objects[object_count].high = wanted.high;
    __sync_synchronize();
    if (object_count++ == 0)
        share_counters();
    return 0;
}

/* ------------------------------------------------------------------------------------------------------
 * The probe
 */
static char probe[SHIELD_PROBE_LENGTH];
static volatile int probe_expected, probe_came;

static void expect_probe(const char *octets)
{
    memcpy(probe, octets, sizeof probe);
    probe_came = 0;
    __sync_synchronize();
    probe_expected = 1;
}

static int probe_has_come(void)
{
    return probe_came;
}

static int is_probe(const char *octets, size_t length)
{
    if (!probe_expected || length != sizeof probe || memcmp(octets, probe, sizeof probe) != 0)
        return 0;
    probe_expected = 0;
    probe_came = 1;
    return 1;
}

/* ------------------------------------------------------------------------------------------------------
 * One message
 */
static int64_t microseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000;
}

void preload_name_source(struct preload_source *source)
{
    const void *address = &((struct sockaddr_in *)&source->address)->sin_addr;
    in_port_t port = ((struct sockaddr_in *)&source->address)->sin_port;
    if (source->address.ss_family == AF_INET6) {
        address = &((struct sockaddr_in6 *)&source->address)->sin6_addr;
        port = ((struct sockaddr_in6 *)&source->address)->sin6_port;
    }
    source->host[0] = '\0';
    inet_ntop(source->address.ss_family, address, source->host, sizeof source->host);
    source->port = ntohs(port);
    source->time_us = microseconds(CLOCK_REALTIME);
}

static void set_port(struct preload_source *source, int port)
{
    if (source->address.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&source->address)->sin6_port = htons((in_port_t)port);
    else
        ((struct sockaddr_in *)&source->address)->sin_port = htons((in_port_t)port);
}

int64_t preload_microseconds(void)
{
    return microseconds(CLOCK_MONOTONIC);
}

void preload_note_source(const struct preload_source *source, enum shield_transport transport)
{
    shield_note_origin(source->host, source->port, transport, source->time_us);
}

void preload_note_passage(const struct preload_source *other, int outgoing, enum shield_transport transport,
                          const char *octets, size_t length)
{
    struct shield_passage passage = {outgoing, transport, other->host, other->port, other->time_us, octets, length};
    shield_passed(&passage);
}

/* How long the last datagram lay in the socket; -1 when the kernel does not tell. */
static int64_t waited(int fd)
{
    struct timeval arrived;
    int64_t wait;
    if (ioctl(fd, SIOCGSTAMP, &arrived) != 0)
        return -1;
    wait = microseconds(CLOCK_REALTIME) - ((int64_t)arrived.tv_sec * SECOND + arrived.tv_usec);
    return wait >= 0 && wait < (int64_t)MAX_WAIT * SECOND ? wait : -1;
}

/* Its length; 0 when there is none. `length`: the message's. */
static size_t make_answer(const struct shield_message *message, struct shield_verdict verdict, size_t length,
                          const struct preload_source *source, enum shield_transport transport, char *reply)
{
    size_t room = SHIELD_MAX_REPLY;
    if (transport == SHIELD_DATAGRAM && length < room / MAX_GAIN)
        room = length * MAX_GAIN;
    return verdict.action != SHIELD_ANSWER
               ? 0
               : shield_reply(message, verdict, source->host, source->port, reply, room);
}

static void send_answer(int fd, const struct shield_message *message, const char *reply, size_t length,
                        struct preload_source *source, enum shield_transport transport)
{
    ssize_t sent;
    if (transport == SHIELD_DATAGRAM)
        set_port(source, shield_reply_port(message, source->port));
    sent = sendto(fd, reply, length, MSG_DONTWAIT | MSG_NOSIGNAL,
                  transport == SHIELD_DATAGRAM ? (struct sockaddr *)&source->address : NULL,
                  transport == SHIELD_DATAGRAM ? source->size : 0);
    /* A datagram that cannot be sent counts as lost. On a stream, half an answer would spoil what follows. */
    if (sent < (ssize_t)length && transport == SHIELD_STREAM)
        shutdown(fd, SHUT_RDWR);
}

/* The verdict on a message that is well formed. */
static struct shield_verdict admit(int fd, const struct shield_message *message, int64_t now)
{
    static const struct shield_verdict PASSED = {SHIELD_PASS, SHIELD_NONE, 0};
    enum shield_rule rule = shield_is_own_ack(message) ? SHIELD_OWN_ACK : shield_admit(message, now, waited(fd));
    return rule == SHIELD_NONE ? PASSED : shield_refuse(message, rule);
}

int preload_may_pass(int fd, const char *octets, size_t length, size_t room, struct preload_source *source,
                     enum shield_transport transport)
{
    struct shield_message message;
    struct shield_verdict verdict;
    char reply[SHIELD_MAX_REPLY];
    size_t reply_length;
    int64_t now = microseconds(CLOCK_MONOTONIC);
    verdict = shield_check(octets, length < room ? length : room, transport, &message);
    if (length > room)
        verdict = shield_refuse(&message, SHIELD_SIZE);
    if (verdict.action == SHIELD_PASS && preload_repeats(fd, &message, source, transport, now))
        return 0;
    if (verdict.action == SHIELD_PASS)
        verdict = admit(fd, &message, now);
    if (verdict.action == SHIELD_PASS)
        preload_passes(&message, source, transport, now);
    preload_name_source(source);
    reply_length = make_answer(&message, verdict, length, source, transport, reply);
    if (verdict.action == SHIELD_ANSWER && reply_length == 0)
        verdict.action = SHIELD_DROP;
    shield_count(verdict, source->host, source->port, now);
    if (reply_length > 0)
        send_answer(fd, &message, reply, reply_length, source, transport);
    return verdict.action == SHIELD_PASS;
}

void preload_refuse(struct preload_source *source, enum shield_rule rule)
{
    struct shield_verdict verdict = {SHIELD_DROP, rule, 0};
    preload_name_source(source);
    shield_count(verdict, source->host, source->port, microseconds(CLOCK_MONOTONIC));
}

/* ------------------------------------------------------------------------------------------------------
 * Datagrams
 */
static void copy_source(const struct preload_source *source, struct sockaddr *address, socklen_t *size)
{
    if (address == NULL || size == NULL)
        return;
    memcpy(address, &source->address, *size < source->size ? *size : source->size);
    *size = source->size;
}

/* Receive the next datagram that may pass. EAGAIN when no other one is there already. */
static ssize_t receive_datagram(int fd, char *buffer, size_t size, int flags, struct sockaddr *address,
                                socklen_t *address_size)
{
    int round;
    for (round = 0; round < PRELOAD_ROUNDS; round++) {
        struct preload_source source;
        ssize_t got;
        source.size = sizeof source.address;
        got = real_recvfrom(fd, buffer, size, flags | MSG_TRUNC, (struct sockaddr *)&source.address,
                            &source.size);
        if (got < 0)
            return got;
        if (!is_probe(buffer, (size_t)got) &&
            preload_may_pass(fd, buffer, (size_t)got, size, &source, SHIELD_DATAGRAM)) {
            copy_source(&source, address, address_size);
            preload_note_source(&source, SHIELD_DATAGRAM);
            preload_note_passage(&source, 0, SHIELD_DATAGRAM, buffer, (size_t)got);
            shield_mend(buffer, (size_t)got);
            return got;
        }
        flags |= MSG_DONTWAIT;
    }
    errno = EAGAIN;
    return -1;
}

/* ------------------------------------------------------------------------------------------------------
 * In place of the C library's
 */
int preload_type_of(int fd)
{
    int type = 0, saved = errno;
    socklen_t size = sizeof type;
    struct sockaddr_storage own;
    socklen_t own_size = sizeof own;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
        getsockname(fd, (struct sockaddr *)&own, &own_size) != 0 ||
        (own.ss_family != AF_INET && own.ss_family != AF_INET6))
        type = 0;
    errno = saved;
    return type;
}

static ssize_t receive(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                       socklen_t *address_size, const void *caller)
{
    if (real_recvfrom == NULL)
        begin(); /* another library's constructor receives */
    if (preload_is_screened(caller) && !(flags & MSG_PEEK)) {
        int type = preload_type_of(fd);
        if (type == SOCK_DGRAM)
            return receive_datagram(fd, buffer, size, flags, address, address_size);
        if (type == SOCK_STREAM)
            return preload_stream_receive(fd, buffer, size, flags);
    }
    return real_recvfrom(fd, buffer, size, flags, address, address_size);
}

EXPORTED ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                          socklen_t *address_size)
{
    return receive(fd, buffer, size, flags, address, address_size, __builtin_return_address(0));
}

EXPORTED ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    return receive(fd, buffer, size, flags, NULL, NULL, __builtin_return_address(0));
}

/* The compiler calls these with _FORTIFY_SOURCE, if it knows the size of the buffer. */
ssize_t __recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags, struct sockaddr *address,
                       socklen_t *address_size);
ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags);

EXPORTED ssize_t __recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags,
                                struct sockaddr *address, socklen_t *address_size)
{
    if (size > room)
        abort();
    return receive(fd, buffer, size, flags, address, address_size, __builtin_return_address(0));
}

EXPORTED ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags)
{
    if (size > room)
        abort();
    return receive(fd, buffer, size, flags, NULL, NULL, __builtin_return_address(0));
}

/* ------------------------------------------------------------------------------------------------------
 * For the process
 */
const struct shield_service *sipbridge_shield_10(void);

EXPORTED const struct shield_service *sipbridge_shield_10(void)
{
    static const struct shield_service SERVICE = {
        attach,           expect_probe,   probe_has_come,       shield_counts,      shield_limit,
        shield_limit_now, preload_hasten, preload_tell_dialogs, shield_take_origin, shield_tell_passages,
        preload_forget};
    return &SERVICE;
}

/* "auto", "off", a rate per second, or rate/burst. Anything else is as good as "auto". */
static void read_limit(enum shield_kind kind, const char *variable)
{
    const char *text = getenv(variable);
    double rate = -1, burst = 0;
    if (text != NULL && strcmp(text, "off") == 0)
        rate = 0;
    else if (text == NULL || sscanf(text, "%lf/%lf", &rate, &burst) < 1 || !(rate > 0))
        rate = -1;
    shield_limit(kind, rate, burst);
}

static uint64_t random_seed(void)
{
    uint64_t seed = (uint64_t)microseconds(CLOCK_REALTIME) ^ ((uint64_t)getpid() << 40);
    int fd = open("/dev/urandom", O_RDONLY);
    if (fd >= 0) {
        if (read(fd, &seed, sizeof seed) != (ssize_t)sizeof seed)
            seed ^= (uintptr_t)&seed;
        close(fd);
    }
    return seed;
}

void *preload_next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort(); /* every C library has it */
    return found;
}

void *preload_find(const char *name, const void *caller)
{
    void *library = NULL, *found = dlsym(RTLD_NEXT, name);
    Dl_info info;
    if (found != NULL)
        return found;
    /* A library that Python has loaded is in no scope but its own. */
    if (dladdr(caller, &info) != 0 && info.dli_fname != NULL)
        library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (library == NULL)
        abort();
    found = dlsym(library, name);
    dlclose(library); /* its caller keeps it */
    if (found == NULL)
        abort();
    return found;
}

__attribute__((constructor)) static void begin(void)
{
    *(void **)&real_recvfrom = preload_next("recvfrom");
    preload_stream_begin();
    preload_transactions_begin();
    shield_seed(random_seed());
    read_limit(SHIELD_INVITES, "SIPBRIDGE_SHIELD_INVITE");
    read_limit(SHIELD_REGISTERS, "SIPBRIDGE_SHIELD_REGISTER");
    read_limit(SHIELD_SUBSCRIBES, "SIPBRIDGE_SHIELD_SUBSCRIBE");
}
