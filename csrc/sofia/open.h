/* open.h - open and close. */
#ifndef SB_SOFIA_OPEN_H
#define SB_SOFIA_OPEN_H

#include "core.h"

int sof_open(struct sb_core *core, const sb_config *config, void **opened, int *port);
void sof_close(void *state);

#endif
