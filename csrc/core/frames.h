/* frames.h - events as frames of the worker protocol. */
#ifndef SB_FRAMES_H
#define SB_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "engine.h"

/* Write a number as this many octets, the most significant first. Returns where it ends. */
char *sb_frame_number(char *where, uint64_t number, int octets);

/* The octets that an event's frame takes. */
size_t sb_frame_size(const sb_event *event);

/* Write the frame; returns where it ends. */
char *sb_frame_put(char *where, const sb_event *event);

#endif
