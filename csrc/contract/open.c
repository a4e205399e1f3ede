/* open.c - engines: open, close, what they are called, and what they tell of themselves. */
#include <stdlib.h>

#include "alive.h"
#include "check.h"
#include "engines.h"
#include "screened.h"

const char *sb_engine_name(void)
{
    return sb_backend.name;
}

const char *sb_engine_version(void)
{
    return sb_backend.version();
}

const char *sb_error_text(int code)
{
    switch (code) {
    case SB_OK: return "success";
    case SB_EINVAL: return "an argument is missing or malformed";
    case SB_ENOENT: return "no such call, registration, subscription or transaction (any more)";
    case SB_ESTATE: return "not possible in the state that it is in";
    case SB_EBUSY: return "the library runs one engine per process, and one is open";
    case SB_EADDRINUSE: return "the port is in use";
    case SB_ENET: return "the address cannot be bound: it is not this machine's, or permission is missing";
    case SB_ENOMEM: return "out of memory, file descriptors or threads";
    case SB_ENOTSUP: return "this engine does not offer it";
    case SB_ETOOBIG: return "longer than a SIP message may carry";
    case SB_ECLOSED: return "the engine is closed";
    case SB_ELIBRARY: return "the SIP library refused, without a reason";
    case SB_EVERSION: return "the SIP library is not of the version that the engine was built for";
    default: return code > 0 ? "success" : "unknown error code";
    }
}

int sb_open(const sb_config *config)
{
    struct sb_engine *engine;
    sb_config complete;
    int code = sb_check_config(config);
    if (code != SB_OK)
        return code;
    complete = *config;
    if (complete.transport == 0)
        complete.transport = SB_UDP;
    engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return SB_ENOMEM;
    code = sb_core_init(&engine->core);
    if (code != SB_OK) {
        free(engine);
        return code;
    }
    if (config->flight > 0) {
        engine->core.flight = sb_flight_new(config->flight);
        if (engine->core.flight == NULL) {
            sb_core_clear(&engine->core);
            free(engine);
            return SB_ENOMEM;
        }
    }
    engine->core.traces = config->trace != 0;
    complete.trace = config->trace || config->flight > 0; /* of the library */
    engine->core.tells_options = config->tell_options != 0;
    engine->core.last_id = engine->core.first_ping = config->last_id;
    sb_screen(&sb_backend);
    engine->core.front = sb_front_of(sb_backend.screened);
    code = sb_backend.open(&engine->core, &complete, &engine->core.state, &engine->port);
    if (code != SB_OK) {
        sb_core_clear(&engine->core);
        free(engine);
        return code;
    }
    engine->shielded = sb_screened(sb_backend.screened, &complete, engine->port);
    if (engine->shielded <= 0) /* what is loaded does not see the messages */
        sb_core_watch(&engine->core, 0);
    return sb_engine_insert(engine);
}

int sb_close(int id, int grace_ms)
{
    struct sb_engine *engine = sb_engine_claim(id);
    if (engine == NULL)
        return SB_ECLOSED;
    sb_queue_close(engine->core.queue);
    sb_engine_remove(engine);
    sb_core_end_all(&engine->core, grace_ms);
    sb_backend.close(engine->core.state);
    sb_unscreen(&sb_backend);
    sb_core_clear(&engine->core);
    free(engine);
    return SB_OK;
}

int sb_drain(int id)
{
    struct sb_engine *engine = sb_engine_enter(id);
    if (engine == NULL)
        return SB_ECLOSED;
    sb_core_lock(&engine->core);
    engine->core.draining = 1;
    sb_core_unlock(&engine->core);
    sb_engine_leave(engine);
    return SB_OK;
}

int sb_port(int id)
{
    struct sb_engine *engine = sb_engine_enter(id);
    int port;
    if (engine == NULL)
        return SB_ECLOSED;
    port = engine->port;
    sb_engine_leave(engine);
    return port;
}

int sb_probe(int id)
{
    struct sb_engine *engine = sb_engine_enter(id);
    if (engine == NULL)
        return SB_ECLOSED;
    sb_core_lock(&engine->core); /* this also shows a thread that never gives the lock back */
    sb_core_unlock(&engine->core);
    if (sb_backend.probe != NULL)
        sb_backend.probe(engine->core.state);
    sb_engine_leave(engine);
    return SB_OK;
}

sb_id sb_ping(int id)
{
    struct sb_engine *engine = sb_engine_enter(id);
    sb_id number;
    if (engine == NULL)
        return SB_ECLOSED;
    number = sb_core_ping(&engine->core);
    if (sb_backend.wake != NULL)
        sb_backend.wake(engine->core.state);
    sb_engine_leave(engine);
    return number;
}

int sb_shielded(int id)
{
    struct sb_engine *engine = sb_engine_enter(id);
    int shielded;
    if (engine == NULL)
        return SB_ECLOSED;
    shielded = engine->shielded;
    sb_engine_leave(engine);
    return shielded;
}
