/* record.h - what the engine keeps of objects. */
#ifndef SB_EXOSIP_RECORD_H
#define SB_EXOSIP_RECORD_H

#include "core.h"

/* object->lib of every kind starts with this. */
struct exo_record {
    int64_t due_ms; /* when exo_..._due() is to be called for it (sb_monotonic_ms); 0: never */
};

/* backend.release(): state is NULL after exo_close(). */
void exo_release(void *state, struct sb_object *object);

#endif
