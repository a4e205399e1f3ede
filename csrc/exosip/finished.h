/* finished.h - transactions that are over. */
#ifndef SB_EXOSIP_FINISHED_H
#define SB_EXOSIP_FINISHED_H

/* See `struct sb_backend`. */
void exo_end_early(void *transaction, int is_memorable);

#endif
