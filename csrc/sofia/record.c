/* record.c - records: what nta holds a pointer to. */
#include "record.h"

#include <stdlib.h>

#include "auth.h"
#include "call.h"
#include "core.h"
#include "leases.h"
#include "loop.h"
#include "notify.h"
#include "request.h"
#include "state.h"
#include "subscribe.h"

void *sof_record_new(struct sofia *state, sb_id id, size_t size)
{
    struct sof_record *record = calloc(1, size);
    if (record == NULL)
        return NULL;
    record->state = state;
    record->id = id;
    record->disposal = calloc(1, sizeof *record->disposal);
    if (record->disposal == NULL) {
        free(record);
        return NULL;
    }
    return record; /* its home is as SU_HOME_INIT() makes one: most need no memory of it */
}

struct sb_object *sof_object(const struct sof_record *record, int kind)
{
    return sb_core_find(record->state->core, kind, record->id);
}

static void on_timer(struct sofia *unused, su_timer_t *timer, struct sof_record *record)
{
    struct sofia *state = record->state;
    (void)unused;
    (void)timer;
    sof_enter(state);
    if (record->fire != NULL)
        record->fire(record);
    sof_leave(state);
}

void sof_set_timer(struct sof_record *record, unsigned ms, void (*fire)(struct sof_record *record))
{
    record->fire = ms == 0 ? NULL : fire;
    if (record->timer == NULL && ms > 0)
        record->timer = su_timer_create(su_root_task(record->state->root), 0);
    if (record->timer == NULL)
        return;
    su_timer_reset(record->timer);
    if (ms > 0)
        su_timer_set_interval(record->timer, on_timer, record, ms);
}

static void record_free(struct sof_record *record, int kind)
{
    switch (kind) {
    case SB_KIND_CALL: sof_call_free((struct sof_call *)record); break;
    case SB_KIND_REGISTRATION: sof_request_clear(&((struct sof_lease *)record)->request); break;
    case SB_KIND_SUBSCRIPTION: sof_subscription_free((struct sof_subscription *)record); break;
    case SB_KIND_TRANSACTION: sof_transaction_free((struct sof_transaction *)record); break;
    default: break;
    }
    sof_forget_secrets(record, NULL);
    if (record->timer != NULL)
        su_timer_destroy(record->timer);
    if (record->leg != NULL)
        nta_leg_destroy(record->leg);
    su_home_deinit(record->home);
    free(record);
}

static void run_dispose(struct sofia *state, struct sof_command *command)
{
    (void)state;
    record_free(command->record, command->kind);
}

/* The record is freed later: this call may come from another thread, or while nta works on the record. */
void sof_release(void *data, struct sb_object *object)
{
    struct sof_record *record = object->lib;
    struct sofia *state = record->state;
    (void)data;
    object->lib = NULL;
    record->disposal->run = run_dispose;
    record->disposal->record = record;
    record->disposal->kind = object->kind;
    sof_enqueue(state, record->disposal);
}

void sof_give_back(struct sb_object *object, void *unused)
{
    struct sof_record *record = object->lib;
    (void)unused;
    if (record == NULL)
        return;
    object->lib = NULL;
    free(record->disposal);
    record_free(record, object->kind);
}
