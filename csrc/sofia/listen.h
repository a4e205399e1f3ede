/* listen.h - where the engine listens. */
#ifndef SB_SOFIA_LISTEN_H
#define SB_SOFIA_LISTEN_H

#include "library.h"
#include "engine.h"

/* Whether the address can be bound: SB_OK, or why not. */
int sof_check_address(const sb_config *config);

/* On the loop, while it opens: SB_OK, or an error. */
int sof_create_agent(struct sofia *state);
/* What our messages say of us. */
int sof_compose_headers(struct sofia *state);

#endif
