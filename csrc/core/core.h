/* core.h - what every engine shares. See backend.h for the lock. */
#ifndef SB_CORE_H
#define SB_CORE_H

#include "engine.h"
#include "object.h"

struct sb_core;
struct sb_origin;

/* Reason phrases of the 503 that ends a request which could not be sent. The second one is for a library that does not
 * say why. */
#define SB_UNRESOLVED "No address for the host: not in DNS, or no answer from DNS"
#define SB_UNREACHED "Not sent: the other side refuses it, or there is no way there"

void sb_core_lock(struct sb_core *core);
void sb_core_unlock(struct sb_core *core);

/* Under the lock: a new object for what arrived from outside (a call in state INCOMING, a transaction of a
 * call or of none, a subscription), or NULL when memory is out. */
struct sb_object *sb_core_add(struct sb_core *core, int kind, struct sb_object *call);

/* Under the lock: the object, or NULL when there is none (any more). */
struct sb_object *sb_core_find(struct sb_core *core, int kind, sb_id id);

/* Under the lock: every object of a kind, until `visit` has seen all. It may not add or remove objects. */
void sb_core_each(struct sb_core *core, int kind, void (*visit)(struct sb_object *object, void *arg),
                  void *arg);

/* Under the lock: hand an event to the user, and follow it: the call's state moves on, and an object whose last event
 * this is goes (release() is called, its address is no longer valid). Events that may not follow a hang-up are dropped.
 * Transaction events: the object named in event->transaction. Returns SB_OK, or SB_ENOMEM when the user cannot be told:
 * a request is to be refused then. What an event ends has ended all the same. */
int sb_core_post(struct sb_core *core, const sb_event *event);

/* Under the lock. Take an event without a message. Where it means that a request of ours reached nobody, set its cause,
 * and its reason unless it has one. */
void sb_core_mark_unreached(struct sb_core *core, sb_event *event);

/* Under the lock: take an object, and what belongs to it, away without an event: a request that can no longer
 * be answered, an object for which memory was missing half way. */
void sb_core_remove(struct sb_core *core, struct sb_object *object);

/* Not under the lock, from any thread: a message was received or is about to be sent. It goes to the flight recorder, and
 * is an SB_EV_TRACE. origin: when, and of a message that was received also where it came from; NULL: nobody knows. */
void sb_core_trace(struct sb_core *core, int outgoing, const char *peer, const struct sb_origin *origin,
                   const char *octets, size_t length);

/* Not under the lock: where the message came from that this thread of a screened library received last, as the shield
 * has it. 0 when there is no shield, or it told of that message before. */
int sb_core_take_origin(struct sb_core *core, struct sb_origin *origin);

/* Not under the lock: have the shield trace what passes the sockets of the library, octet for octet; or no longer. Nothing
 * happens where there is no shield. */
void sb_core_watch(struct sb_core *core, int on);

/* From any thread: whether it does. Then the engine is to trace nothing itself. */
int sb_core_is_watched(const struct sb_core *core);

/* Under the lock, every SB_TIDY_MS: give memory that a peak of traffic has left behind back to the system. A library
 * keeps what has ended for half a minute, so its memory becomes free later than our objects. */
enum { SB_TIDY_MS = 10000 };

/* Octets that a UDP socket is to hold for us, for a burst of some thousand messages. The system may allow less
 * (net.core.rmem_max). */
enum { SB_RECEIVE_BUFFER = 4 << 20 };
void sb_core_tidy(struct sb_core *core);

/* True when the engine is closing: calls and requests from outside are to be answered 503. Under the lock. */
int sb_core_closing(const struct sb_core *core);

/* True when the user has left so many events unread that new calls and requests from outside are to be
 * answered 503 by the backend and not posted. From any thread. */
int sb_core_congested(struct sb_core *core);

/* True when either of the two is so. */
int sb_core_refuses(struct sb_core *core);

/* The status with which the engine itself answers a request from outside; 0: the user answers it. call: the call that
 * the request arrived in, or NULL. */
int sb_core_own_answer(struct sb_core *core, const struct sb_object *call, int is_options);

/* Under the lock: forget a request from outside, without an event. The user can answer it no more. */
void sb_core_drop_request(struct sb_core *core, struct sb_object *transaction);

/* The cause of the end of a call whose INVITE got this final response (enum sb_cause). */
int sb_cause_of_refusal(int status);

#endif
