/* resolve.h - exo_call() and the like, once the host of a request has an address. */
#ifndef SB_EXOSIP_RESOLVE_H
#define SB_EXOSIP_RESOLVE_H

#include "core.h"

struct exosip;

int exo_order_call(void *state, struct sb_object *call, const sb_parties *parties, const char *call_id,
                   const sb_content *content);
int exo_order_request(void *state, struct sb_object *transaction, const char *method, const sb_parties *parties,
                      const sb_content *content);
int exo_order_publish(void *state, struct sb_object *transaction, const sb_parties *parties, const char *event,
                      const char *etag, int expires, const sb_content *content);
int exo_order_subscription(void *state, struct sb_object *subscription, const sb_parties *parties, const char *event,
                           int expires, const sb_content *content);
int exo_order_registration(void *state, struct sb_object *registration, const char *registrar,
                           const sb_parties *parties, const char *contact, int expires);
/* The user gives it up. Returns 1 when it still waits for its address: then it ends. */
int exo_give_up(struct exosip *state, const struct sb_object *object);
/* Nobody answered the request of this object. */
void exo_note_silence(struct exosip *state, sb_id id);
/* On the engine's thread, every now and then: send the requests whose host has an address, and end those whose host has
 * none. */
void exo_take_found(struct exosip *state);

#endif
