/* engines.c - the table of engines. */
#include "engines.h"

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t left; /* signalled when a call has left an engine */
    struct sb_engine *first;
    int last_id;
} engines = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0};

/* Under the mutex: the engine with this number, or NULL when there is none or it is closing. */
static struct sb_engine *find(int id)
{
    struct sb_engine *engine;
    for (engine = engines.first; engine != NULL && engine->id != id; engine = engine->next)
        ;
    return engine == NULL || engine->closing ? NULL : engine;
}

struct sb_engine *sb_engine_enter(int id)
{
    struct sb_engine *engine;
    pthread_mutex_lock(&engines.mutex);
    engine = find(id);
    if (engine != NULL)
        engine->users++;
    pthread_mutex_unlock(&engines.mutex);
    return engine;
}

void sb_engine_leave(struct sb_engine *engine)
{
    pthread_mutex_lock(&engines.mutex);
    if (--engine->users == 0 && engine->closing)
        pthread_cond_broadcast(&engines.left);
    pthread_mutex_unlock(&engines.mutex);
}

int sb_engine_insert(struct sb_engine *engine)
{
    pthread_mutex_lock(&engines.mutex);
    engine->id = ++engines.last_id;
    engine->next = engines.first;
    engines.first = engine;
    pthread_mutex_unlock(&engines.mutex);
    return engine->id;
}

struct sb_engine *sb_engine_claim(int id)
{
    struct sb_engine *engine;
    pthread_mutex_lock(&engines.mutex);
    engine = find(id);
    if (engine != NULL)
        engine->closing = 1;
    pthread_mutex_unlock(&engines.mutex);
    return engine;
}

void sb_engine_remove(struct sb_engine *engine)
{
    struct sb_engine **link = &engines.first;
    pthread_mutex_lock(&engines.mutex);
    while (engine->users > 0)
        pthread_cond_wait(&engines.left, &engines.mutex);
    while (*link != engine)
        link = &(*link)->next;
    *link = engine->next;
    pthread_mutex_unlock(&engines.mutex);
}
