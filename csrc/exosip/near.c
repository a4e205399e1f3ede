/* near.c - see near.h.
 *
 * For each new call, each end of one and some more the library goes through all of its calls and their dialogs, and
 * looks at three words of each (eXosip_update()); for each step of a registration it goes through all of these. With
 * malloc() the record of a call lies among the 25 kB of its messages, in a page of its own: with ten thousand calls the
 * processor waits for memory twenty thousand times. So the records of these sizes lie beside each other. The sizes are
 * those of 3.6 on 64 bits; where they are others, all is as it was.
 */
#include "near.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#define ROOM ((size_t)16 << 20) /* octets for each size, taken from the system when they are used */

/* What stands in a block that came back. */
struct unused {
    struct unused *next;
    uintptr_t mark; /* tells that it is one: its address, changed */
};

static const uintptr_t MARK = (uintptr_t)0x5bd1e995a7c15f39u;

struct pool {
    size_t size;           /* of a block */
    size_t step;           /* from one to the next */
    char *start;           /* NULL: not in use */
    size_t used;           /* octets that were given out at any time */
    struct unused *unused; /* the blocks that came back */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct pool pools[] = {
    {72, 80, NULL, 0, NULL},   /* eXosip_call_t */
    {104, 112, NULL, 0, NULL}, /* eXosip_dialog_t, osip_dialog_t */
    {232, 240, NULL, 0, NULL}, /* eXosip_reg_t */
};
enum { POOLS = sizeof pools / sizeof *pools };

static volatile int is_on;

int exo_near_is_on(void)
{
    return is_on;
}

void exo_near_begin(void)
{
    int i;
    pthread_mutex_lock(&mutex);
    is_on = 1;
    for (i = 0; i < POOLS; i++)
        if (pools[i].start == NULL) {
            void *start = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            pools[i].start = start == MAP_FAILED ? NULL : start;
        }
    pthread_mutex_unlock(&mutex);
}

/* NULL: there is no more room. Under the mutex. */
static void *take(struct pool *pool)
{
    struct unused *came_back = pool->unused;
    void *block = came_back;
    if (came_back != NULL) {
        pool->unused = came_back->next;
        came_back->mark = 0;
    } else if (pool->start != NULL && pool->used + pool->step <= ROOM) {
        block = pool->start + pool->used;
        pool->used += pool->step;
    }
    return block;
}

/* The pool that it is from, or NULL. */
static struct pool *pool_of(const void *octets)
{
    uintptr_t at = (uintptr_t)octets;
    int i;
    for (i = 0; i < POOLS; i++)
        if (pools[i].start != NULL && at - (uintptr_t)pools[i].start < ROOM)
            return &pools[i];
    return NULL;
}

void *exo_near_alloc(size_t size)
{
    void *block = NULL;
    int i;
    for (i = 0; i < POOLS; i++)
        if (pools[i].size == size && pools[i].start != NULL) {
            pthread_mutex_lock(&mutex);
            block = take(&pools[i]);
            pthread_mutex_unlock(&mutex);
        }
    return block == NULL ? malloc(size) : block;
}

void exo_near_free(void *octets)
{
    struct pool *pool = pool_of(octets);
    struct unused *block = octets;
    if (pool == NULL) {
        free(octets);
        return;
    }
    pthread_mutex_lock(&mutex);
    if (block->mark == ((uintptr_t)block ^ MARK))
        abort(); /* it is freed twice, as malloc()'s own would say */
    block->mark = (uintptr_t)block ^ MARK;
    block->next = pool->unused;
    pool->unused = block;
    pthread_mutex_unlock(&mutex);
}

void *exo_near_resize(void *octets, size_t size)
{
    struct pool *pool = pool_of(octets);
    void *other;
    if (pool == NULL)
        return realloc(octets, size);
    if (size <= pool->size)
        return octets;
    other = malloc(size);
    if (other != NULL) {
        memcpy(other, octets, pool->size);
        exo_near_free(octets);
    }
    return other;
}

size_t exo_near_size(void *octets)
{
    const struct pool *pool = pool_of(octets);
#ifdef __GLIBC__
    return pool == NULL ? malloc_usable_size(octets) : pool->size;
#else
    return pool == NULL ? 0 : pool->size;
#endif
}
