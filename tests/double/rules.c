/* rules.c - what a program may do with the library and its messages, and calls that fail on demand. */
#include "double.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct owned {
    void *what;
    const char *from; /* the function that gave it */
    struct owned *next;
};

static pthread_mutex_t book = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct owned *messages, *events;
static struct owned *copies; /* that the program made: it may have them beyond eXosip_quit() */
static int complaints;
static char first[300];
static int aborts = 1;
static char fail_function[80];
static int fail_nth, fail_null, fail_calls, fail_came;

static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER; /* eXosip_lock */
static __thread int holds, inside, injected_null;

struct eXosip_t {
    int unused;
};
static struct eXosip_t *context; /* NULL before it is made, and always where the library has none */

void rule_complain(const char *format, ...)
{
    char text[sizeof first];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "exosip double: broken rule: %s\n", text);
    pthread_mutex_lock(&book);
    if (complaints++ == 0)
        snprintf(first, sizeof first, "%s", text);
    pthread_mutex_unlock(&book);
    if (aborts)
        abort();
}

int exosip_double_complaints(void)
{
    return complaints;
}

const char *exosip_double_first_complaint(void)
{
    return first;
}

void exosip_double_abort_on_complaint(int yes)
{
    aborts = yes;
}

/* -- failing on demand ------------------------------------------------------------------------------------ */

void exosip_double_fail(const char *function, int nth, int null)
{
    pthread_mutex_lock(&book);
    snprintf(fail_function, sizeof fail_function, "%s", function == NULL ? "" : function);
    fail_nth = nth;
    fail_null = null;
    fail_calls = fail_came = 0;
    pthread_mutex_unlock(&book);
}

int exosip_double_failed(void)
{
    return fail_came;
}

int exosip_double_calls(void)
{
    return fail_calls;
}

void rule_read_environment(void)
{
    const char *wanted = getenv("EXOSIP_DOUBLE_FAIL"), *abort_too = getenv("EXOSIP_DOUBLE_ABORT");
    char function[80] = "", null[8] = "";
    int nth = 1;
    if (abort_too != NULL)
        aborts = strcmp(abort_too, "0") != 0;
    D.crash = getenv("EXOSIP_DOUBLE_CRASH") != NULL && strcmp(getenv("EXOSIP_DOUBLE_CRASH"), "1") == 0;
    if (wanted != NULL && fail_function[0] == '\0' &&
        sscanf(wanted, "%79[^:]:%d:%7s", function, &nth, null) >= 1)
        exosip_double_fail(function, nth, strcmp(null, "null") == 0);
}

static int is_to_fail(const char *function)
{
    int fails;
    pthread_mutex_lock(&book);
    fails = strcmp(function, fail_function) == 0 && ++fail_calls == fail_nth;
    if (fails)
        fail_came = 1;
    injected_null = fails && fail_null;
    pthread_mutex_unlock(&book);
    return fails;
}

int rule_injected_null(void)
{
    return injected_null;
}

struct eXosip_t *rule_context(void)
{
    context = osip_malloc(sizeof *context); /* the program frees the one before */
    return context;
}

static void check_context(const char *function, const struct eXosip_t *given)
{
    if (given != context && strcmp(function, "eXosip_malloc") != 0)
        rule_complain("%s() with a context that eXosip_malloc() did not give", function);
}

int rule_enter(const char *function, const struct eXosip_t *given, int needs)
{
    check_context(function, given);
    if (needs != D_ANY && !D.running)
        rule_complain("%s() before eXosip_init() or after eXosip_quit()", function);
    if (needs == D_LOCKED && !holds)
        rule_complain("%s() without eXosip_lock()", function);
    inside++;
    return is_to_fail(function);
}

int rule_leave(int returned)
{
    inside--;
    return returned;
}

void rule_inside(int delta)
{
    inside += delta;
}

/* -- the lock --------------------------------------------------------------------------------------------- */

void rule_lock(const struct eXosip_t *given)
{
    check_context("eXosip_lock", given);
    if (!D.running)
        rule_complain("eXosip_lock() before eXosip_init() or after eXosip_quit()");
    if (holds) {
        rule_complain("eXosip_lock() twice in a thread: it is not recursive");
        return;
    }
    pthread_mutex_lock(&library);
    holds = 1;
}

void rule_unlock(const struct eXosip_t *given)
{
    check_context("eXosip_unlock", given);
    if (!holds) {
        rule_complain("eXosip_unlock() without eXosip_lock()");
        return;
    }
    holds = 0;
    pthread_mutex_unlock(&library);
}

void d_lock(void)
{
    pthread_mutex_lock(&library);
}

