/* visit.c - how each command enters an engine and leaves it. */
#include "visit.h"

int sb_enter(struct sb_visit *visit, int id, int offered)
{
    if (!offered)
        return SB_ENOTSUP;
    visit->engine = sb_engine_enter(id);
    if (visit->engine == NULL)
        return SB_ECLOSED;
    visit->core = &visit->engine->core;
    visit->object = visit->begun = NULL;
    sb_core_lock(visit->core);
    visit->state = visit->core->state;
    return SB_OK;
}

int sb_enter_object(struct sb_visit *visit, int id, int offered, int kind, sb_id object_id)
{
    int code = sb_enter(visit, id, offered);
    if (code != SB_OK)
        return code;
    visit->object = sb_core_find(visit->core, kind, object_id);
    return visit->object == NULL ? sb_leave(visit, SB_ENOENT) : SB_OK;
}

static int begin(struct sb_visit *visit, int kind)
{
    struct sb_object *object = sb_core_add(visit->core, kind, visit->object);
    if (object == NULL)
        return sb_leave(visit, SB_ENOMEM);
    object->outgoing = 1;
    if (kind == SB_KIND_CALL)
        object->state = SB_CALL_CALLING;
    else if (kind == SB_KIND_SUBSCRIPTION)
        object->state = SB_SUBSCRIPTION_OURS;
    visit->begun = object;
    return SB_OK;
}

int sb_enter_begin(struct sb_visit *visit, int id, int offered, int kind)
{
    int code = sb_enter(visit, id, offered);
    return code == SB_OK ? begin(visit, kind) : code;
}

int sb_begin_within(struct sb_visit *visit)
{
    return begin(visit, SB_KIND_TRANSACTION);
}

int sb_leave(struct sb_visit *visit, int code)
{
    sb_core_unlock(visit->core);
    sb_engine_leave(visit->engine);
    return code;
}

sb_id sb_leave_begun(struct sb_visit *visit, int code)
{
    sb_id id = code;
    if (code == SB_OK)
        id = visit->begun->id;
    else
        sb_core_remove(visit->core, visit->begun);
    sb_leave(visit, code);
    return id;
}
