/* auth.h - credentials, and the challenges that they answer. */
#ifndef SB_SOFIA_AUTH_H
#define SB_SOFIA_AUTH_H

#include "library.h"

int sof_credentials(void *state, const char *realm, const char *user, const char *password);
int sof_credentials_clear(void *state);
/* Forget what a record answers challenges with, for a user (NULL: for all), and wipe it. Under the lock. */
void sof_forget_secrets(struct sof_record *record, const char *user);
/* Note the challenges in a response. True when there are credentials for one. */
int sof_take_challenges(struct sof_record *record, const sip_t *sip);

#endif
