/* crash.c - writes where in native code a process was when it crashed. */
#include "engine.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#if defined(__GLIBC__) || defined(__APPLE__)
#include <execinfo.h>

#define FRAMES 64
#define STACK 65536 /* octets: the stack of the thread that crashed may be what has overflowed */

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

#define FATAL (sizeof fatal / sizeof *fatal)

static struct sigaction before[FATAL];
static char stack[STACK];
static int output = -1;

static void put(const char *text)
{
    ssize_t written = write(output, text, strlen(text));
    (void)written; /* nobody is left to be told */
}

/* Only what is safe in a signal handler: backtrace() is, once it has been called before. */
static void on_crash(int number)
{
    void *frames[FRAMES];
    size_t i;
    for (i = 0; i < FATAL; i++)
        if (fatal[i] == number)
            sigaction(number, &before[i], NULL);
    put("Native backtrace, innermost first:\n");
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), output);
    put("\n");
    raise(number); /* it waits until this returns: so Python's traceback, or the core dump, is of where it crashed */
}

int sb_keep_backtraces(int descriptor)
{
    struct sigaction action;
    stack_t place;
    void *frame;
    size_t i;
    if (descriptor < 0)
        return SB_EINVAL;
    if (output >= 0)
        return SB_ESTATE;
    output = descriptor;
    backtrace(&frame, 1); /* the first call loads a library, which is not safe in a signal handler */
    memset(&place, 0, sizeof place);
    place.ss_sp = stack;
    place.ss_size = sizeof stack;
    sigaltstack(&place, NULL);
    memset(&action, 0, sizeof action);
    action.sa_handler = on_crash;
    action.sa_flags = SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    for (i = 0; i < FATAL; i++)
        sigaction(fatal[i], &action, &before[i]);
    return SB_OK;
}

#else

int sb_keep_backtraces(int descriptor)
{
    return descriptor < 0 ? SB_EINVAL : SB_ENOTSUP;
}

#endif
