/* last.c - see last.h. */
#include "last.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { SIZE = SB_LAST_SLOTS * sizeof(struct sb_last_slot) };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct sb_last_slot *slots; /* or NULL */
static uint64_t count;

int sb_last_into(int descriptor)
{
    struct sb_last_slot *before;
    void *mapped = NULL;
    struct stat found;
    if (descriptor >= 0) {
        if (fstat(descriptor, &found) != 0 || found.st_size < (off_t)SIZE)
            return -1;
        mapped = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        if (mapped == MAP_FAILED)
            return -1;
    }
    pthread_mutex_lock(&mutex);
    before = slots;
    slots = mapped;
    count = 0;
    pthread_mutex_unlock(&mutex);
    if (before != NULL)
        munmap(before, SIZE);
    return 0;
}

/* The process may end at any point here, so the slot has its number only while all of it is there. */
static void fill(struct sb_last_slot *slot, int64_t time_us, const char *peer, const char *octets, size_t length)
{
    slot->number = 0;
    __sync_synchronize();
    slot->time_us = time_us;
    slot->length = length;
    snprintf(slot->peer, sizeof slot->peer, "%s", peer);
    memcpy(slot->octets, octets, length);
    __sync_synchronize();
    slot->number = ++count;
}

void sb_last_add(int64_t time_us, const char *peer, const char *octets, size_t length)
{
    if (length > SB_LAST_OCTETS)
        return;
    pthread_mutex_lock(&mutex);
    if (slots != NULL)
        fill(&slots[count % SB_LAST_SLOTS], time_us, peer, octets, length);
    pthread_mutex_unlock(&mutex);
}
