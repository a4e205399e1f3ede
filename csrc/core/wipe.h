/* wipe.h - memory that held a secret. */
#ifndef SB_WIPE_H
#define SB_WIPE_H

#include <stddef.h>

/* Fill memory with zeroes. A compiler may leave out a plain memset() that nobody reads; not this one. NULL is fine. */
void sb_wipe(void *octets, size_t length);

/* The same for a text, NULL is fine, */
void sb_wipe_text(char *text);
/* and free it. */
void sb_wipe_free(char *text);

#endif
