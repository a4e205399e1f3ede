/* events.c - no event is lost, nor does one overtake another, when libosip2's queue is full: the shield keeps what it has
 * no room for. In libosip2's place here is a queue that refuses the eleventh event. */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "count.h"
#include "preload.h"

enum { ROOM = 10, STEPS = 200000, MOST = 32768 };

int osip_fifo_add(void *queue, void *event);
void *osip_fifo_tryget(void *queue);

struct queue {
    void *events[ROOM];
    int count;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int is_screened = 1;

static void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static int add(void *data, void *event)
{
    struct queue *queue = data;
    int code = -1;
    pthread_mutex_lock(&mutex);
    if (queue->count < ROOM) {
        queue->events[queue->count++] = event;
        code = 0;
    }
    pthread_mutex_unlock(&mutex);
    return code;
}

static void *take(void *data)
{
    struct queue *queue = data;
    void *event = NULL;
    pthread_mutex_lock(&mutex);
    if (queue->count > 0) {
        event = queue->events[0];
        memmove(queue->events, queue->events + 1, (size_t)--queue->count * sizeof event);
    }
    pthread_mutex_unlock(&mutex);
    return event;
}

void *preload_find(const char *name, const void *caller)
{
    void *found = NULL;
    (void)caller;
    if (strcmp(name, "osip_fifo_add") == 0)
        *(int (**)(void *, void *))&found = add;
    else if (strcmp(name, "osip_fifo_tryget") == 0)
        *(void *(**)(void *))&found = take;
    require(found != NULL, name);
    return found;
}

int preload_is_screened(const void *caller)
{
    (void)caller;
    return is_screened;
}

int64_t preload_microseconds(void)
{
    return 0;
}

static uint64_t lost(void)
{
    struct shield_counts counts;
    shield_counts(&counts);
    return counts.dropped[SHIELD_QUEUE_FULL];
}

/* One more is lost: it is counted, and standard error tells of it. */
static void lose(struct queue *queue)
{
    static const char LINE[] = "sipbridge: shield: lost an event of the library: queue-full\n";
    char told[sizeof LINE] = "";
    uint64_t before = lost();
    int ends[2], errors = dup(STDERR_FILENO);
    require(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) >= 0, "no pipe");
    require(osip_fifo_add(queue, queue) != 0 && lost() == before + 1, "not counted");
    require(write(ends[1], "\n", 1) == 1 && read(ends[0], told, sizeof LINE - 1) > 0, "no octet");
    require(dup2(errors, STDERR_FILENO) >= 0, "no standard error");
    require(strcmp(told, LINE) == 0, told);
}

/* Bursts of any length, from none to many times the room. */
static void mix(void)
{
    static struct queue queue, other;
    uintptr_t added = 0, taken = 0;
    int step, burst;
    for (step = 0; step < STEPS; step++) {
        for (burst = rand() % 4 == 0 ? rand() % (6 * ROOM) : 0; burst > 0; burst--)
            require(osip_fifo_add(&queue, (void *)++added) == 0, "refused");
        for (burst = rand() % (3 * ROOM); burst > 0 && taken < added; burst--)
            require((uintptr_t)osip_fifo_tryget(&queue) == ++taken, "lost, or another one came first");
        require(osip_fifo_add(&other, &queue) == 0 && osip_fifo_tryget(&other) == &queue, "another queue");
    }
    while (taken < added)
        require((uintptr_t)osip_fifo_tryget(&queue) == ++taken, "lost at the end");
    require(osip_fifo_tryget(&queue) == NULL, "more than there were");
    require(lost() == 0, "counted as lost");
}

static void *produce(void *queue)
{
    uintptr_t i;
    for (i = 1; i <= STEPS; i++)
        while (osip_fifo_add(queue, (void *)i) != 0)
            sched_yield();
    return NULL;
}

static void take_in_another_thread(void)
{
    static struct queue queue;
    pthread_t producer;
    uintptr_t taken = 0;
    require(pthread_create(&producer, NULL, produce, &queue) == 0, "no thread");
    while (taken < STEPS) {
        uintptr_t event = (uintptr_t)osip_fifo_tryget(&queue);
        if (event == 0)
            sched_yield();
        else
            require(event == ++taken, "lost between threads");
    }
    pthread_join(producer, NULL);
}

/* There is an end to it, and what is lost then is counted; and it is empty after that. */
static void fill(void)
{
    static struct queue queue;
    uintptr_t added = 0, taken = 0;
    while (osip_fifo_add(&queue, (void *)(added + 1)) == 0)
        added++;
    require(added == ROOM + MOST, "another bound");
    require(lost() == 1, "not counted");
    lose(&queue);
    while (taken < added)
        require((uintptr_t)osip_fifo_tryget(&queue) == ++taken, "lost when it was full");
    require(osip_fifo_tryget(&queue) == NULL && osip_fifo_add(&queue, &queue) == 0, "not as before");
}

/* What others than the library do is theirs. */
static void leave_others_alone(void)
{
    static struct queue queue;
    uint64_t counted = lost();
    int i;
    is_screened = 0;
    for (i = 0; i < ROOM; i++)
        require(osip_fifo_add(&queue, &queue) == 0, "no room");
    require(osip_fifo_add(&queue, &queue) != 0 && lost() == counted, "kept or counted for others");
    is_screened = 1;
}

int main(void)
{
    mix();
    fill();
    take_in_another_thread();
    leave_others_alone();
    return 0;
}
