/* tls.h - certificates. */
#ifndef SB_SOFIA_TLS_H
#define SB_SOFIA_TLS_H

#include <stdarg.h>

#include "engine.h"
#include "library.h"

enum { SOF_TLS_PORT = 5061, SOF_TLS_FILES = 2 };

/* What Sofia-SIP finds the certificates in. */
struct sof_tls_folder {
    char *path;             /* NULL: there is none */
    int fds[SOF_TLS_FILES]; /* of the files in it; -1: not made */
};

/* While it opens: a folder with the certificates, as the library looks for them. It is to be removed even where this
 * fails: SB_EINVAL when a file cannot be read. */
int sof_tls_folder(struct sofia *state, struct sof_tls_folder *folder);
void sof_tls_folder_remove(struct sofia *state, struct sof_tls_folder *folder);
unsigned sof_tls_policy(const sb_config *config);
/* On the loop's thread. From now on, when the library logs that it closed a connection because of a certificate, every
 * request that waits for that peer fails at once, with the reason. */
void sof_tls_watch(struct sofia *state);
void sof_tls_hear(const char *format, va_list arguments); /* a line of the library's log */

#endif
