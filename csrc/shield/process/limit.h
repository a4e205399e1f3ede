/* limit.h - overload control. One for the process; safe in any thread. */
#ifndef SB_SHIELD_LIMIT_H
#define SB_SHIELD_LIMIT_H

#include "shield.h"

enum shield_kind { SHIELD_INVITES, SHIELD_REGISTERS, SHIELD_SUBSCRIBES, SHIELD_KINDS };

/* How many requests of a kind that begin something may come in, per second, and how many at once after a
 * pause (burst). rate 0: no limit; < 0: found out, from how long requests wait to be read. */
void shield_limit(enum shield_kind kind, double rate, double burst);

/* The limit in force, per second; 0 when there is none now. */
double shield_limit_now(enum shield_kind kind);

/* Whether a well-formed message is let in: SHIELD_NONE, or a SHIELD_OVERLOAD_... . Only an INVITE, REGISTER or
 * SUBSCRIBE without a tag in To is ever held back, and not one that was let in before. `now` is in
 * microseconds, on a clock that never jumps; `waited` is how long it lay in the socket, < 0 when unknown. */
enum shield_rule shield_admit(const struct shield_message *message, int64_t now, int64_t waited);

#endif
