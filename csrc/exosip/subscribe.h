/* subscribe.h - subscriptions of ours, and PUBLISH. */
#ifndef SB_EXOSIP_SUBSCRIBE_H
#define SB_EXOSIP_SUBSCRIBE_H

#include "address.h"
#include "leases.h"
#include "library.h"
#include "notifier.h"

#include <osip2/osip_dialog.h> /* needs what library.h includes */

struct exosip;
struct exo_content;

/* A subscription of ours, or one from outside. One from outside uses nothing of the lease but its record. */
struct exo_subscription {
    struct exo_lease lease;
    char *event;    /* what Event says */
    /* ours */
    char *call_id, *tag;     /* of From */
    int cseq;                /* of the SUBSCRIBE that was answered last */
    struct exo_addresses addresses; /* of the first SUBSCRIBE */
    struct exo_content *content;
    osip_dialog_t *dialog;   /* NULL before the first 2xx */
    /* from outside */
    int did, tid;   /* tid: of the first SUBSCRIBE */
    int64_t until_ms, overdue_ms; /* when it runs out, and when the NOTIFY under way is given up */
    struct sb_notifier notifier;
};

int exo_subscribe(void *state, struct sb_object *subscription, const sb_parties *parties, const char *event,
                  int expires, const sb_content *content);
/* The next SUBSCRIBE of a subscription: its first one again, or one within its dialog. */
int exo_send_subscribe(struct exosip *state, struct exo_subscription *record);
int exo_publish(void *state, struct sb_object *transaction, const sb_parties *parties, const char *event,
                const char *etag, int expires, const sb_content *content);
void exo_on_subscription(struct exosip *state, eXosip_event_t *event);
void exo_on_notify(struct exosip *state, eXosip_event_t *event);
/* Take a request outside calls. True when it was a NOTIFY in a dialog; it is answered then. */
int exo_take_notify(struct exosip *state, eXosip_event_t *event);
const char *exo_event_header(osip_message_t *message); /* NULL when there is none */
/* Take it out of the library too, unless state is NULL. */
void exo_subscription_free(struct exosip *state, struct exo_subscription *record);

#endif
