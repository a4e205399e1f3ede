/* loop.h - the thread that runs nta, and commands to it. */
#ifndef SB_SOFIA_LOOP_H
#define SB_SOFIA_LOOP_H

#include "core.h"
#include "library.h"

struct sof_record;

/* Something for the loop to do, under the core's lock. */
struct sof_command {
    struct sof_command *next;
    void (*run)(struct sofia *state, struct sof_command *command);
    sb_id id;              /* of the object that it is about, */
    int kind;              /* and its kind */
    int status;            /* a number; what it means is up to the command */
    msg_t *msg;            /* a message to send. The command owns it until it is taken (set to NULL) */
    nta_incoming_t **irq;  /* what to answer, in a record */
    const char *reason;    /* in the memory of msg */
    void *data;            /* more, in the same memory; its type is up to the command */
    struct sof_record *record;
};

/* Call these at the beginning and the end of each callback of nta's: in between, the core is locked. */
void sof_enter(struct sofia *state);
void sof_leave(struct sofia *state);
/* sof_enter() for a request from the network. After such a callback, and not after one of a timer, the loop looks for
 * commands before it sleeps: nobody needs to wake it. */
void sof_hear(struct sofia *state);

/* Around what takes long and needs no object, such as to send: in between, the core is not locked, unless the loop is
 * deeper in sof_enter. What is known of objects may be wrong afterwards; but only the loop takes calls away. */
int sof_pause(struct sofia *state);
void sof_resume(struct sofia *state, int depth);

/* Under the lock: leave a command to the loop. NULL when memory is out; then msg is freed. */
struct sof_command *sof_post_command(struct sofia *state, void (*run)(struct sofia *, struct sof_command *),
                                     const struct sb_object *object, msg_t *msg);

/* Under the lock: leave one that is ready. It is the loop's from now on. */
void sof_enqueue(struct sofia *state, struct sof_command *command);
void sof_command_free(struct sof_command *command);

/* The pipe that wakes the loop: SB_OK, or SB_ENOMEM. */
int sof_make_wake(int fds[2]);
/* On the loop, once there is a root: have it run commands. SB_OK, or SB_ENOMEM. */
int sof_register_wake(struct sofia *state);

/* backend.probe(), backend.wake() */
void sof_probe(void *state);
void sof_wake(void *state);

#endif
