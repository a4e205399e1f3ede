/* trace.h - traces messages from what Sofia-SIP logs. */
#ifndef SB_SOFIA_TRACE_H
#define SB_SOFIA_TRACE_H

struct sb_core;

/* On the loop's thread: what the library logs of messages goes to this core as traces (NULL: nowhere). */
void sof_trace_to(struct sb_core *core);
/* For the process: the library prints nothing. */
void sof_be_quiet(void);

#endif
