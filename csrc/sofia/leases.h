/* lease.h - what is granted for some seconds: registrations, and subscriptions of ours. */
#ifndef SB_SOFIA_LEASE_H
#define SB_SOFIA_LEASE_H

#include "request.h"

struct sof_lease;

/* How registrations and subscriptions of ours differ. */
struct sof_lease_kind {
    int object;                /* enum sb_kind */
    const char *method;
    nta_request_f *on_request; /* for what comes in the dialog; NULL: nothing does */
    int (*send_next)(struct sof_lease *lease); /* the request again, or the next one */
    void (*on_success)(struct sof_lease *lease, struct sb_object *object, int status, const sip_t *sip);
};

/* A registration. A subscription begins with it, too. */
struct sof_lease {
    struct sof_record record;
    const struct sof_lease_kind *kind;
    struct sof_request request;
    int expires;               /* wanted, seconds; 0: to end it */
    int busy;                  /* the request is on its way */
    int outdated;              /* `expires` changed while it was */
    int established;           /* there is a dialog */
    int64_t refresh_ms;        /* when to ask again (sb_monotonic_ms) */
    int64_t notify_ms;         /* when it has failed unless there is a NOTIFY; 0: never */
};

/* The first request; its draft is taken. SB_OK, or SB_ENOMEM. */
int sof_lease_start(struct sof_lease *lease, const struct sb_object *object, msg_t *draft);
/* On the loop: a new request, whose draft is taken, or the same again with the seconds that are wanted now. */
int sof_lease_send(struct sof_lease *lease, msg_t *draft);
int sof_lease_send_again(struct sof_lease *lease);
/* Ask for other seconds: now, or when the answer to the request under way is there. */
int sof_lease_change(void *state, struct sb_object *object, int expires);
int sof_lease_end(void *state, struct sb_object *object);
/* On the loop: ask again in time, when so many seconds are left (0: as many as before). */
void sof_lease_due(struct sof_lease *lease, int seconds);
/* A 2xx: ask again for what is wanted meanwhile, or it is ACTIVE for these seconds (NULL: Expires says how many). Returns
 * 0, and nothing was done, when it was the answer to the end. */
int sof_lease_goes_on(struct sof_lease *lease, struct sb_object *object, const char *seconds, int status,
                      const sip_t *sip);
void sof_post_lease(const struct sof_lease *lease, const struct sb_object *object, int new_state, int status,
                    const char *reason, int expires, const sip_t *sip);

#endif