void d_unlock(void)
{
    pthread_mutex_unlock(&library);
}

void rule_event_wait(void)
{
    if (holds)
        rule_complain("eXosip_event_wait() while eXosip_lock() is held");
}

/* -- who owns what ---------------------------------------------------------------------------------------- */

static void book_add(struct owned **list, void *what, const char *from)
{
    struct owned *entry = malloc(sizeof *entry);
    if (entry == NULL)
        abort();
    pthread_mutex_lock(&book);
    entry->what = what;
    entry->from = from;
    entry->next = *list;
    *list = entry;
    pthread_mutex_unlock(&book);
}

static int book_remove(struct owned **list, const void *what)
{
    struct owned **link, *entry = NULL;
    pthread_mutex_lock(&book);
    for (link = list; *link != NULL && (*link)->what != what; link = &(*link)->next)
        ;
    if (*link != NULL) {
        entry = *link;
        *link = entry->next;
    }
    pthread_mutex_unlock(&book);
    free(entry);
    return entry != NULL;
}

void rule_handed_out(osip_message_t *message, const char *function)
{
    book_add(&messages, message, function);
}

void rule_taken(osip_message_t *message, const char *function)
{
    if (message != NULL && !book_remove(&messages, message))
        rule_complain("%s() with a message that was sent, freed or never given", function);
}

/* The program's own code, in the middle of the library's. */
void rule_call_back(CbSipCallback callback, osip_message_t *message, int received)
{
    int before = inside;
    if (callback == NULL)
        return;
    inside = 0;
    callback(message, received);
    inside = before;
}

void rule_event_out(eXosip_event_t *event)
{
    book_add(&events, event, "eXosip_event_wait");
}

void rule_event_back(eXosip_event_t *event)
{
    if (event != NULL && !book_remove(&events, event))
        rule_complain("eXosip_event_free() with an event that was freed or never given");
}

void rule_settle(void)
{
    if (messages != NULL)
        rule_complain("a message from %s() was neither sent nor freed", messages->from);
    if (events != NULL)
        rule_complain("an event was not freed");
    while (messages != NULL)
        book_remove(&messages, messages->what);
    while (events != NULL)
        book_remove(&events, events->what);
}

/* -- libosipparser2's functions that the program calls on its messages ------------------------------------ */

/* The function that this library stands in front of. */
static void *behind(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) {
        fprintf(stderr, "exosip double: %s() is not to be found\n", name);
        abort();
    }
    return function;
}

void osip_message_free(osip_message_t *message)
{
    static void (*real)(osip_message_t *);
    if (real == NULL)
        *(void **)&real = behind("osip_message_free");
    if (message != NULL && inside == 0 && !book_remove(&messages, message) && !book_remove(&copies, message))
        rule_complain("osip_message_free() on a message that was sent, freed or never given");
    real(message);
}

int osip_message_clone(const osip_message_t *message, osip_message_t **copy)
{
    static int (*real)(const osip_message_t *, osip_message_t **);
    int code;
    if (real == NULL)
        *(void **)&real = behind("osip_message_clone");
    code = real(message, copy);
    if (code == 0 && inside == 0)
        book_add(&copies, *copy, "osip_message_clone");
    return code;
}

int osip_message_set_header(osip_message_t *message, const char *name, const char *value)
{
    static int (*real)(osip_message_t *, const char *, const char *);
    if (real == NULL)
        *(void **)&real = behind("osip_message_set_header");
    return inside == 0 && is_to_fail("osip_message_set_header") ? OSIP_NOMEM : real(message, name, value);
}

int osip_message_set_content_type(osip_message_t *message, const char *value)
{
    static int (*real)(osip_message_t *, const char *);
    if (real == NULL)
        *(void **)&real = behind("osip_message_set_content_type");
    return inside == 0 && is_to_fail("osip_message_set_content_type") ? OSIP_NOMEM : real(message, value);
}

int osip_message_set_body(osip_message_t *message, const char *body, size_t length)
{
    static int (*real)(osip_message_t *, const char *, size_t);
    if (real == NULL)
        *(void **)&real = behind("osip_message_set_body");
    return inside == 0 && is_to_fail("osip_message_set_body") ? OSIP_NOMEM : real(message, body, length);
}

int osip_message_to_str(osip_message_t *message, char **text, size_t *length)
{
    static int (*real)(osip_message_t *, char **, size_t *);
    if (real == NULL)
        *(void **)&real = behind("osip_message_to_str");
    return inside == 0 && is_to_fail("osip_message_to_str") ? OSIP_NOMEM : real(message, text, length);
}
