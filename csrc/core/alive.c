/* alive.c - signs of life of an engine's thread. Only these two functions touch the counters. */
#include "alive.h"

#include <string.h>

#include "core_private.h"

sb_id sb_core_ping(struct sb_core *core)
{
    return core->first_ping + __sync_add_and_fetch(&core->pings, 1);
}

void sb_core_pong(struct sb_core *core)
{
    sb_event event;
    unsigned asked = __sync_add_and_fetch(&core->pings, 0);
    if (asked == core->pongs)
        return;
    memset(&event, 0, sizeof event);
    event.type = SB_EV_PONG;
    event.transaction = core->first_ping + asked;
    if (sb_core_post(core, &event) == SB_OK) /* or memory is out: again when the thread comes round */
        core->pongs = asked;
}
