/* mark.h - tells of a message, when its event is made, where it came from.
 *
 * The library's callback sees each message in the thread that has received it, where the shield knows its source. The
 * event is made later, in our own thread, of a copy of the message. So the message itself carries what is known: in a
 * header, which is taken out again before anybody sees it. Thus it is kept exactly as long as the message.
 */
#ifndef SB_EXOSIP_MARK_H
#define SB_EXOSIP_MARK_H

#include "library.h"
#include "origin.h"

struct sb_core;

/* Whose shield knows the sources; NULL when the library is stopped. */
void exo_mark_for(struct sb_core *core);

/* In the library's thread, of a message that was received: fill in its origin. */
void exo_find_origin(struct sb_origin *origin);

/* Have a message that was received carry it, and nothing of that name that the peer has sent. */
void exo_mark(osip_message_t *message, const struct sb_origin *origin);
/* Take it out again. All 0 where the message carries none. */
void exo_take_mark(osip_message_t *message, struct sb_origin *origin);

#endif
