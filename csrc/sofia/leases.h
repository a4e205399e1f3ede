/* leases.h - leases (core/lease.h) on nta: registrations, and subscriptions of ours. */
#ifndef SB_SOFIA_LEASES_H
#define SB_SOFIA_LEASES_H

#include "lease.h"
#include "request.h"

struct sof_lease;

/* How registrations and subscriptions of ours differ. */
struct sof_lease_kind {
    int object;                /* enum sb_kind */
    const char *method;
    nta_request_f *on_request; /* handles requests in the dialog; NULL: there are none */
    int (*send_next)(struct sof_lease *lease); /* the request again, or the next one */
    void (*on_success)(struct sof_lease *lease, struct sb_object *object, int status, const sip_t *sip);
    void (*on_due)(struct sb_lease *lease, void *state, struct sb_object *object);
};

/* The record of a registration. That of a subscription begins with it, too. */
struct sof_lease {
    struct sof_record record;
    const struct sof_lease_kind *kind;
    struct sof_request request;
    struct sb_lease lease;
    int established;           /* there is a dialog */
};

/* Send the first request, for so many seconds; its draft is taken. SB_OK, or SB_ENOMEM. */
int sof_lease_start(struct sof_lease *lease, const struct sof_lease_kind *kind, const struct sb_object *object,
                    int expires, msg_t *draft);
/* On the loop: send a new request, whose draft is taken; or the same one again, for the seconds that are wanted now. */
int sof_lease_send(struct sof_lease *lease, msg_t *draft);
int sof_lease_send_again(struct sof_lease *lease);
/* backend.reg_refresh() and the like */
int sof_lease_change(void *state, struct sb_object *object, int expires);
int sof_lease_end(void *state, struct sb_object *object);
/* What Expires says, as text; NULL where there is none. */
enum { SOF_EXPIRES_SIZE = 24 };
const char *sof_expires(char text[SOF_EXPIRES_SIZE], const sip_t *sip);

#endif
