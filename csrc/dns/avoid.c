/* avoid.c - remembers the servers that did not answer. */
#include "avoid.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "dns.h"

enum {
    AVOID_MS = 300000, /* how long the engine passes over an address that did not answer */
    NOTED = 256,       /* the number of requests whose addresses are remembered */
    AVOIDED = 16
};

struct exo_avoid {
    pthread_mutex_t mutex;
    /* the latest requests, in the order in which they were sent, and the addresses that did not answer */
    struct {
        sb_id id;
        char address[EXO_ADDRESS_SIZE];
    } sent[NOTED];
    struct {
        int64_t until_ms;
        char address[EXO_ADDRESS_SIZE];
    } avoided[AVOIDED];
    unsigned sent_count, avoided_count;
};

struct exo_avoid *exo_avoid_new(void)
{
    struct exo_avoid *avoid = calloc(1, sizeof *avoid);
    if (avoid != NULL)
        pthread_mutex_init(&avoid->mutex, NULL);
    return avoid;
}

void exo_avoid_free(struct exo_avoid *avoid)
{
    if (avoid == NULL)
        return;
    pthread_mutex_destroy(&avoid->mutex);
    free(avoid);
}

void exo_avoid_note(struct exo_avoid *avoid, sb_id id, const char *address)
{
    unsigned place;
    pthread_mutex_lock(&avoid->mutex);
    place = avoid->sent_count++ % NOTED;
    avoid->sent[place].id = id;
    snprintf(avoid->sent[place].address, EXO_ADDRESS_SIZE, "%s", address);
    pthread_mutex_unlock(&avoid->mutex);
}

void exo_avoid_silent(struct exo_avoid *avoid, sb_id id)
{
    unsigned i, place;
    pthread_mutex_lock(&avoid->mutex);
    for (i = 0; i < NOTED; i++) {
        if (id == 0 || avoid->sent[i].id != id)
            continue;
        place = avoid->avoided_count++ % AVOIDED;
        avoid->avoided[place].until_ms = sb_monotonic_ms() + AVOID_MS;
        memcpy(avoid->avoided[place].address, avoid->sent[i].address, EXO_ADDRESS_SIZE);
        avoid->sent[i].id = 0;
    }
    pthread_mutex_unlock(&avoid->mutex);
}

int exo_avoid_is(struct exo_avoid *avoid, const char *address)
{
    int64_t now = sb_monotonic_ms();
    int i, found = 0;
    pthread_mutex_lock(&avoid->mutex);
    for (i = 0; i < AVOIDED && !found; i++)
        found = avoid->avoided[i].until_ms > now && strcmp(avoid->avoided[i].address, address) == 0;
    pthread_mutex_unlock(&avoid->mutex);
    return found;
}
