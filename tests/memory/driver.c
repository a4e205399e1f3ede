/* driver.c - calls the functions of engine.h as standard input says, a line each, and prints what they return. The
 * tests run it under valgrind and the sanitizers, which look at what it leaves when it ends.
 *
 * A line is the function's name and its arguments, separated by tabs: numbers, texts, "-" for NULL, and for a
 * content "-" or "+", which stands for a header, a content type and a body. What sb_wait() gives is printed as its
 * numbers and the headers, a tab in place of each line break. `fail` is the double's exosip_double_fail(),
 * `fail_memory` lets an allocation fail where the program is built for that, and `slow_read` has the engine's thread
 * sleep so many milliseconds when it is woken, so that it finds several commands. Of a line that was carried out nothing stays
 * in memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

#ifdef WITH_DOUBLE
#include <eXosip2/exosip_double.h>
#endif

enum { MAX_ARGUMENTS = 8 };

static const sb_header headers[] = {{"X-Step", "one"}};
static const sb_content full = {headers, 1, "text/plain", "body", 4};

static char *arguments[MAX_ARGUMENTS];

static const char *text(int at)
{
    return arguments[at] == NULL || strcmp(arguments[at], "-") == 0 ? NULL : arguments[at];
}

static sb_id number(int at)
{
    return arguments[at] == NULL ? 0 : strtoll(arguments[at], NULL, 10);
}

static const sb_content *content(int at)
{
    return text(at) == NULL ? NULL : &full;
}

static sb_parties parties(int to)
{
    sb_parties both = {text(to), text(to + 1), NULL};
    return both;
}

static sb_id do_open(void)
{
    sb_config config;
    memset(&config, 0, sizeof config);
    config.host = text(1);
    config.port = (int)number(2);
    config.user_agent = "driver";
    config.advertised_host = "127.0.0.1";
    config.trace = (int)number(3);
    config.transport = (int)number(4);
    config.resolv_conf = text(5);
    if (strchr(config.host, ':') != NULL)
        config.advertised_host = "::1";
    return sb_open(&config);
}

static void print_headers(const char *lines)
{
    for (; *lines != '\0'; lines++)
        putchar(*lines == '\n' ? '\t' : *lines);
    putchar('\n');
}

/* Prints a line of its own. */
static void do_wait(void)
{
    sb_event *event = NULL;
    int found = sb_wait((int)number(1), (int)number(2), &event);
    if (found != 1) {
        printf("%d\n", found);
        return;
    }
    printf("1\t%d\t%d\t%d\t%d\t%lld\t%lld\t%lld\t%lld\t", event->type, event->cause, event->state, event->status,
           (long long)event->call, (long long)event->registration, (long long)event->transaction,
           (long long)event->subscription);
    print_headers(event->headers);
    sb_event_free(event);
}

static sb_id do_call(void)
{
    sb_parties both = parties(2);
    return sb_call((int)number(1), &both, NULL, content(4));
}

static sb_id do_request(void)
{
    sb_parties both = parties(3);
    return sb_request((int)number(1), text(2), &both, content(5));
}

static sb_id do_register(void)
{
    sb_parties both = parties(3);
    return sb_register((int)number(1), text(2), &both, text(5), (int)number(6));
}

static sb_id do_subscribe(void)
{
    sb_parties both = parties(2);
    return sb_subscribe((int)number(1), &both, text(4), (int)number(5), content(6));
}

static sb_id do_publish(void)
{
    sb_parties both = parties(2);
    return sb_publish((int)number(1), &both, text(4), text(5), (int)number(6), content(7));
}

static int do_fail(void)
{
#ifdef WITH_DOUBLE
    exosip_double_abort_on_complaint(1);
    exosip_double_fail(text(1), (int)number(2), (int)number(3));
    return 0;
#else
    return SB_ENOTSUP;
#endif
}

static int do_failed(void)
{
#ifdef WITH_DOUBLE
    return exosip_double_failed();
#else
    return SB_ENOTSUP;
#endif
}

/* The nth of the engine's calls of malloc() and realloc() for at least so many octets fails, once. It is linked with
 * --wrap, which sees the calls that are compiled into the program. */
static int memory_nth, memory_calls, memory_failed;
static size_t memory_least;
enum { MEMORY_MOST = 65536 }; /* more is no message's: the heap grows by larger pieces */

#ifdef WITH_FAILING_MEMORY
void *__real_malloc(size_t size);
void *__real_realloc(void *octets, size_t size);

/* What the engine allocates for libosip2, with the shield in front, is not its own. Sofia-SIP's has no such. */
void *__real_exo_near_alloc(size_t size) __attribute__((weak));
void *__real_exo_near_resize(void *octets, size_t size) __attribute__((weak));
static __thread int is_of_library;

void *__wrap_exo_near_alloc(size_t size)
{
    void *octets;
    is_of_library = 1;
    octets = __real_exo_near_alloc(size);
    is_of_library = 0;
    return octets;
}

void *__wrap_exo_near_resize(void *octets, size_t size)
{
    is_of_library = 1;
    octets = __real_exo_near_resize(octets, size);
    is_of_library = 0;
    return octets;
}

