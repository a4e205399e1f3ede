/* leases.h - leases (core/lease.h) on libeXosip2: registrations, and subscriptions of ours. */
#ifndef SB_EXOSIP_LEASES_H
#define SB_EXOSIP_LEASES_H

#include "core.h"
#include "lease.h"
#include "library.h"
#include "record.h"

struct exosip;

/* The record of a registration or of a subscription of ours begins with this. */
struct exo_lease {
    struct exo_record record;
    struct sb_lease lease;
    int64_t started_ms; /* when the request under way was sent */
    int retries;        /* how often it was sent again for a challenge */
};

void exo_lease_init(struct exo_lease *lease, int expires);
/* Note that a request was sent. */
void exo_lease_sent(struct exo_lease *lease);
/* backend.reg_refresh() and the like */
int exo_lease_change(void *state, struct sb_object *object, int expires);
int exo_lease_end(void *state, struct sb_object *object);
/* It is due. */
void exo_lease_due(struct exosip *state, struct sb_object *object);
/* Note a final response other than 2xx, or that there is none (NULL). is_within: the request went within a dialog. */
void exo_lease_failed(struct exosip *state, struct sb_object *object, int is_within, osip_message_t *response);

#endif
