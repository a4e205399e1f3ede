/* screen.h - what libeXosip2 3.3 cannot take. */
#ifndef SB_EXOSIP_SCREEN_H
#define SB_EXOSIP_SCREEN_H

#include "library.h"

struct exosip;

/* The library's callback for each message that passes. */
void exo_on_message(osip_message_t *message, int received);
/* Undo what it did to a request that arrived. False when that was one to refuse, and is answered. */
int exo_restore(struct exosip *state, eXosip_event_t *event);
int exo_is_long_user(const osip_from_t *address);
/* The CANCEL that arrived for a call, to be freed, where the library does not tell (3.3); or NULL. */
osip_message_t *exo_take_cancel(const char *call_id);
void exo_drop_cancels(void); /* when the library is stopped */

#endif
