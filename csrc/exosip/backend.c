/* backend.c - what the engine on libeXosip2 brings. */
#include "auth.h"
#include "backend.h"
#include "call.h"
#include "dialogs.h"
#include "finished.h"
#include "leases.h"
#include "notify.h"
#include "open.h"
#include "record.h"
#include "request.h"
#include "resolve.h"
#include "turns.h"

static const char *exo_version(void)
{
    return eXosip_get_version();
}

const struct sb_backend sb_backend = {
    .name = "exosip",
    .version = exo_version,
    .screened = (const void *)eXosip_quit,
    .end_early = exo_end_early,
    .between_turns = exo_between_turns,
    .dialog_made = exo_dialog_made,
    .dialog_gone = exo_dialog_gone,
    .is_other_call = exo_is_other_call,
    .open = exo_open,
    .close = exo_close,
    .release = exo_release,
    .credentials = exo_credentials,
    .credentials_clear = exo_credentials_clear,
    .reg = exo_order_registration,
    .reg_refresh = exo_lease_change,
    .reg_end = exo_lease_end,
    /* reg_bindings is missing: the library reports no REGISTER but those of its own registrations */
    .call = exo_order_call,
    .ring = exo_ring,
    .answer_call = exo_answer_call,
    .refuse = exo_refuse,
    .ack = exo_ack,
    .hangup = exo_hangup,
    .call_request = exo_call_request,
    .reinvite = exo_reinvite,
    .answer = exo_answer,
    .request = exo_order_request,
    .publish = exo_order_publish,
    .subscribe = exo_order_subscription,
    .subscribe_refresh = exo_lease_change,
    .unsubscribe = exo_lease_end,
    .subscription_accept = exo_subscription_accept,
    .subscription_reject = exo_subscription_reject,
    .notify = exo_notify,
};
