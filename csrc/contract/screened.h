/* screened.h - the contract's side of the shield: is it preloaded, and in the path of this engine? */
#ifndef SB_SCREENED_H
#define SB_SCREENED_H

#include "backend.h"
#include "engine.h"

struct sb_front;

/* Before an engine is opened: have the shield screen what its library receives, and hasten it. */
void sb_screen(const struct sb_backend *backend);

/* Once it is closed. A call of sb_open() that fails, as it does while the library has another endpoint, is no such end. */
void sb_unscreen(const struct sb_backend *backend);

/* What the shield offers to the engine; NULL: no shield is preloaded, or the engine needs none. */
const struct sb_front *sb_front_of(const void *function);

/* Once it is open: what sb_shielded() is to say. Sends it a datagram that the shield has to swallow. */
int sb_screened(const void *function, const sb_config *config, int port);

#endif
