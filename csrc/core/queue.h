/* queue.h - the queue between an engine's thread and sb_wait(). */
#ifndef SB_QUEUE_H
#define SB_QUEUE_H

#include "engine.h"

struct sb_queue;

/* Returns NULL when memory or descriptors are out. */
struct sb_queue *sb_queue_new(void);
/* Frees the events that nobody took, too. Nobody may be using the queue. */
void sb_queue_free(struct sb_queue *queue);

/* Append a copy of the event; a NULL string in it stands for "". time_us is set where it is 0.
 * Returns SB_OK, SB_ECLOSED or SB_ENOMEM. */
int sb_queue_push(struct sb_queue *queue, const sb_event *event);

/* As sb_wait(). */
int sb_queue_pop(struct sb_queue *queue, int timeout_ms, sb_event **event);

/* From now on every pop returns SB_ECLOSED, those that wait now included. */
void sb_queue_close(struct sb_queue *queue);

int sb_queue_fd(struct sb_queue *queue);
size_t sb_queue_length(struct sb_queue *queue);

#endif
