/* visit.h - what every command does first: enter the engine, lock its core, find the object or begin a new one. */
#ifndef SB_VISIT_H
#define SB_VISIT_H

#include "engines.h"

struct sb_visit {
    struct sb_engine *engine;
    struct sb_core *core;      /* locked */
    void *state;               /* the backend's */
    struct sb_object *object;  /* the object that the command is about, or NULL */
    struct sb_object *begun;   /* the object that the command begins, or NULL */
};

/* Enter the engine until sb_leave(). offered: whether the backend has the function. Returns SB_OK; or an error, and
 * then you must not leave. The same holds for the functions below. */
int sb_enter(struct sb_visit *visit, int id, int offered);
/* The same, and find an object. */
int sb_enter_object(struct sb_visit *visit, int id, int offered, int kind, sb_id object_id);
/* The same, and begin an object of ours. */
int sb_enter_begin(struct sb_visit *visit, int id, int offered, int kind);
/* After sb_enter(): begin a transaction in the call that the command is about. */
int sb_begin_within(struct sb_visit *visit);

/* Leave; returns the code. */
int sb_leave(struct sb_visit *visit, int code);
/* Leave with the backend's code for the object that was begun. Returns the object's id; or takes the object away, and
 * returns the code. */
sb_id sb_leave_begun(struct sb_visit *visit, int code);

#endif
