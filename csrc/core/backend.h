/* backend.h - the functions that an engine must have.
 *
 * The contract checks arguments, finds objects, and knows which command is possible in which state of a call. An engine
 * does the rest: it turns commands into calls of its library, and what the library reports into events. Each engine has
 * one folder and one `struct sb_backend`.
 *
 * One mutex per engine (sb_core_lock) guards its objects. The contract holds it while it calls a backend, with four
 * exceptions that are marked below; a backend's own thread takes it around whatever it does with objects or events. It
 * is not recursive.
 */
#ifndef SB_BACKEND_H
#define SB_BACKEND_H

#include <sys/time.h>

#include "engine.h"
#include "object.h"

struct sb_core;

/* Functions that return int return SB_OK or an SB_E... code. After an error nothing was sent, and the contract removes
 * the new object. When a member is NULL, the contract returns SB_ENOTSUP. */
struct sb_backend {
    const char *name;
    const char *(*version)(void);
    /* A function of the library whose messages the shield has to look at first; NULL: it needs no shield. */
    const void *screened;
    /* What the shield calls to hasten the library: csrc/shield/process/service.h. */
    void (*end_early)(void *transaction, int is_memorable);
    int (*between_turns)(void *osip, void (*time_left)(void *osip, struct timeval *left));
    void (*dialog_made)(const void *dialog);
    void (*dialog_gone)(const void *dialog);
    int (*is_other_call)(const void *dialog, const void *request);

    /* Not under the core's lock. `port` is set to the port that was bound, `state` to the backend's own. */
    int (*open)(struct sb_core *core, const sb_config *config, void **state, int *port);
    /* Not under the core's lock. Stops the thread, frees the state. No event is posted after it returned. */
    void (*close)(void *state);
    /* Give back object->lib; the object goes. Called once for each object whose lib is not NULL. After
     * close() it is called with a NULL state, not under the lock. */
    void (*release)(void *state, struct sb_object *object);

    /* Not under the core's lock: return when the backend's thread has shown that it runs. NULL: the thread can hang
     * only while it holds the lock. */
    void (*probe)(void *state);

    /* Without a lock, from any thread: have the backend's thread come round, where it calls sb_core_pong(). NULL: it does
     * so by itself. */
    void (*wake)(void *state);

    int (*credentials)(void *state, const char *realm, const char *user, const char *password);
    int (*credentials_clear)(void *state);

    int (*reg)(void *state, struct sb_object *registration, const char *registrar,
               const sb_parties *parties, const char *contact, int expires);
    int (*reg_refresh)(void *state, struct sb_object *registration, int expires);
    int (*reg_end)(void *state, struct sb_object *registration);
    int (*reg_bindings)(void *state, struct sb_object *transaction, const char *registrar,
                        const sb_parties *parties, int clear);

    /* call_id: NULL: the backend makes one */
    int (*call)(void *state, struct sb_object *call, const sb_parties *parties, const char *call_id,
                const sb_content *content);
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
                               const char *reason, const sb_content *content);
    int (*notify)(void *state, struct sb_object *subscription, const char *subscription_state,
                  const sb_content *content);
};

/* The engine that this extension was built with. */
extern const struct sb_backend sb_backend;

#endif
