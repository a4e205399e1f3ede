#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

/* An event and, behind it in the same allocation, its strings. `event` comes first: sb_event_free() gets
 * its address. */
struct record {
    sb_event event;
    struct record *next;
};

struct sb_queue {
    pthread_mutex_t mutex;
    pthread_cond_t pushed; /* for those who wait in sb_queue_pop() */
    int waiting;           /* how many these are */
    struct record *head, *tail;
    size_t length;
    int closed;
    int fds[2]; /* a pipe that holds one octet while there is an event, or after the close, once somebody polls it */
    int polled; /* somebody does: most do not, and it costs three system calls for each event */
};

static int prepare_pipe(int fds[2])
{
    int i;
    if (pipe(fds) != 0)
        return -1;
    for (i = 0; i < 2; i++) {
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
}

#if defined _POSIX_CLOCK_SELECTION && _POSIX_CLOCK_SELECTION >= 0
#define WAIT_CLOCK CLOCK_MONOTONIC
static void prepare_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, WAIT_CLOCK);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}
#else /* macOS */
#define WAIT_CLOCK CLOCK_REALTIME
static void prepare_condition(pthread_cond_t *condition)
{
    pthread_cond_init(condition, NULL);
}
#endif

struct sb_queue *sb_queue_new(void)
{
    struct sb_queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        return NULL;
    if (prepare_pipe(queue->fds) != 0) {
        free(queue);
        return NULL;
    }
    pthread_mutex_init(&queue->mutex, NULL);
    prepare_condition(&queue->pushed);
    return queue;
}

void sb_queue_free(struct sb_queue *queue)
{
    struct record *record;
    if (queue == NULL)
        return;
    while ((record = queue->head) != NULL) {
        queue->head = record->next;
        free(record);
    }
    close(queue->fds[0]);
    close(queue->fds[1]);
    pthread_cond_destroy(&queue->pushed);
    pthread_mutex_destroy(&queue->mutex);
    free(queue);
}

static void signal_readable(struct sb_queue *queue)
{
    ssize_t written;
    do
        written = write(queue->fds[1], "", 1);
    while (written < 0 && errno == EINTR);
}

static void clear_readable(struct sb_queue *queue)
{
    char octet;
    ssize_t got;
    do
        got = read(queue->fds[0], &octet, 1);
    while (got < 0 && errno == EINTR);
}

static size_t space_for(const char *text)
{
    return (text == NULL ? 0 : strlen(text)) + 1;
}

/* Copy a string to *where, which moves on behind it. */
static const char *packed(char **where, const char *text)
{
    size_t size = space_for(text);
    char *copy = *where;
    memcpy(copy, text == NULL ? "" : text, size);
    *where += size;
    return copy;
}

static struct record *record_new(const sb_event *event)
{
    size_t body_len = event->body == NULL ? 0 : event->body_len;
    size_t size = sizeof(struct record) + space_for(event->method) + space_for(event->reason) +
                  space_for(event->request_uri) + space_for(event->headers) + space_for(event->peer) +
                  space_for(event->source) + body_len + 1;
    struct record *record = malloc(size);
    char *where;
    if (record == NULL)
        return NULL;
    where = (char *)(record + 1);
    record->event = *event;
    record->next = NULL;
    record->event.method = packed(&where, event->method);
    record->event.reason = packed(&where, event->reason);
    record->event.request_uri = packed(&where, event->request_uri);
    record->event.headers = packed(&where, event->headers);
    record->event.peer = packed(&where, event->peer);
    record->event.source = packed(&where, event->source);
    if (body_len > 0)
        memcpy(where, event->body, body_len);
    where[body_len] = '\0';
    record->event.body = where;
    record->event.body_len = body_len;
    if (record->event.time_us == 0)
        record->event.time_us = sb_wall_clock_us();
    return record;
}

int sb_queue_push(struct sb_queue *queue, const sb_event *event)
{
    struct record *record = record_new(event);
    int waiting;
    if (record == NULL)
        return SB_ENOMEM;
    pthread_mutex_lock(&queue->mutex);
    if (queue->closed) {
        pthread_mutex_unlock(&queue->mutex);
        free(record);
        return SB_ECLOSED;
    }
    if (queue->tail != NULL)
        queue->tail->next = record;
    else
        queue->head = record;
    queue->tail = record;
    if (queue->length++ == 0 && queue->polled)
        signal_readable(queue);
    waiting = queue->waiting;
    pthread_mutex_unlock(&queue->mutex);
    if (waiting > 0) /* not under the lock: who is woken needs it first of all */
        pthread_cond_signal(&queue->pushed);
    return SB_OK;
}

/* Under the lock. Returns 1 with the event, 0 when there is none now, or SB_ECLOSED. */
static int take(struct sb_queue *queue, sb_event **event)
{
    struct record *record = queue->head;
    if (queue->closed)
        return SB_ECLOSED;
    if (record == NULL)
        return 0;
    queue->head = record->next;
    if (queue->head == NULL)
        queue->tail = NULL;
    if (--queue->length == 0 && queue->polled)
        clear_readable(queue);
    *event = &record->event;
    return 1;
}

static struct timespec deadline_after(int timeout_ms)
{
    struct timespec when;
    clock_gettime(WAIT_CLOCK, &when);
    when.tv_sec += timeout_ms / 1000;
    when.tv_nsec += timeout_ms % 1000 * 1000000;
    if (when.tv_nsec >= 1000000000) {
        when.tv_sec++;
        when.tv_nsec -= 1000000000;
    }
    return when;
}

/* Under the lock, which is free meanwhile: wait until the deadline (NULL: none). Returns 0 when it has passed. */
static int await_push(struct sb_queue *queue, const struct timespec *deadline)
{
    int code;
    queue->waiting++;
    if (deadline == NULL)
        code = pthread_cond_wait(&queue->pushed, &queue->mutex);
    else
        code = pthread_cond_timedwait(&queue->pushed, &queue->mutex, deadline);
    queue->waiting--;
    return code == 0;
}

int sb_queue_pop(struct sb_queue *queue, int timeout_ms, sb_event **event)
{
    struct timespec deadline;
    int found, in_time = timeout_ms != 0;
    if (timeout_ms > 0)
        deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&queue->mutex);
    while ((found = take(queue, event)) == 0 && in_time)
        in_time = await_push(queue, timeout_ms < 0 ? NULL : &deadline);
    pthread_mutex_unlock(&queue->mutex);
    return found;
}

void sb_queue_close(struct sb_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    if (!queue->closed) {
        queue->closed = 1;
        if (queue->polled)
            signal_readable(queue); /* nobody clears it after this */
        pthread_cond_broadcast(&queue->pushed);
    }
    pthread_mutex_unlock(&queue->mutex);
}

int sb_queue_fd(struct sb_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    if (!queue->polled) {
        queue->polled = 1;
        if (queue->length > 0 || queue->closed)
            signal_readable(queue);
    }
    pthread_mutex_unlock(&queue->mutex);
    return queue->fds[0];
}

size_t sb_queue_length(struct sb_queue *queue)
{
    size_t length;
    pthread_mutex_lock(&queue->mutex);
    length = queue->length;
    pthread_mutex_unlock(&queue->mutex);
    return length;
}

void sb_event_free(sb_event *event)
{
    free(event); /* the record that it is the head of */
}
