/* notify.h - subscriptions from outside. */
#ifndef SB_EXOSIP_NOTIFY_H
#define SB_EXOSIP_NOTIFY_H

#include "api.h"
#include "core.h"

struct exosip;
struct exo_content;

/* A NOTIFY that waits for the answer to the one before. */
struct exo_notify {
    struct exo_notify *next;
    char *state; /* the value of Subscription-State */
    struct exo_content *content;
};

void exo_on_subscribe(struct exosip *state, eXosip_event_t *event);
int exo_subscription_accept(void *state, struct sb_object *subscription, int status, int expires);
int exo_subscription_reject(void *state, struct sb_object *subscription, int status, const char *reason);
int exo_notify(void *state, struct sb_object *subscription, const char *subscription_state,
               const sb_content *content);
void exo_on_notification(struct exosip *state, eXosip_event_t *event);
void exo_notifier_due(struct exosip *state, struct sb_object *subscription);
void exo_notify_free(struct exo_notify *waiting);

#endif
