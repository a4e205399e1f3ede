/* index.c - finds our objects by the library's numbers. */
#include "index.h"

#include <search.h>
#include <string.h>

#include "call.h"
#include "object.h"
#include "register.h"
#include "request.h"
#include "state.h"
#include "subscribe.h"

static int compare_numbers(int a, int b)
{
    return (a > b) - (a < b);
}

static int compare_calls(const void *a, const void *b)
{
    const struct exo_call *left = ((const struct sb_object *)a)->lib;
    const struct exo_call *right = ((const struct sb_object *)b)->lib;
    return compare_numbers(left->cid, right->cid);
}

static int compare_registrations(const void *a, const void *b)
{
    const struct exo_registration *left = ((const struct sb_object *)a)->lib;
    const struct exo_registration *right = ((const struct sb_object *)b)->lib;
    return compare_numbers(left->rid, right->rid);
}

static int compare_requests(const void *a, const void *b)
{
    const struct exo_transaction *left = ((const struct sb_object *)a)->lib;
    const struct exo_transaction *right = ((const struct sb_object *)b)->lib;
    return strcmp(left->call_id, right->call_id);
}

static int compare_subscriptions(const void *a, const void *b)
{
    const struct exo_subscription *left = ((const struct sb_object *)a)->lib;
    const struct exo_subscription *right = ((const struct sb_object *)b)->lib;
    return strcmp(left->call_id, right->call_id);
}

static int compare_notifiers(const void *a, const void *b)
{
    const struct exo_subscription *left = ((const struct sb_object *)a)->lib;
    const struct exo_subscription *right = ((const struct sb_object *)b)->lib;
    return compare_numbers(left->did, right->did);
}

/* SB_OK, SB_ENOMEM, or SB_ELIBRARY when the number is taken. */
static int insert(struct sb_object *object, void **root, int (*compare)(const void *, const void *))
{
    struct sb_object **node = tsearch(object, root, compare);
    if (node == NULL)
        return SB_ENOMEM;
    return *node == object ? SB_OK : SB_ELIBRARY;
}

int exo_index_call(struct exosip *state, struct sb_object *call)
{
    return insert(call, &state->calls, compare_calls);
}

int exo_index_registration(struct exosip *state, struct sb_object *registration)
{
    return insert(registration, &state->registrations, compare_registrations);
}

int exo_index_request(struct exosip *state, struct sb_object *transaction)
{
    return insert(transaction, &state->requests, compare_requests);
}

int exo_index_subscription(struct exosip *state, struct sb_object *subscription)
{
    return insert(subscription, &state->subscriptions, compare_subscriptions);
}

int exo_index_notifier(struct exosip *state, struct sb_object *subscription)
{
    return insert(subscription, &state->notifiers, compare_notifiers);
}

/* tdelete() removes whatever has this key; remove the object itself alone. */
static void take(struct sb_object *object, void **root, int (*compare)(const void *, const void *))
{
    struct sb_object **node = tfind(object, root, compare);
    if (node != NULL && *node == object)
        tdelete(object, root, compare);
}

static void take_subscription(struct exosip *state, struct sb_object *subscription)
{
    if (!subscription->outgoing)
        take(subscription, &state->notifiers, compare_notifiers);
    else if (((struct exo_subscription *)subscription->lib)->call_id != NULL)
        take(subscription, &state->subscriptions, compare_subscriptions);
}

void exo_unindex(struct exosip *state, struct sb_object *object)
{
    if (object->kind == SB_KIND_CALL)
        take(object, &state->calls, compare_calls);
    else if (object->kind == SB_KIND_REGISTRATION)
        take(object, &state->registrations, compare_registrations);
    else if (object->kind == SB_KIND_SUBSCRIPTION)
        take_subscription(state, object);
    else if (((struct exo_transaction *)object->lib)->call_id != NULL)
        take(object, &state->requests, compare_requests);
}

static struct sb_object *find(void *lib, void **root, int (*compare)(const void *, const void *))
{
    struct sb_object wanted, **node;
    wanted.lib = lib;
    node = tfind(&wanted, root, compare);
    return node == NULL ? NULL : *node;
}

struct sb_object *exo_find_call(struct exosip *state, int cid)
{
    struct exo_call wanted;
    wanted.cid = cid;
    return find(&wanted, &state->calls, compare_calls);
}

struct sb_object *exo_find_registration(struct exosip *state, int rid)
{
    struct exo_registration wanted;
    wanted.rid = rid;
    return find(&wanted, &state->registrations, compare_registrations);
}

struct sb_object *exo_find_request(struct exosip *state, const char *call_id)
{
    struct exo_transaction wanted;
    wanted.call_id = (char *)call_id;
    return find(&wanted, &state->requests, compare_requests);
}

struct sb_object *exo_find_subscription(struct exosip *state, const char *call_id)
{
    struct exo_subscription wanted;
    wanted.call_id = (char *)call_id;
    return find(&wanted, &state->subscriptions, compare_subscriptions);
}

struct sb_object *exo_find_notifier(struct exosip *state, int did)
{
    struct exo_subscription wanted;
    wanted.did = did;
    return find(&wanted, &state->notifiers, compare_notifiers);
}

static int compare_nothing(const void *a, const void *b)
{
    (void)a;
    (void)b;
    return 0; /* every node is as good as another: all of them go */
}

static void clear(void **root)
{
    while (*root != NULL)
        tdelete(*(void **)*root, root, compare_nothing);
}

void exo_clear_indexes(struct exosip *state)
{
    clear(&state->calls);
    clear(&state->registrations);
    clear(&state->requests);
    clear(&state->subscriptions);
    clear(&state->notifiers);
}
