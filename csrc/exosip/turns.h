/* turns.h - the turns that the library's thread takes. */
#ifndef SB_EXOSIP_TURNS_H
#define SB_EXOSIP_TURNS_H

#include <sys/time.h>

/* See `struct sb_backend`. */
int exo_between_turns(void *osip, void (*time_left)(void *osip, struct timeval *left));

/* From now on, or no longer: the library is about to end. */
void exo_take_turns(int on);

#endif
