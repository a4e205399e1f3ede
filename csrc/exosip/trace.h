/* trace.h - traces messages as the library shows them to us. */
#ifndef SB_EXOSIP_TRACE_H
#define SB_EXOSIP_TRACE_H

#include "library.h"

struct sb_core;
struct sb_origin;

/* origin: of a message that was received; NULL: it is sent */
void exo_trace(osip_message_t *message, const struct sb_origin *origin);
/* From now on exo_trace() reports to this core; NULL: to nobody. */
void exo_trace_to(struct sb_core *core);

#endif
