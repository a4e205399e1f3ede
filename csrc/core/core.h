/* core.h - what every engine shares, and what an engine has to bring.
 *
 * contract.c implements engine.h: it checks arguments (check.h), finds handles and knows which command is
 * possible in which state of a call. What is left, turning a command into the library's calls and the
 * library's news into events, is an engine: one `struct sb_backend`, one C file.
 *
 * One mutex per engine (sb_core_lock) guards its objects. contract.c holds it while it calls a backend, with
 * three exceptions that are marked below; a backend's own thread takes it around whatever it does with
 * objects or events. It is not recursive.
 */
#ifndef SB_CORE_H
#define SB_CORE_H

#include "engine.h"

enum sb_kind { SB_KIND_CALL = 1, SB_KIND_REGISTRATION, SB_KIND_SUBSCRIPTION, SB_KIND_TRANSACTION };

enum sb_call_state {
    SB_CALL_INCOMING = 1, /* INVITE received, no final response yet */
    SB_CALL_ACCEPTED,     /* 2xx sent, ACK not yet received */
    SB_CALL_CALLING,      /* INVITE sent, no final response yet */
    SB_CALL_ANSWERED,     /* 2xx received, ACK not yet sent */
    SB_CALL_ESTABLISHED,  /* 2xx and ACK exchanged */
    SB_CALL_ENDING        /* BYE, CANCEL or a refusal is on its way; ENDED follows */
};

enum sb_subscription_state {
    SB_SUBSCRIPTION_OURS = 1, /* we are the subscriber */
    SB_SUBSCRIPTION_ASKED,    /* SUBSCRIBE received, no final response yet */
    SB_SUBSCRIPTION_GRANTED,  /* accepted by us: we are the notifier */
    SB_SUBSCRIPTION_ENDING    /* the last SUBSCRIBE, or the last NOTIFY, is on its way */
};

/* After a SUBSCRIBE that ends a subscription: milliseconds for the last NOTIFY, which a notifier sends at once. */
enum { SB_LAST_NOTIFY_MS = 5000 };

/* Timer N (RFC 6665, 4.1.2.4), in milliseconds: a subscription that was granted and that no NOTIFY follows by then has
 * failed. 64*T1. */
enum { SB_TIMER_N_MS = 32000 };

/* How long a call of ours may ring, in milliseconds, without another word from the peer, which has to say so once a minute
 * (13.3.1.1): a proxy would give up after 180 s (16.6, Timer C), and so does libeXosip2, but tells nobody. */
#ifndef SB_RING_LIMIT /* the tests' own build has a shorter one */
#define SB_RING_LIMIT 170000
#endif
enum { SB_RING_LIMIT_MS = SB_RING_LIMIT };

/* NOTIFYs of one subscription that may wait for the answer to the one before. */
enum { SB_MAX_NOTIFIES = 64 };

/* The longest that a subscriber is waited for, in seconds. */
enum { SB_DAY = 24 * 3600 };

/* Seconds of a SUBSCRIBE that names none (RFC 6665, 3.1.1). */
enum { SB_DEFAULT_SUBSCRIPTION = 3600 };

/* The reason phrase of the 503 that ends what could not be sent for this; where the library does not say why: */
#define SB_UNRESOLVED "No address for the host: not in DNS, or no answer from DNS"
#define SB_UNREACHED "Not sent: the other side refuses it, or there is no way there"

/* A call, registration, subscription or transaction. */
struct sb_object {
    sb_id id;
    int kind;                 /* enum sb_kind */
    int state;                /* of a call or subscription: enum sb_..._state; others: the backend's */
    int outgoing;             /* placed or sent by us */
    int heard;                /* call of ours: the backend sets it with the first response, a 100 too */
    int invite_pending;       /* call: a re-INVITE of either side has no final response yet */
    int ack_due;              /* call: a 2xx to our INVITE or re-INVITE is to be acknowledged */
    int is_invite;            /* transaction: a re-INVITE */
    struct sb_object *call;   /* transaction: the call that it belongs to, or NULL */
    struct sb_object *first;  /* call: its transactions, */
    struct sb_object *next;   /*       linked by next */
    void *lib;                /* the backend's own, given back in backend.release() */
};

struct sb_core;

/* Functions that return int return SB_OK or an SB_E... code; what could not be done was not sent, and the
 * object is taken away again by contract.c. A member that is NULL is answered with SB_ENOTSUP. */
struct sb_backend {
    const char *name;
    const char *(*version)(void);
    /* A function of the library whose messages the shield has to look at first; NULL: it needs no shield. */
    const void *screened;

    /* Not under the core's lock. `port` is set to the port that was bound, `state` to the backend's own. */
    int (*open)(struct sb_core *core, const sb_config *config, void **state, int *port);
    /* Not under the core's lock. Stops the thread, frees the state. No event is posted after it returned. */
    void (*close)(void *state);
    /* Give back object->lib; the object goes. Called once for each object whose lib is not NULL. After
     * close() it is called with a NULL state, not under the lock. */
    void (*release)(void *state, struct sb_object *object);

