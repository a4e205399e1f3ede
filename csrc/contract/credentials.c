/* credentials.c - users and passwords for challenges (22). */
#include "check.h"
#include "visit.h"

int sb_credentials(int id, const char *realm, const char *user, const char *password)
{
    struct sb_visit visit;
    int code;
    if ((code = realm == NULL ? SB_OK : sb_check_quoted(realm)) != SB_OK || (code = sb_check_quoted(user)) != SB_OK ||
        (code = password == NULL ? SB_EINVAL : sb_check_reason(password)) != SB_OK ||
        (code = sb_enter(&visit, id, sb_backend.credentials != NULL)) != SB_OK)
        return code;
    return sb_leave(&visit, sb_backend.credentials(visit.state, realm, user, password));
}

int sb_credentials_clear(int id)
{
    struct sb_visit visit;
    int code = sb_enter(&visit, id, sb_backend.credentials_clear != NULL);
    if (code != SB_OK)
        return code;
    return sb_leave(&visit, sb_backend.credentials_clear(visit.state));
}
