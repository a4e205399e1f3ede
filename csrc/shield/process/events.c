/* events.c - the preloaded shield keeps the events that libeXosip2's queue has no room for.
 *
 * The queue takes a thousand, and what comes then is lost without a word: an INVITE among them is never answered, nor
 * are its repetitions. A thousand are there soon: in one turn the library tells of every call that it gives back, while
 * who takes the events may wait for the lock that it holds. What is kept here follows into the queue as room is made, in
 * its order. Only libeXosip2's calls of libosip2 get here: transactions have queues of their own, within libosip2.
 */
#include <pthread.h>
#include <stdlib.h>

#include "count.h"
#include "preload.h"

typedef int add_function(void *queue, void *event);
typedef void *take_function(void *queue);

/* A bound for the memory where nobody takes events any more. (The octet that the library writes to a pipe with each
 * event needs none: the library does not wait for room there. Those that are in the pipe wake who takes the events.) */
enum { MOST = 32768, FULL = -1 };

struct waiting {
    void *event;
    struct waiting *next;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void *full; /* the queue whose events wait; NULL: none do */
static struct waiting *first, *last;
static int count;

/* Under the mutex. 0, or FULL. */
static int keep(void *queue, void *event)
{
    struct waiting *waiting = count == MOST ? NULL : malloc(sizeof *waiting);
    if (waiting == NULL)
        return FULL;
    waiting->event = event;
    waiting->next = NULL;
    if (count++ == 0)
        first = waiting;
    else
        last->next = waiting;
    last = waiting;
    full = queue;
    return 0;
}

/* As many as there is room for follow into the queue. Under the mutex. */
static void refill(void *queue, add_function *add)
{
    while (first != NULL && add(queue, first->event) == 0) {
        struct waiting *moved = first;
        first = moved->next;
        free(moved);
        if (--count == 0)
            full = NULL;
    }
}

static int add_or_keep(void *queue, void *event, add_function *add)
{
    int code = 0;
    pthread_mutex_lock(&mutex);
    if (full != queue)
        code = add(queue, event);
    if (full == queue || (code != 0 && full == NULL))
        code = keep(queue, event);
    pthread_mutex_unlock(&mutex);
    return code;
}

add_function osip_fifo_add;
take_function osip_fifo_tryget;

EXPORTED int osip_fifo_add(void *queue, void *event)
{
    static const struct shield_verdict LOST = {SHIELD_DROP, SHIELD_QUEUE_FULL, 0};
    int code;
    PRELOAD_FIND(add_function, add, "osip_fifo_add")
    if (!preload_is_screened(__builtin_return_address(0)))
        return add(queue, event);
    code = add_or_keep(queue, event, add);
    if (code != 0)
        shield_count(LOST, "", 0, preload_microseconds());
    return code;
}

EXPORTED void *osip_fifo_tryget(void *queue)
{
    void *event;
    PRELOAD_FIND(take_function, take, "osip_fifo_tryget")
    event = take(queue);
    if (!preload_is_screened(__builtin_return_address(0)))
        return event;
    PRELOAD_FIND(add_function, add, "osip_fifo_add")
    pthread_mutex_lock(&mutex);
    if (full == queue)
        refill(queue, add);
    pthread_mutex_unlock(&mutex);
    return event;
}
