/* near.h - what the library goes through again and again lies close together in memory. */
#ifndef SB_EXOSIP_NEAR_H
#define SB_EXOSIP_NEAR_H

#include <stddef.h>

/* From now on, for the rest of the process. Before it, exo_near_alloc() is malloc(). */
void exo_near_begin(void);
int exo_near_is_on(void);

/* For osip_set_allocators(). */
void *exo_near_alloc(size_t size);
void *exo_near_resize(void *octets, size_t size);
void exo_near_free(void *octets);
/* How many octets there are of it. */
size_t exo_near_size(void *octets);

#endif
