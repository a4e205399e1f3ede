/* digest_sha256.h - challenges for SHA-256 (RFC 8760), and what answers them. */
#ifndef SB_SOFIA_DIGEST_SHA256_H
#define SB_SOFIA_DIGEST_SHA256_H

#include "library.h"

int sof_is_sha256(const msg_auth_t *challenge);
/* Keep a challenge, and what answers it. True when that worked. */
int sof_take_sha256(struct sof_record *record, const msg_auth_t *challenge, int proxy, const char *user,
                    const char *password);
/* Forget what answers challenges in a record for a user (NULL: whoever), and wipe it. */
void sof_forget_sha256(struct sof_record *record, const char *user);
/* Add to a request the answer to each challenge that was kept. */
int sof_authorize_sha256(struct sof_record *record, msg_t *msg, const char *method);

#endif
