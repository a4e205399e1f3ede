/* record.c - what the engine keeps of objects, given back. */
#include "record.h"

#include "call.h"
#include "index.h"
#include "object.h"
#include "register.h"
#include "request.h"
#include "state.h"
#include "subscribe.h"

void exo_keep(struct sb_object *object, void *record)
{
    ((struct exo_record *)record)->object = object;
    object->lib = record;
}

void exo_release(void *data, struct sb_object *object)
{
    struct exosip *state = data;
    if (state != NULL)
        exo_unindex(state, object);
    exo_set_due(object->lib, 0);
    switch (object->kind) {
    case SB_KIND_CALL: exo_call_free(object->lib); break;
    case SB_KIND_REGISTRATION: exo_registration_free(state, object->lib); break;
    case SB_KIND_SUBSCRIPTION: exo_subscription_free(state, object->lib); break;
    case SB_KIND_TRANSACTION: exo_transaction_free(object->lib); break;
    default: break;
    }
    object->lib = NULL;
}