static int memory_fails(size_t size)
{
    if (is_of_library)
        return 0;
    if (memory_nth == 0 || size < memory_least || size > MEMORY_MOST || __sync_add_and_fetch(&memory_calls, 1) != memory_nth)
        return 0;
    memory_failed = 1;
    return 1;
}

void *__wrap_malloc(size_t size)
{
    return memory_fails(size) ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *octets, size_t size)
{
    return memory_fails(size) ? NULL : __real_realloc(octets, size);
}
#endif

static int do_fail_memory(void)
{
    memory_nth = 0;
    memory_calls = memory_failed = 0;
    memory_least = (size_t)number(2);
    memory_nth = (int)number(1);
    return 0;
}

/* How long each read() of the engine's takes. It is linked with --wrap, too. */
static int slow_read;

ssize_t __real_read(int fd, void *octets, size_t size);

ssize_t __wrap_read(int fd, void *octets, size_t size)
{
    if (slow_read > 0)
        usleep((useconds_t)slow_read * 1000);
    return __real_read(fd, octets, size);
}

static int do_slow_read(void)
{
    slow_read = (int)number(1);
    return 0;
}

#define ENGINE (int)number(1)
#define ID number(2)
#define NUMBER(at) (int)number(at)

/* What the function returned. */
static sb_id perform(const char *name)
{
#define FUNCTION(function, call) \
    if (strcmp(name, #function) == 0) \
        return call;
    FUNCTION(sb_open, do_open())
    FUNCTION(sb_port, sb_port(ENGINE))
    FUNCTION(sb_fd, sb_fd(ENGINE))
    FUNCTION(sb_drain, sb_drain(ENGINE))
    FUNCTION(sb_ping, sb_ping(ENGINE))
    FUNCTION(sb_backlog, sb_backlog(ENGINE))
    FUNCTION(sb_close, sb_close(ENGINE, NUMBER(2)))
    FUNCTION(sb_credentials, sb_credentials(ENGINE, text(2), text(3), text(4)))
    FUNCTION(sb_credentials_clear, sb_credentials_clear(ENGINE))
    FUNCTION(sb_register, do_register())
    FUNCTION(sb_register_refresh, sb_register_refresh(ENGINE, ID, NUMBER(3)))
    FUNCTION(sb_unregister, sb_unregister(ENGINE, ID))
    FUNCTION(sb_call, do_call())
    FUNCTION(sb_call_ring, sb_call_ring(ENGINE, ID, NUMBER(3), content(4)))
    FUNCTION(sb_call_answer, sb_call_answer(ENGINE, ID, content(3)))
    FUNCTION(sb_call_reject, sb_call_reject(ENGINE, ID, NUMBER(3), text(4), content(5)))
    FUNCTION(sb_call_redirect, sb_call_redirect(ENGINE, ID, NUMBER(3), text(4)))
    FUNCTION(sb_call_ack, sb_call_ack(ENGINE, ID, content(3)))
    FUNCTION(sb_call_hangup, sb_call_hangup(ENGINE, ID, content(3)))
    FUNCTION(sb_call_request, sb_call_request(ENGINE, ID, text(3), content(4)))
    FUNCTION(sb_call_reinvite, sb_call_reinvite(ENGINE, ID, content(3)))
    FUNCTION(sb_answer, sb_answer(ENGINE, ID, NUMBER(3), text(4), content(5)))
    FUNCTION(sb_request, do_request())
    FUNCTION(sb_publish, do_publish())
    FUNCTION(sb_subscribe, do_subscribe())
    FUNCTION(sb_subscribe_refresh, sb_subscribe_refresh(ENGINE, ID, NUMBER(3)))
    FUNCTION(sb_unsubscribe, sb_unsubscribe(ENGINE, ID))
    FUNCTION(sb_subscription_accept, sb_subscription_accept(ENGINE, ID, NUMBER(3), NUMBER(4)))
    FUNCTION(sb_subscription_reject, sb_subscription_reject(ENGINE, ID, NUMBER(3), text(4), content(5)))
    FUNCTION(sb_notify, sb_notify(ENGINE, ID, text(3), content(4)))
    FUNCTION(fail, do_fail())
    FUNCTION(failed, do_failed())
    FUNCTION(fail_memory, do_fail_memory())
    FUNCTION(memory_failed, memory_failed)
    FUNCTION(slow_read, do_slow_read())
#undef FUNCTION
    fprintf(stderr, "driver: no function %s\n", name);
    exit(2);
}

static void split(char *line)
{
    int count;
    line[strcspn(line, "\n")] = '\0';
    for (count = 0; count < MAX_ARGUMENTS; count++) {
        arguments[count] = line;
        if (line != NULL && (line = strchr(line, '\t')) != NULL)
            *line++ = '\0';
    }
}

int main(void)
{
    static char line[70000];
    setvbuf(stdin, NULL, _IONBF, 0);
    while (fgets(line, sizeof line, stdin) != NULL) {
        size_t length = strlen(line);
        split(line);
        if (strcmp(arguments[0], "sb_wait") == 0)
            do_wait();
        else
            printf("%lld\n", (long long)perform(arguments[0]));
        memset(line, 0, length);
        fflush(stdout);
    }
    return 0;
}
