/* flight.c - the ring of the last messages. */
#include "flight.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"

enum {
    LENGTH = 4,            /* octets of what follows them in a record */
    HEAD = LENGTH + 8 + 1 + 2, /* and the time, outgoing, the length of the peer */
    PEER = 300             /* the most octets of a peer */
};

struct sb_flight {
    pthread_mutex_t mutex;
    char *ring;
    size_t size;
    size_t begin;  /* where the oldest record is */
    size_t used;   /* octets from there on, around the end of the ring */
};

struct sb_flight *sb_flight_new(size_t size)
{
    struct sb_flight *flight = calloc(1, sizeof *flight);
    if (flight == NULL)
        return NULL;
    flight->ring = malloc(size);
    if (flight->ring == NULL) {
        free(flight);
        return NULL;
    }
    flight->size = size;
    pthread_mutex_init(&flight->mutex, NULL);
    return flight;
}

void sb_flight_free(struct sb_flight *flight)
{
    if (flight == NULL)
        return;
    pthread_mutex_destroy(&flight->mutex);
    free(flight->ring);
    free(flight);
}

/* Octets of the ring from a place on, around its end. */
static void copy_out(const struct sb_flight *flight, size_t place, char *octets, size_t length)
{
    size_t first = flight->size - place;
    if (first > length)
        first = length;
    memcpy(octets, flight->ring + place, first);
    memcpy(octets + first, flight->ring, length - first);
}

static void append(struct sb_flight *flight, const char *octets, size_t length)
{
    size_t place = (flight->begin + flight->used) % flight->size, first = flight->size - place;
    if (length == 0)
        return;
    if (first > length)
        first = length;
    memcpy(flight->ring + place, octets, first);
    memcpy(flight->ring, octets + first, length - first);
    flight->used += length;
}

static void drop_oldest(struct sb_flight *flight)
{
    unsigned char head[LENGTH];
    size_t length;
    copy_out(flight, flight->begin, (char *)head, sizeof head);
    length = LENGTH + ((size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3]);
    flight->begin = (flight->begin + length) % flight->size;
    flight->used -= length;
}

void sb_flight_add(struct sb_flight *flight, uint64_t time_us, int outgoing, const char *peer, const char *octets,
                   size_t length)
{
    char head[HEAD];
    size_t named = strlen(peer), record;
    if (named > PEER)
        named = PEER;
    record = HEAD + named + length;
    if (length > flight->size || record > flight->size)
        return;
    sb_frame_number(head, record - LENGTH, LENGTH);
    sb_frame_number(head + LENGTH, time_us, 8);
    sb_frame_number(head + LENGTH + 8, outgoing != 0, 1);
    sb_frame_number(head + LENGTH + 9, named, 2);
    pthread_mutex_lock(&flight->mutex);
    while (flight->size - flight->used < record)
        drop_oldest(flight);
    append(flight, head, HEAD);
    append(flight, peer, named);
    append(flight, octets, length);
    pthread_mutex_unlock(&flight->mutex);
}

char *sb_flight_records(struct sb_flight *flight, int take, size_t *length)
{
    char *records = NULL;
    *length = 0;
    pthread_mutex_lock(&flight->mutex);
    if (flight->used > 0)
        records = malloc(flight->used);
    if (records != NULL) {
        copy_out(flight, flight->begin, records, flight->used);
        *length = flight->used;
        if (take)
            flight->begin = flight->used = 0;
    }
    pthread_mutex_unlock(&flight->mutex);
    return records;
}
