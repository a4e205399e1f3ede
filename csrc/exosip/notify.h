/* notify.h - subscriptions from outside. */
#ifndef SB_EXOSIP_NOTIFY_H
#define SB_EXOSIP_NOTIFY_H

#include "core.h"
#include "library.h"

struct exosip;

void exo_on_subscribe(struct exosip *state, eXosip_event_t *event);
int exo_subscription_accept(void *state, struct sb_object *subscription, int status, int expires);
int exo_subscription_reject(void *state, struct sb_object *subscription, int status, const char *reason,
                            const sb_content *content);
int exo_notify(void *state, struct sb_object *subscription, const char *subscription_state,
               const sb_content *content);
void exo_on_notification(struct exosip *state, eXosip_event_t *event);
void exo_notifier_due(struct exosip *state, struct sb_object *subscription);

#endif
