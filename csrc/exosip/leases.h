/* lease.h - what is granted for some seconds: registrations, and subscriptions of ours. */
#ifndef SB_EXOSIP_LEASE_H
#define SB_EXOSIP_LEASE_H

#include "api.h"
#include "core.h"
#include "record.h"

struct exosip;

/* Registrations and subscriptions of ours begin with this. */
struct exo_lease {
    struct exo_record record;
    int expires;    /* wanted, seconds; 0: to end it */
    int busy;       /* the request is on its way */
    int outdated;   /* `expires` changed while it was */
    int64_t started_ms;
    int64_t refresh_ms; /* when to ask again */
    int64_t notify_ms;  /* when it has failed unless there is a NOTIFY; 0: never */
    int retries;
};

/* The request was sent. */
void exo_lease_sent(struct exo_lease *lease);
/* Send the next one; FAILED when that cannot be done. */
void exo_lease_again(struct exosip *state, struct sb_object *object);
/* Ask for other seconds: now, or when the answer to the request under way is there. */
int exo_lease_change(void *state, struct sb_object *object, int expires);
int exo_lease_end(void *state, struct sb_object *object);
void exo_lease_due(struct exosip *state, struct sb_object *object);
/* Ask again in time, when so many seconds are left (0: as many as before). */
void exo_lease_left(struct exo_lease *lease, int seconds);
/* A 2xx: ask again for what is wanted meanwhile, or it is ACTIVE for these seconds (NULL: Expires says how many). Returns
 * 0, and nothing was done, when it was the answer to the end. */
int exo_lease_goes_on(struct exosip *state, struct sb_object *object, const char *seconds, osip_message_t *response);
/* Another final response, or none at all (NULL). is_within: the request was one within a dialog. */
void exo_lease_failed(struct exosip *state, struct sb_object *object, int is_within, osip_message_t *response);
void exo_post_lease(struct exosip *state, const struct sb_object *object, int new_state, int status,
                    const char *reason, int expires, osip_message_t *message);

#endif
