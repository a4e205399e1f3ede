/* auth.h - credentials, and the challenges that they answer. */
#ifndef SB_SOFIA_AUTH_H
#define SB_SOFIA_AUTH_H

#include "library.h"

int sof_credentials(void *state, const char *realm, const char *user, const char *password);
int sof_credentials_clear(void *state);
/* Forget what answers challenges in a record for a user (NULL: whoever), and wipe it: under the lock, as all use of it. */
void sof_forget_secrets(struct sof_record *record, const char *user);
/* Take the challenges in a response: true when there are credentials for them. */
int sof_take_challenges(struct sof_record *record, const sip_t *sip);

#endif
