#include "clock.h"
#include "core_private.h"
#include "last.h"
#include "origin.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* The user may leave this many events unread. With more, new requests are answered 503. It is some seconds of a busy
 * service, and limits the memory. */
enum { CONGESTED = 10000 };

/* It is held for some microseconds at most times, which is less than it takes to sleep and to be woken. */
static void init_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
#ifdef __GLIBC__
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
    pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

int sb_core_init(struct sb_core *core)
{
    memset(core, 0, sizeof *core);
    core->queue = sb_queue_new();
    if (core->queue == NULL)
        return SB_ENOMEM;
    init_mutex(&core->mutex);
    return SB_OK;
}

void sb_core_lock(struct sb_core *core)
{
    pthread_mutex_lock(&core->mutex);
}

void sb_core_unlock(struct sb_core *core)
{
    pthread_mutex_unlock(&core->mutex);
}

static int compare_ids(const void *a, const void *b)
{
    sb_id left = ((const struct sb_object *)a)->id, right = ((const struct sb_object *)b)->id;
    return (left > right) - (left < right);
}

struct sb_object *sb_core_add(struct sb_core *core, int kind, struct sb_object *call)
{
    struct sb_object *object = calloc(1, sizeof *object);
    if (object == NULL)
        return NULL;
    object->id = core->last_id + 1;
    object->kind = kind;
    if (kind == SB_KIND_CALL)
        object->state = SB_CALL_INCOMING;
    else if (kind == SB_KIND_SUBSCRIPTION)
        object->state = SB_SUBSCRIPTION_ASKED;
    if (tsearch(object, &core->objects, compare_ids) == NULL) {
        free(object);
        return NULL;
    }
    core->last_id = object->id;
    if (call != NULL) {
        object->call = call;
        object->next = call->first;
        call->first = object;
    }
    return object;
}

struct sb_object *sb_core_find(struct sb_core *core, int kind, sb_id id)
{
    struct sb_object wanted, **node;
    wanted.id = id;
    node = tfind(&wanted, &core->objects, compare_ids);
    return node != NULL && (*node)->kind == kind ? *node : NULL;
}

static void unlink_from_call(struct sb_object *transaction)
{
    struct sb_object **link = &transaction->call->first;
    while (*link != transaction)
        link = &(*link)->next;
    *link = transaction->next;
}

void sb_core_remove(struct sb_core *core, struct sb_object *object)
{
    while (object->first != NULL)
        sb_core_remove(core, object->first);
    if (object->call != NULL)
        unlink_from_call(object);
    tdelete(object, &core->objects, compare_ids);
    if (object->lib != NULL)
        sb_backend.release(core->state, object);
    free(object);
    core->removed[0]++;
}

void sb_core_clear(struct sb_core *core)
{
    core->state = NULL;
    while (core->objects != NULL) /* the first member of a tsearch() node is the key */
        sb_core_remove(core, *(struct sb_object **)core->objects);
    sb_queue_free(core->queue);
    sb_flight_free(core->flight);
    pthread_mutex_destroy(&core->mutex);
}

/* twalk() passes no argument to its callback, so it stands here. Each walk happens under one core's lock, but several
 * cores may walk at once: it is thread-local. */
static __thread struct {
    int kind;
    void (*visit)(struct sb_object *object, void *arg);
    void *arg;
} walk;

static void visit_node(const void *node, VISIT order, int depth)
{
    struct sb_object *object = *(struct sb_object *const *)node;
    (void)depth;
    if ((order == postorder || order == leaf) && object->kind == walk.kind)
        walk.visit(object, walk.arg);
}

void sb_core_each(struct sb_core *core, int kind, void (*visit)(struct sb_object *object, void *arg),
                  void *arg)
{
    walk.kind = kind;
    walk.visit = visit;
    walk.arg = arg;
    twalk(core->objects, visit_node);
}

/* After a hang-up the user wants to know of the end, and of responses to what was sent before, but of nothing else. */
static int is_wanted(const struct sb_object *call, int type)
{
    return call->state != SB_CALL_ENDING || type == SB_EV_CALL_RESPONSE || type == SB_EV_CALL_ENDED;
}

static void follow_response(struct sb_core *core, struct sb_object *call, const sb_event *event)
{
    struct sb_object *transaction = sb_core_find(core, SB_KIND_TRANSACTION, event->transaction);
    if (transaction == NULL)
        return;
    if (transaction->is_invite) {
        call->invite_pending = 0;
        call->ack_due = event->status < 300 && call->state == SB_CALL_ESTABLISHED;
    }
    sb_core_remove(core, transaction);
}

/* Set the state that the call is in after this event. */
static void follow_call(struct sb_core *core, struct sb_object *call, const sb_event *event)
{
    switch (event->type) {
    case SB_EV_CALL_ANSWERED:
        call->state = SB_CALL_ANSWERED;
        call->ack_due = 1;
        break;
    case SB_EV_CALL_CONFIRMED:
        call->state = SB_CALL_ESTABLISHED;
        break;
    case SB_EV_CALL_REINVITE:
        call->invite_pending = 1;
        break;
    case SB_EV_CALL_RESPONSE:
        follow_response(core, call, event);
        break;
    case SB_EV_CALL_ENDED:
        sb_core_remove(core, call);
        break;
    default:
        break;
    }
}

