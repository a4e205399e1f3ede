/* visit.h - what every command begins with: into the engine, lock its core, find the object or begin one. */
#ifndef SB_VISIT_H
#define SB_VISIT_H

#include "engines.h"

struct sb_visit {
    struct sb_engine *engine;
    struct sb_core *core;      /* locked */
    void *state;               /* the backend's */
    struct sb_object *object;  /* that the command is about, or NULL */
    struct sb_object *begun;   /* that it begins, or NULL */
};

/* Enter, until sb_leave(). offered: whether the backend has the function. SB_OK, or what is wrong: then there is nothing
 * to leave, here and below. */
int sb_enter(struct sb_visit *visit, int id, int offered);
/* The same, for an object that there is. */
int sb_enter_object(struct sb_visit *visit, int id, int offered, int kind, sb_id object_id);
/* The same, and begin an object of ours. */
int sb_enter_begin(struct sb_visit *visit, int id, int offered, int kind);
/* Inside: begin a transaction in the call that the command is about. */
int sb_begin_within(struct sb_visit *visit);

/* Leave; returns the code. */
int sb_leave(struct sb_visit *visit, int code);
/* Leave, with the code of the backend for what was begun: returns its id, or takes it away and returns the code. */
sb_id sb_leave_begun(struct sb_visit *visit, int code);

#endif
