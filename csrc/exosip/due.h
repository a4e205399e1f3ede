/* due.h - which records are due. All of it under the core's lock. */
#ifndef SB_EXOSIP_DUE_H
#define SB_EXOSIP_DUE_H

#include <stdint.h>

#include "core.h"

struct exo_record;

/* What was due. */
struct exo_due {
    int count;
    struct {
        sb_id id;
        int kind;
    } found[64];
};

/* exo_..._due() is to be called for it at this time (sb_monotonic_ms); 0: never. */
void exo_set_due(struct exo_record *record, int64_t at_ms);

/* Note objects that are due now. They stay so until exo_set_due() says otherwise. If there are more of them than there
 * is room for, the others follow next time. */
void exo_find_due(int64_t now, struct exo_due *due);

/* The engine is closed: nothing is due any more. */
void exo_forget_due(void);

#endif
