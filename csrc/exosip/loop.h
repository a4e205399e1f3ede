/* loop.h - the thread that takes the library's events. */
#ifndef SB_EXOSIP_LOOP_H
#define SB_EXOSIP_LOOP_H

/* For pthread_create(): runs until state->stopping. */
void *exo_loop(void *state);

#endif
