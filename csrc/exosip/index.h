/* index.h - finds our objects by the library's numbers. */
#ifndef SB_EXOSIP_INDEX_H
#define SB_EXOSIP_INDEX_H

#include "core.h"

struct exosip;

int exo_index_call(struct exosip *state, struct sb_object *call);
int exo_index_registration(struct exosip *state, struct sb_object *registration);
int exo_index_request(struct exosip *state, struct sb_object *transaction);
int exo_index_subscription(struct exosip *state, struct sb_object *subscription);
int exo_index_notifier(struct exosip *state, struct sb_object *subscription);
void exo_unindex(struct exosip *state, struct sb_object *object);
struct sb_object *exo_find_call(struct exosip *state, int cid);
struct sb_object *exo_find_registration(struct exosip *state, int rid);
struct sb_object *exo_find_request(struct exosip *state, const char *call_id);

struct sb_object *exo_find_subscription(struct exosip *state, const char *call_id);
struct sb_object *exo_find_notifier(struct exosip *state, int did);

/* Empty all indexes. Not under the lock: the engine is closing. */
void exo_clear_indexes(struct exosip *state);

#endif
