/* register.h - registrations. */
#ifndef SB_SOFIA_REGISTER_H
#define SB_SOFIA_REGISTER_H

#include "core.h"

int sof_register(void *state, struct sb_object *registration, const char *registrar, const sb_parties *parties,
                 const char *contact, int expires);

#endif
