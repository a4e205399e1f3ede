/* screen.h - keeps from libeXosip2 3.3 and 5.3 what they cannot take. */
#ifndef SB_EXOSIP_SCREEN_H
#define SB_EXOSIP_SCREEN_H

#include "library.h"

struct exosip;

/* The library's callback for each message that passes. */
void exo_on_message(osip_message_t *message, int received);
/* Undo what exo_on_message() did to a message. False when the request was one to refuse: it is answered. */
int exo_restore(struct exosip *state, eXosip_event_t *event);
/* 5.x agrees by itself to the session timer that an INVITE asks for where the 2xx has "timer" in Supported: with headers
 * that stand beside the user's, and it never refreshes. Until the 2xx is sent it does not see that header. */
void exo_hide_supported(osip_message_t *answer);
int exo_is_long_user(const osip_from_t *address);
/* The CANCEL that arrived for a call, to be freed, or NULL. For 3.3, which does not report it. */
osip_message_t *exo_take_cancel(const char *call_id);
void exo_drop_cancels(void); /* when the library is stopped */

#endif
