/* subscribe.h - subscriptions of ours, and PUBLISH. */
#ifndef SB_SOFIA_SUBSCRIBE_H
#define SB_SOFIA_SUBSCRIBE_H

#include "leases.h"
#include "notifier.h"

/* A subscription of ours, or one from outside. One from outside uses nothing of the lease but record and request (its
 * NOTIFY). */
struct sof_subscription {
    struct sof_lease lease;
    char *event;                  /* what Event says; in the record's home */
    /* ours */
    msg_t *again;                 /* the draft of a SUBSCRIBE within the dialog, until it is used */
    /* from outside */
    nta_incoming_t *irq;          /* the SUBSCRIBE, until it is answered */
    struct sb_notifier notifier;
};

int sof_subscribe(void *state, struct sb_object *subscription, const sb_parties *parties, const char *event,
                  int expires, const sb_content *content);
int sof_publish(void *state, struct sb_object *transaction, const sb_parties *parties, const char *event,
                const char *etag, int expires, const sb_content *content);

#endif
