/* subscribe.h - subscriptions of ours, and PUBLISH. */
#ifndef SB_SOFIA_SUBSCRIBE_H
#define SB_SOFIA_SUBSCRIBE_H

#include "lease.h"
#include "timers.h"

/* Of ours, or from outside: then of the lease record, request (our NOTIFY), busy and expires (granted at most) are
 * used. */
struct sof_subscription {
    struct sof_lease lease;
    /* ours */
    char *event;                  /* what Event says; in the record's home, of those from outside too */
    msg_t *again;                 /* the draft of a SUBSCRIBE within the dialog, until it is used */
    int polls;                    /* the state as it is now was all that was asked for */
    int notified;                 /* a NOTIFY came */
    /* from outside */
    nta_incoming_t *irq;          /* the SUBSCRIBE, until it is answered */
    msg_t *waiting[SB_MAX_NOTIFIES]; /* NOTIFYs that wait for the answer to the one before */
    int count;                    /* how many, */
    int pending;                  /* and how many have no answer at all */
};

int sof_subscribe(void *state, struct sb_object *subscription, const sb_parties *parties, const char *event,
                  int expires, const sb_content *content);
int sof_publish(void *state, struct sb_object *transaction, const sb_parties *parties, const char *event,
                const char *etag, int expires, const sb_content *content);

#endif