    /* Not under the core's lock: return once the backend's thread has come round. NULL: the thread hangs with the lock
     * alone. */
    void (*probe)(void *state);

    int (*credentials)(void *state, const char *realm, const char *user, const char *password);
    int (*credentials_clear)(void *state);

    int (*reg)(void *state, struct sb_object *registration, const char *registrar,
               const sb_parties *parties, const char *contact, int expires);
    int (*reg_refresh)(void *state, struct sb_object *registration, int expires);
    int (*reg_end)(void *state, struct sb_object *registration);
    int (*reg_bindings)(void *state, struct sb_object *transaction, const char *registrar,
                        const sb_parties *parties, int clear);

    int (*call)(void *state, struct sb_object *call, const sb_parties *parties, const sb_content *content);
    int (*ring)(void *state, struct sb_object *call, int status, const sb_content *content);
    int (*answer_call)(void *state, struct sb_object *call, const sb_content *content);
    /* reject and redirect: contact is NULL for a rejection */
    int (*refuse)(void *state, struct sb_object *call, int status, const char *reason, const char *contact,
                  const sb_content *content);
    int (*ack)(void *state, struct sb_object *call, const sb_content *content);
    /* call->state is still what it was before the hang-up; never INCOMING: that is refuse(603) */
    int (*hangup)(void *state, struct sb_object *call, const sb_content *content);
    int (*call_request)(void *state, struct sb_object *call, struct sb_object *transaction,
                        const char *method, const sb_content *content);
    int (*reinvite)(void *state, struct sb_object *call, struct sb_object *transaction,
                    const sb_content *content);
    int (*answer)(void *state, struct sb_object *transaction, int status, const char *reason,
                  const sb_content *content);

    int (*request)(void *state, struct sb_object *transaction, const char *method,
                   const sb_parties *parties, const sb_content *content);
    int (*publish)(void *state, struct sb_object *transaction, const sb_parties *parties,
                   const char *event, const char *etag, int expires, const sb_content *content);

    int (*subscribe)(void *state, struct sb_object *subscription, const sb_parties *parties,
                     const char *event, int expires, const sb_content *content);
    int (*subscribe_refresh)(void *state, struct sb_object *subscription, int expires);
    int (*unsubscribe)(void *state, struct sb_object *subscription);
    int (*subscription_accept)(void *state, struct sb_object *subscription, int status, int expires);
    int (*subscription_reject)(void *state, struct sb_object *subscription, int status,
                               const char *reason);
    int (*notify)(void *state, struct sb_object *subscription, const char *subscription_state,
                  const sb_content *content);
};

/* The engine that this extension was built with. */
extern const struct sb_backend sb_backend;

/* ------------------------------------------------------------------------------------------------------
 * For backends
 */
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

/* Under the lock: hand an event to the user, and follow it: the call's state moves on, and an object whose
 * last event this is goes (release() is called, its address is no longer valid). Events that may not follow
 * a hang-up are dropped. Transaction events: the object named in event->transaction. */
void sb_core_post(struct sb_core *core, const sb_event *event);

/* Under the lock, for an event without a message: where that means that a request of ours reached nobody, set the cause,
 * and the reason unless there is one. */
void sb_core_mark_unreached(struct sb_core *core, sb_event *event);

/* Under the lock: take an object, and what belongs to it, away without an event: a request that can no longer
 * be answered, an object for which memory was missing half way. */
void sb_core_remove(struct sb_core *core, struct sb_object *object);

/* Not under the lock, from any thread: an SB_EV_TRACE. */
void sb_core_trace(struct sb_core *core, int outgoing, const char *peer, const char *octets, size_t length);

/* The event of a registration, or of a subscription of ours, in a new state. */
void sb_core_lease_event(sb_event *event, const struct sb_object *object, int new_state, int status,
                         const char *reason, int expires);

/* Milliseconds after which to refresh what was granted for some seconds (10.2.4, RFC 6665 4.1.2.2). */
unsigned sb_core_refresh_ms(int seconds);

/* Under the lock, every SB_TIDY_MS: gives memory that a peak of traffic left behind back to the system. What ended is
 * kept by the libraries for half a minute, so it comes back later than the objects go. */
enum { SB_TIDY_MS = 10000 };
void sb_core_tidy(struct sb_core *core);

/* True when the engine is closing: calls and requests from outside are to be answered 503. Under the lock. */
int sb_core_closing(const struct sb_core *core);

/* True when the user has left so many events unread that new calls and requests from outside are to be
 * answered 503 by the backend and not posted. From any thread. */
int sb_core_congested(struct sb_core *core);

#endif
