/* backend.c - what the engine on Sofia-SIP brings. */
#include <sofia-sip/su_config.h>
#include <sofia-sip/sofia_features.h>

#include "auth.h"
#include "backend.h"
#include "call.h"
#include "leases.h"
#include "loop.h"
#include "notify.h"
#include "open.h"
#include "record.h"
#include "register.h"
#include "request.h"
#include "subscribe.h"

static const char *sof_version(void)
{
    return SOFIA_SIP_VERSION;
}

const struct sb_backend sb_backend = {
    .name = "sofia",
    .version = sof_version,
    .open = sof_open,
    .close = sof_close,
    .release = sof_release,
    .probe = sof_probe,
    .wake = sof_wake,
    .credentials = sof_credentials,
    .credentials_clear = sof_credentials_clear,
    .reg = sof_register,
    .reg_refresh = sof_lease_change,
    .reg_end = sof_lease_end,
    .reg_bindings = sof_bindings,
    .call = sof_call,
    .ring = sof_ring,
    .answer_call = sof_answer_call,
    .refuse = sof_refuse,
    .ack = sof_ack,
    .hangup = sof_hangup,
    .call_request = sof_call_request,
    .reinvite = sof_reinvite,
    .answer = sof_answer_transaction,
    .request = sof_request,
    .publish = sof_publish,
    .subscribe = sof_subscribe,
    .subscribe_refresh = sof_lease_change,
    .unsubscribe = sof_lease_end,
    .subscription_accept = sof_subscription_accept,
    .subscription_reject = sof_subscription_reject,
    .notify = sof_notify,
};
