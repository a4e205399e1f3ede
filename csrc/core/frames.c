/* frames.c - events as frames of the worker protocol (docs/worker-protocol.md; sipbridge/_engine/protocol.py reads
 * them). */
#include "frames.h"

#include <stdlib.h>
#include <string.h>

enum {
    KIND_EVENT = 5,
    HEAD = 4 + 1,                             /* octets that follow the head, kind */
    TEXTS = 7,
    NUMBERS = 5 * 1 + 1 * 2 + 2 * 4 + 5 * 8 + TEXTS * 4 /* as put_numbers() writes them, and the lengths */
};

/* The texts of an event, in the order that they have in the frame. */
struct texts {
    const char *octets[TEXTS];
    size_t lengths[TEXTS];
    size_t total;
};

static struct texts texts_of(const sb_event *event)
{
    struct texts texts = {{event->method, event->reason, event->request_uri, event->headers, event->peer,
                           event->source, event->body}, {0}, 0};
    int i;
    for (i = 0; i < TEXTS; i++) {
        texts.lengths[i] = i == TEXTS - 1 ? event->body_len : strlen(texts.octets[i]);
        texts.total += texts.lengths[i];
    }
    return texts;
}

char *sb_frame_number(char *where, uint64_t number, int octets)
{
    while (octets-- > 0)
        *where++ = (char)(number >> 8 * octets & 0xff);
    return where;
}

static char *put_numbers(char *where, const sb_event *event)
{
    where = sb_frame_number(where, (uint64_t)event->type, 1);
    where = sb_frame_number(where, (uint64_t)event->cause, 1);
    where = sb_frame_number(where, (uint64_t)event->state, 1);
    where = sb_frame_number(where, (uint64_t)event->outgoing, 1);
    where = sb_frame_number(where, (uint64_t)event->source_transport, 1);
    where = sb_frame_number(where, (uint64_t)event->source_port, 2);
    where = sb_frame_number(where, (uint64_t)event->status, 4);
    where = sb_frame_number(where, (uint64_t)event->expires, 4);
    where = sb_frame_number(where, (uint64_t)event->call, 8);
    where = sb_frame_number(where, (uint64_t)event->registration, 8);
    where = sb_frame_number(where, (uint64_t)event->subscription, 8);
    where = sb_frame_number(where, (uint64_t)event->transaction, 8);
    return sb_frame_number(where, (uint64_t)event->time_us, 8);
}

size_t sb_frame_size(const sb_event *event)
{
    return HEAD + NUMBERS + texts_of(event).total;
}

char *sb_frame_put(char *where, const sb_event *event)
{
    struct texts texts = texts_of(event);
    int i;
    where = sb_frame_number(where, NUMBERS + texts.total, 4);
    where = sb_frame_number(where, KIND_EVENT, 1);
    where = put_numbers(where, event);
    for (i = 0; i < TEXTS; i++)
        where = sb_frame_number(where, texts.lengths[i], 4);
    for (i = 0; i < TEXTS; i++) {
        memcpy(where, texts.octets[i], texts.lengths[i]);
        where += texts.lengths[i];
    }
    return where;
}

void sb_frames_free(char *frames)
{
    free(frames);
}
