/* registrations.c - registrations (10), and the bindings that a registrar has of an address of ours. */
#include "check.h"
#include "visit.h"

sb_id sb_register(int id, const char *registrar, const sb_parties *parties, const char *contact,
                  int expires)
{
    struct sb_visit visit;
    int code;
    if ((code = sb_check_uri(registrar)) != SB_OK || (code = sb_check_parties(parties)) != SB_OK ||
        (code = contact == NULL ? SB_OK : sb_check_uri(contact)) != SB_OK ||
        (code = expires == 0 ? SB_EINVAL : sb_check_expires(expires)) != SB_OK ||
        (code = sb_enter_begin(&visit, id, sb_backend.reg != NULL, SB_KIND_REGISTRATION)) != SB_OK)
        return code;
    code = sb_backend.reg(visit.state, visit.begun, registrar, parties, contact, expires);
    return sb_leave_begun(&visit, code);
}

/* Enter the engine, and find this registration. */
static int enter(struct sb_visit *visit, int id, int offered, sb_id registration_id)
{
    return sb_enter_object(visit, id, offered, SB_KIND_REGISTRATION, registration_id);
}

int sb_register_refresh(int id, sb_id registration_id, int expires)
{
    struct sb_visit visit;
    int code;
    if ((code = expires == 0 ? SB_EINVAL : sb_check_expires(expires)) != SB_OK ||
        (code = enter(&visit, id, sb_backend.reg_refresh != NULL, registration_id)) != SB_OK)
        return code;
    return sb_leave(&visit, sb_backend.reg_refresh(visit.state, visit.object, expires));
}

int sb_unregister(int id, sb_id registration_id)
{
    struct sb_visit visit;
    int code = enter(&visit, id, sb_backend.reg_end != NULL, registration_id);
    if (code != SB_OK)
        return code;
    return sb_leave(&visit, sb_backend.reg_end(visit.state, visit.object));
}

static sb_id bindings(int id, const char *registrar, const sb_parties *parties, int clear)
{
    struct sb_visit visit;
    int code;
    if ((code = sb_check_uri(registrar)) != SB_OK || (code = sb_check_parties(parties)) != SB_OK ||
        (code = sb_enter_begin(&visit, id, sb_backend.reg_bindings != NULL, SB_KIND_TRANSACTION)) != SB_OK)
        return code;
    return sb_leave_begun(&visit, sb_backend.reg_bindings(visit.state, visit.begun, registrar, parties, clear));
}

sb_id sb_register_query(int id, const char *registrar, const sb_parties *parties)
{
    return bindings(id, registrar, parties, 0);
}

sb_id sb_register_clear(int id, const char *registrar, const sb_parties *parties)
{
    return bindings(id, registrar, parties, 1);
}
