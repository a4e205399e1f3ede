/* auth.h - credentials, and the answer to a digest challenge. */
#ifndef SB_EXOSIP_AUTH_H
#define SB_EXOSIP_AUTH_H

#include "library.h"

struct exosip;

int exo_credentials(void *state, const char *realm, const char *user, const char *password);
int exo_credentials_clear(void *state);
/* Call this before the library starts: it wipes the memory of passwords when the library frees it. */
void exo_wipe_what_is_freed(void);
/* In the library's thread: what it walks through lies close together from now on (near.h). Only the shield has this
 * called: without it the library's memory is malloc()'s, which valgrind and the sanitizers can follow. */
void exo_allocate_near(void);
/* Call this before the library stops. */
void exo_forget_secrets(struct exosip *state);

/* True when the response is a challenge that another request may answer: there are credentials for it, which were not
 * refused yet. */
int exo_may_retry(struct exosip *state, osip_message_t *request, osip_message_t *response, int *retries);
/* The same, and have the library send the request again. True when it did. */
int exo_retry(struct exosip *state, eXosip_event_t *event, int *retries);

#endif
