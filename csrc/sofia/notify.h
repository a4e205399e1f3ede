/* notify.h - subscriptions from outside. */
#ifndef SB_SOFIA_NOTIFY_H
#define SB_SOFIA_NOTIFY_H

#include "core.h"
#include "library.h"

struct sof_subscription;

/* The value of Event in the memory of home; NULL where there is none. */
char *sof_event_header(su_home_t *home, const sip_t *sip);
int sof_on_subscribe(struct sofia *state, nta_incoming_t *irq, const sip_t *sip);
int sof_subscription_accept(void *state, struct sb_object *subscription, int status, int expires);
int sof_subscription_reject(void *state, struct sb_object *subscription, int status, const char *reason,
                            const sb_content *content);
int sof_notify(void *state, struct sb_object *subscription, const char *subscription_state,
               const sb_content *content);
void sof_subscription_free(struct sof_subscription *record);

#endif
