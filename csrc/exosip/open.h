/* open.h - open and close. */
#ifndef SB_EXOSIP_OPEN_H
#define SB_EXOSIP_OPEN_H

#include "core.h"

int exo_open(struct sb_core *core, const sb_config *config, void **state, int *port);
void exo_close(void *state);

#endif
