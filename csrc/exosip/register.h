/* register.h - registrations. */
#ifndef SB_EXOSIP_REGISTER_H
#define SB_EXOSIP_REGISTER_H

#include "core.h"
#include "leases.h"
#include "library.h"

struct exosip;

struct exo_registration {
    struct exo_lease lease;
    int rid;
    int by_proxy;   /* the last challenge was a 407 */
};

int exo_register(void *state, struct sb_object *registration, const char *registrar,
                 const sb_parties *parties, const char *contact, int expires);
int exo_send_register(struct exosip *state, struct exo_registration *record); /* the next one */
void exo_on_registration(struct exosip *state, eXosip_event_t *event);
/* Take it out of the library. */
void exo_registration_free(struct exosip *state, struct exo_registration *record);

#endif
