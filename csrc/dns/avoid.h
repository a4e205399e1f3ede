/* avoid.h - for a while, requests pass over servers that did not answer (RFC 3263, 4.3). From any thread. */
#ifndef SB_AVOID_H
#define SB_AVOID_H

#include "engine.h"

struct exo_avoid;

struct exo_avoid *exo_avoid_new(void); /* NULL when memory is out */
void exo_avoid_free(struct exo_avoid *avoid);

/* The request of an object went to an address ("192.0.2.1:5060"). */
void exo_avoid_note(struct exo_avoid *avoid, sb_id id, const char *address);
/* Nobody answered the request of this object. */
void exo_avoid_silent(struct exo_avoid *avoid, sb_id id);
/* Whether to pass over an address while there is another. */
int exo_avoid_is(struct exo_avoid *avoid, const char *address);

#endif
