/* sofia_tls.c - certificates, as Sofia-SIP wants to find them: in one folder, under names of its own.
 *
 * The folder lives while the library reads it: it holds a copy of the private key, for our eyes only.
 */
#include "sofia_engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const NAMES[] = {"agent.pem", "cafile.pem"};

/* Append a file to an open one. */
static int append_file(int to, const char *path)
{
    char octets[4096];
    ssize_t got = 0;
    int from = open(path, O_RDONLY | O_CLOEXEC), code = SB_OK;
    if (from < 0)
        return SB_EINVAL;
    while (code == SB_OK && (got = read(from, octets, sizeof octets)) > 0)
        code = write(to, octets, (size_t)got) == got ? SB_OK : SB_ENOMEM;
    close(from);
    return got < 0 ? SB_EINVAL : code;
}

/* Write what is in one file, or two, into a new one. */
static int write_pem(su_home_t *home, const char *folder, const char *name, const char *one, const char *other)
{
    char *path = su_sprintf(home, "%s/%s", folder, name);
    int code, fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return SB_ENOMEM;
    code = append_file(fd, one);
    if (code == SB_OK && other != NULL)
        code = append_file(fd, other);
    close(fd);
    return code;
}

int sof_tls_folder(struct sofia *state, char **folder)
{
    const sb_config *config = state->config;
    const char *temporary = getenv("TMPDIR");
    int code = SB_OK;
    *folder = su_sprintf(state->home, "%s/sipbridge-XXXXXX", temporary != NULL ? temporary : "/tmp");
    if (*folder == NULL || mkdtemp(*folder) == NULL) {
        *folder = NULL;
        return SB_ENOMEM;
    }
    if (config->tls_certificate != NULL)
        code = write_pem(state->home, *folder, NAMES[0], config->tls_certificate, config->tls_private_key);
    if (code == SB_OK && config->tls_ca != NULL)
        code = write_pem(state->home, *folder, NAMES[1], config->tls_ca, NULL);
    return code;
}

void sof_tls_folder_remove(struct sofia *state, char *folder)
{
    size_t i;
    if (folder == NULL)
        return;
    for (i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char *path = su_sprintf(state->home, "%s/%s", folder, NAMES[i]);
        if (path != NULL)
            unlink(path);
    }
    rmdir(folder);
}

unsigned sof_tls_policy(const sb_config *config)
{
    switch (config->tls_verify) {
    case SB_TLS_VERIFY_NONE: return TPTLS_VERIFY_NONE;
    case SB_TLS_VERIFY_BOTH: return TPTLS_VERIFY_OUT | TPTLS_VERIFY_SUBJECTS_OUT | TPTLS_VERIFY_IN;
    default: return TPTLS_VERIFY_OUT | TPTLS_VERIFY_SUBJECTS_OUT;
    }
}
