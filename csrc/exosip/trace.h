/* trace.h - traces messages as the library shows them to us. */
#ifndef SB_EXOSIP_TRACE_H
#define SB_EXOSIP_TRACE_H

#include "library.h"

struct sb_core;

void exo_trace(osip_message_t *message, int received);
/* From now on exo_trace() reports to this core; NULL: to nobody. */
void exo_trace_to(struct sb_core *core);

#endif
