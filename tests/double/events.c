/* events.c - the queue to the program. It has a lock of its own. */
#include "double.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct queued {
    eXosip_event_t event; /* first: its address is the event's */
    struct queued *next;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static struct queued *head, *tail;

static osip_message_t *copy(osip_message_t *message)
{
    osip_message_t *clone = NULL;
    if (message != NULL && osip_message_clone(message, &clone) != 0)
        abort();
    return clone;
}

static struct queued *item_new(int type, osip_transaction_t *tr)
{
    struct queued *item = calloc(1, sizeof *item);
    if (item == NULL)
        abort();
    item->event.type = (eXosip_event_type_t)type;
    if (tr != NULL) {
        item->event.tid = tr->transactionid;
        item->event.request = copy(tr->orig_request);
        item->event.response = copy(tr->last_response);
    }
    return item;
}

static void append(struct queued *item)
{
    pthread_mutex_lock(&mutex);
    if (tail != NULL)
        tail->next = item;
    else
        head = item;
    tail = item;
    if (write(D.told[1], "", 1) < 0 && errno != EAGAIN)
        abort();
    pthread_cond_signal(&arrived);
    pthread_mutex_unlock(&mutex);
}

void d_post_sub(int type, struct d_sub *sub, osip_transaction_t *tr)
{
    struct queued *item = item_new(type, tr);
    item->event.did = sub->did;
    item->event.sid = sub->incoming ? 0 : sub->id;
    item->event.nid = sub->incoming ? sub->id : 0;
    append(item);
}

void d_post(int type, struct d_call *call, struct d_reg *reg, osip_transaction_t *tr, osip_message_t *ack)
{
    struct queued *item = item_new(type, tr);
    item->event.cid = call == NULL ? 0 : call->cid;
    item->event.did = call == NULL ? 0 : call->did;
    item->event.rid = reg == NULL ? 0 : reg->rid;
    item->event.ack = copy(ack);
    append(item);
}

eXosip_event_t *d_event_wait(int milliseconds)
{
    struct queued *item;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += milliseconds % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_mutex_lock(&mutex);
    if (head == NULL)
        pthread_cond_timedwait(&arrived, &mutex, &until);
    item = head;
    if (item != NULL) {
        head = item->next;
        if (head == NULL)
            tail = NULL;
    }
    pthread_mutex_unlock(&mutex);
    return item == NULL ? NULL : &item->event;
}

void d_event_free(eXosip_event_t *event)
{
    if (event == NULL)
        return;
    osip_message_free(event->request);
    osip_message_free(event->response);
    osip_message_free(event->ack);
    free(event);
}

void d_events_clear(void)
{
    while (head != NULL)
        d_event_free(d_event_wait(0));
}
