/* record.h - what the engine keeps of objects. */
#ifndef SB_EXOSIP_RECORD_H
#define SB_EXOSIP_RECORD_H

#include "core.h"
#include "due.h"

/* object->lib of every kind starts with this. */
struct exo_record {
    const struct sb_object *object;
    int64_t due_ms;                        /* due.c alone touches these: when it is due, or 0; */
    struct exo_record *next, **here;       /* and its place in a list: what follows, and what points to it */
};

/* Let a record be object->lib. */
void exo_keep(struct sb_object *object, void *record);

/* backend.release(): state is NULL after exo_close(). */
void exo_release(void *state, struct sb_object *object);

#endif