static void follow_state(struct sb_core *core, int kind, sb_id id, int state)
{
    struct sb_object *object = sb_core_find(core, kind, id);
    if (object != NULL && state != SB_STATE_ACTIVE)
        sb_core_remove(core, object);
}

/* Remove the object that this event, which is about no call, ends. */
static void follow_other(struct sb_core *core, const sb_event *event)
{
    switch (event->type) {
    case SB_EV_RESPONSE:
        follow_state(core, SB_KIND_TRANSACTION, event->transaction, SB_STATE_ENDED);
        break;
    case SB_EV_REGISTRATION:
        follow_state(core, SB_KIND_REGISTRATION, event->registration, event->state);
        break;
    case SB_EV_SUBSCRIPTION:
        follow_state(core, SB_KIND_SUBSCRIPTION, event->subscription, event->state);
        break;
    case SB_EV_UNSUBSCRIBED:
        follow_state(core, SB_KIND_SUBSCRIPTION, event->subscription, SB_STATE_ENDED);
        break;
    default:
        break;
    }
}

static int is_unreached(struct sb_core *core, const sb_event *event)
{
    const struct sb_object *call;
    if (event->status != 503)
        return 0;
    switch (event->type) {
    case SB_EV_RESPONSE:
    case SB_EV_CALL_RESPONSE:
        return 1;
    case SB_EV_REGISTRATION:
    case SB_EV_SUBSCRIPTION:
        return event->state == SB_STATE_FAILED;
    case SB_EV_CALL_ENDED:
        call = sb_core_find(core, SB_KIND_CALL, event->call);
        return event->cause == SB_CAUSE_FAILED && call != NULL && call->state == SB_CALL_CALLING && !call->heard;
    default:
        return 0;
    }
}

void sb_core_mark_unreached(struct sb_core *core, sb_event *event)
{
    if (!is_unreached(core, event))
        return;
    event->cause = SB_CAUSE_UNREACHABLE;
    if (event->reason == NULL)
        event->reason = SB_UNREACHED;
}

int sb_core_post(struct sb_core *core, const sb_event *event)
{
    struct sb_object *call;
    int code;
    if (event->call == 0) {
        code = sb_queue_push(core->queue, event);
        follow_other(core, event);
        return code == SB_ENOMEM ? code : SB_OK;
    }
    call = sb_core_find(core, SB_KIND_CALL, event->call);
    if (call == NULL || !is_wanted(call, event->type))
        return SB_OK;
    code = sb_queue_push(core->queue, event);
    follow_call(core, call, event);
    return code == SB_ENOMEM ? code : SB_OK;
}

int sb_core_take_origin(struct sb_core *core, struct sb_origin *origin)
{
    return core->front != NULL && core->front->take_origin(origin);
}

void sb_core_watch(struct sb_core *core, int on)
{
    if (core->front == NULL)
        return;
    core->watched = on;
    core->front->watch(on ? core : NULL);
}

int sb_core_is_watched(const struct sb_core *core)
{
    return core->watched;
}

void sb_core_trace(struct sb_core *core, int outgoing, const char *peer, const struct sb_origin *origin,
                   const char *octets, size_t length)
{
    sb_event event;
    if (core->flight != NULL) {
        int64_t time_us = origin != NULL && origin->time_us > 0 ? origin->time_us : sb_wall_clock_us();
        sb_flight_add(core->flight, (uint64_t)time_us, outgoing, peer, octets, length);
        if (!outgoing && !core->watched) /* no shield has seen it before */
            sb_last_add(time_us, peer, octets, length);
    }
    if (!core->traces || sb_core_congested(core)) /* what nobody reads must not fill the memory */
        return;
    memset(&event, 0, sizeof event);
    event.type = SB_EV_TRACE;
    event.outgoing = outgoing;
    event.peer = peer;
    event.body = octets;
    event.body_len = length;
    sb_origin_tell(origin, &event);
    sb_queue_push(core->queue, &event);
}

void sb_core_tidy(struct sb_core *core)
{
    size_t sum = 0;
    int i;
    for (i = 0; i < SB_TIDY_TICKS; i++)
        sum += core->removed[i];
    memmove(core->removed + 1, core->removed, sizeof core->removed - sizeof *core->removed);
    core->removed[0] = 0;
    if (sum >= core->peak) {
        core->peak = sum;
    } else if (sum <= core->peak / 2) {
        core->peak = sum;
#ifdef __GLIBC__
        malloc_trim(0); /* on its own, glibc keeps free memory that lies between used memory */
#endif
    }
}

int sb_core_congested(struct sb_core *core)
{
    return sb_queue_length(core->queue) > CONGESTED;
}

int sb_core_refuses(struct sb_core *core)
{
    return sb_core_closing(core) || sb_core_congested(core);
}

int sb_core_own_answer(struct sb_core *core, const struct sb_object *call, int is_options)
{
    if (is_options && (call != NULL || !core->tells_options))
        return core->draining && call == NULL ? 503 : 200;
    if (call != NULL && call->state == SB_CALL_ENDING)
        return 481;
    return sb_core_refuses(core) ? 503 : 0;
}

void sb_core_drop_request(struct sb_core *core, struct sb_object *transaction)
{
    if (transaction->is_invite)
        transaction->call->invite_pending = 0;
    sb_core_remove(core, transaction);
}

int sb_cause_of_refusal(int status)
{
    return status < 400 ? SB_CAUSE_REDIRECTED : SB_CAUSE_REJECTED;
}
