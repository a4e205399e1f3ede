/* trace.h - traces messages as the library shows them to us. */
#ifndef SB_EXOSIP_TRACE_H
#define SB_EXOSIP_TRACE_H

#include "library.h"

struct sb_core;
struct sb_origin;

/* The library has received a message, or is about to send it. origin: of a message that was received; NULL: it is sent */
void exo_trace(osip_message_t *message, const struct sb_origin *origin);
/* From now on messages are reported to this core; NULL: to nobody. While the library does not run. */
void exo_trace_to(struct sb_core *core);

#endif
