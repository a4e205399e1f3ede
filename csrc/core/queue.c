#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
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
    struct record *head, *tail;
    size_t length;
    int closed;
    int fds[2]; /* a pipe that holds one octet while there is an event, or after the close */
};

static int64_t wall_clock_us(void)
{
    struct timeval now;
    gettimeofday(&now, NULL);
    return (int64_t)now.tv_sec * 1000000 + now.tv_usec;
}

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
                  body_len + 1;
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
    if (body_len > 0)
        memcpy(where, event->body, body_len);
    where[body_len] = '\0';
    record->event.body = where;
    record->event.body_len = body_len;
    if (record->event.time_us == 0)
        record->event.time_us = wall_clock_us();
    return record;
}

int sb_queue_push(struct sb_queue *queue, const sb_event *event)
{
    struct record *record = record_new(event);
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
    if (queue->length++ == 0)
        signal_readable(queue);
    pthread_mutex_unlock(&queue->mutex);
    return SB_OK;
}

/* Returns 1 with the event, 0 when there is none now, or SB_ECLOSED. */
static int take(struct sb_queue *queue, sb_event **event)
{
    struct record *record;
    int found = 0;
    pthread_mutex_lock(&queue->mutex);
    record = queue->head;
    if (queue->closed) {
        found = SB_ECLOSED;
    } else if (record != NULL) {
        queue->head = record->next;
        if (queue->head == NULL)
            queue->tail = NULL;
        if (--queue->length == 0)
            clear_readable(queue);
        *event = &record->event;
        found = 1;
    }
    pthread_mutex_unlock(&queue->mutex);
    return found;
}

/* Wait until the pipe is readable or the deadline (< 0: none) has passed. Returns 0 when it has. */
static int await_readable(const struct sb_queue *queue, int64_t deadline)
{
    struct pollfd wanted;
    int64_t left = -1;
    int ready;
    wanted.fd = queue->fds[0];
    wanted.events = POLLIN;
    do {
        if (deadline >= 0) {
            left = deadline - sb_monotonic_ms();
            if (left <= 0)
                return 0;
        }
        ready = poll(&wanted, 1, (int)left);
    } while (ready < 0 && errno == EINTR);
    return ready;
}

int sb_queue_pop(struct sb_queue *queue, int timeout_ms, sb_event **event)
{
    int64_t deadline = timeout_ms < 0 ? -1 : sb_monotonic_ms() + timeout_ms;
    for (;;) {
        int found = take(queue, event);
        if (found != 0 || timeout_ms == 0)
            return found;
        if (await_readable(queue, deadline) == 0)
            return take(queue, event);
    }
}

void sb_queue_close(struct sb_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    if (!queue->closed) {
        queue->closed = 1;
        signal_readable(queue); /* nobody clears it after this */
    }
    pthread_mutex_unlock(&queue->mutex);
}

int sb_queue_fd(const struct sb_queue *queue)
{
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
