/* turns.h - the turns that the library's thread takes. */
#ifndef SB_EXOSIP_TURNS_H
#define SB_EXOSIP_TURNS_H

#include <stdint.h>
#include <sys/time.h>

/* See `struct sb_backend`. */
int exo_between_turns(void *osip, void (*time_left)(void *osip, struct timeval *left));

/* How long to wait, in milliseconds, until work that took so long is done again: long enough that it takes no more than
 * a fiftieth of the time. */
int64_t exo_pause_after(int64_t took_ms);

/* From now on, or no longer: the library is about to end. */
void exo_take_turns(int on);

#endif
