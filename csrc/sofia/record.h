/* record.h - records, to which nta holds pointers; it never holds one to an sb_object. An object may go whenever the
 * core is not locked. Its record goes only on the loop, when nta holds no pointer to it any more (sof_release). */
#ifndef SB_SOFIA_RECORD_H
#define SB_SOFIA_RECORD_H

#include "core.h"
#include "library.h"

struct sof_command;
struct sof_sha256;

/* object->lib of every kind starts with this. */
struct sof_record {
    struct sofia *state;
    sb_id id;
    su_home_t home[1];      /* what lives as long as the record */
    nta_leg_t *leg;         /* the dialog, or half of one */
    auth_client_t *auth;    /* challenges received in it, */
    struct sof_sha256 *sha256; /* and those that ask for SHA-256 */
    su_timer_t *timer;
    void (*fire)(struct sof_record *record);
    struct sof_command *disposal; /* allocated beforehand, so that freeing the record cannot fail */
};

/* A record for an object (zeroed, with its home), or NULL. size: of the struct that begins with the record. */
void *sof_record_new(struct sofia *state, sb_id id, size_t size);
struct sb_object *sof_object(const struct sof_record *record, int kind); /* NULL when it is gone */

/* Call `fire` once after so many milliseconds; 0: no more. On the loop. */
void sof_set_timer(struct sof_record *record, unsigned ms, void (*fire)(struct sof_record *record));

/* backend.release() */
void sof_release(void *state, struct sb_object *object);
/* On the loop, when it stops: give back the record of an object at once. */
void sof_give_back(struct sb_object *object, void *unused);

#endif
