/* events.c - how events are taken out of an engine. */
#include <stdlib.h>
#include <string.h>

#include "engines.h"
#include "flight.h"
#include "frames.h"

int sb_fd(int id)
{
    struct sb_engine *engine = sb_engine_enter(id);
    int fd;
    if (engine == NULL)
        return SB_ECLOSED;
    fd = sb_queue_fd(engine->core.queue);
    sb_engine_leave(engine);
    return fd;
}

int sb_backlog(int id)
{
    struct sb_engine *engine = sb_engine_enter(id);
    size_t length;
    if (engine == NULL)
        return SB_ECLOSED;
    length = sb_queue_length(engine->core.queue);
    sb_engine_leave(engine);
    return (int)length;
}

int sb_wait(int id, int timeout_ms, sb_event **event)
{
    struct sb_engine *engine;
    int found;
    if (event == NULL)
        return SB_EINVAL;
    *event = NULL;
    engine = sb_engine_enter(id);
    if (engine == NULL)
        return SB_ECLOSED;
    found = sb_queue_pop(engine->core.queue, timeout_ms, event);
    sb_engine_leave(engine);
    return found;
}

int sb_wake(int id)
{
    struct sb_engine *engine = sb_engine_enter(id);
    sb_event event;
    int code;
    if (engine == NULL)
        return SB_ECLOSED;
    memset(&event, 0, sizeof event);
    event.type = SB_EV_WAKE;
    code = sb_queue_push(engine->core.queue, &event);
    sb_engine_leave(engine);
    return code;
}

/* The frames of these events in one piece of memory, or NULL. */
static char *framed(sb_event *const events[], int count, size_t *length)
{
    char *frames, *end;
    int i;
    *length = 0;
    for (i = 0; i < count; i++)
        *length += sb_frame_size(events[i]);
    frames = end = malloc(*length);
    for (i = 0; frames != NULL && i < count; i++)
        end = sb_frame_put(end, events[i]);
    return frames;
}

int sb_take_frames(int id, int timeout_ms, int max, char **frames, size_t *length)
{
    sb_event *events[SB_MAX_FRAMES];
    struct sb_engine *engine;
    int count = 0, i, found = 0;
    if (max < 1 || max > SB_MAX_FRAMES || frames == NULL || length == NULL)
        return SB_EINVAL;
    engine = sb_engine_enter(id);
    if (engine == NULL)
        return SB_ECLOSED;
    while (count < max && (found = sb_queue_pop(engine->core.queue, timeout_ms, &events[count])) > 0) {
        count++;
        timeout_ms = 0;
    }
    sb_engine_leave(engine);
    if (count == 0)
        return found;
    *frames = framed(events, count, length);
    for (i = 0; i < count; i++)
        sb_event_free(events[i]);
    return *frames == NULL ? SB_ENOMEM : count;
}

int sb_flight(int id, int take, char **records, size_t *length)
{
    struct sb_engine *engine;
    char *found = NULL;
    size_t octets = 0;
    if (records == NULL || length == NULL)
        return SB_EINVAL;
    engine = sb_engine_enter(id);
    if (engine == NULL)
        return SB_ECLOSED;
    if (engine->core.flight != NULL)
        found = sb_flight_records(engine->core.flight, take, &octets);
    sb_engine_leave(engine);
    if (found == NULL)
        return 0;
    *records = found;
    *length = octets;
    return 1;
}
