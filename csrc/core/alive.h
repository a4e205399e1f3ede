/* alive.h - signs of life of an engine's thread, asked for by sb_ping(). */
#ifndef SB_ALIVE_H
#define SB_ALIVE_H

#include "core.h"

/* From any thread, without a lock, so that it returns when the engine's thread hangs with the lock held: ask for a sign
 * of life. Returns its number. */
sb_id sb_core_ping(struct sb_core *core);

/* Under the lock, on the engine's thread, each time that it comes round: an SB_EV_PONG if one is asked for. */
void sb_core_pong(struct sb_core *core);

#endif
