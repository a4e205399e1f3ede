/* engine_exosip.h - what the parts of the libeXosip2 engine (exosip_*.c, open.c) share.
 *
 * Locks: the core's lock first, then eXosip_lock, which is not recursive. Functions here are called with the
 * core locked and take eXosip_lock (exo_lock) themselves around calls of the library, unless they say otherwise.
 */
#ifndef SB_EXOSIP_ENGINE_H
#define SB_EXOSIP_ENGINE_H

#include <pthread.h>

#include "core.h"
#include "credentials.h"
#include "queue.h"
#include "api.h"

#include <osip2/osip_dialog.h>

/* RFC 3261 17.1.1.1: how long the library waits for a final response, in milliseconds. */
enum { EXO_64_T1 = 32000 };

/* What the engine gives the library beyond that, to say so itself. */
enum { EXO_OVERDUE = EXO_64_T1 + 500 };

/* How often a request is sent again for a challenge: once, and once more each time that only the nonce was
 * stale (22.4, RFC 2617 3.2.1), up to what the library does at most. */
enum { EXO_MAX_RETRIES = 3 };

/* The library writes a start line into a buffer of 4,000 octets without a look at its length. */
enum { EXO_MAX_START_LINE = 2000 };

/* Octets of the user in our own address. */
enum { EXO_MAX_USER = 128 };

/* A deep copy of an sb_content, for a message that cannot be sent yet. */
struct exo_content {
    sb_content content;
    sb_header headers[SB_MAX_HEADERS];
};

struct exosip {
    struct sb_core *core;
    exo_context *context;
    pthread_t pump;
    int stopping;                /* the pump is to return; under the core's lock */
    char *address;               /* "sip:host:port", the default From */
    char *route;                 /* "<sip:proxy;lr>" or NULL */
    struct exo_avoid *avoid;
    struct exo_resolver *resolver;
    struct sb_credential *credentials;
    void *calls;                 /* tsearch() trees of struct sb_object: calls by the library's cid, */
    void *registrations;         /* registrations by rid, */
    void *requests;              /* our transactions outside dialogs by Call-ID, */
    void *subscriptions;         /* our subscriptions by Call-ID, */
    void *notifiers;             /* those from outside by did */
};

/* Not recursive; never around eXosip_event_wait(). */
static inline void exo_lock(struct exosip *state)
{
    EXO_UNUSED(state);
    eXosip_lock(EXO_ALONE(state));
}

static inline void exo_unlock(struct exosip *state)
{
    EXO_UNUSED(state);
    eXosip_unlock(EXO_ALONE(state));
}

/* Whether the library looks up IPv6 addresses, or IPv4's. */
static inline void exo_enable_ipv6(struct exosip *state, int on)
{
    EXO_UNUSED(state);
#if SB_EXOSIP_API >= 4
    eXosip_set_option(EXO_FIRST(state) EXOSIP_OPT_ENABLE_IPV6, &on);
#else
    eXosip_enable_ipv6(on);
#endif
}

/* object->lib of every kind starts with this. */
struct exo_record {
    int64_t due_ms; /* when exo_..._due() is to be called for it (sb_monotonic_ms); 0: never */
};

enum exo_ending {         /* how far the end of a call has come */
    EXO_ENDING_NOT = 0,
    EXO_ENDING_CANCEL_DUE, /* CANCEL may only follow a provisional response (9.1), which is awaited */
    EXO_ENDING_CANCELLED,  /* CANCEL was sent */
    EXO_ENDING_BYE_DUE,    /* the caller's ACK, or its timeout, is awaited (15) */
    EXO_ENDING_BYE_SENT,
    EXO_ENDING_REFUSED
};

struct exo_call {
    struct exo_record record;
    int cid, did;
    int tid;                      /* of the INVITE that was received, or answered last */
    char *call_id;                /* tells calls apart when the library gives out a cid again */
    int64_t started_ms;
    enum exo_ending ending;
    int provisional;              /* a provisional response arrived */
    int ack_awaited;              /* a 2xx of ours is not acknowledged yet */
    int cseq;                     /* of our last request within the dialog */
    int retries;                  /* of the INVITE or BYE, for challenges */
    int strangers;                /* calls that were refused because they were given the same cid */
    struct exo_content *farewell; /* for the BYE that is due */
};

struct exo_transaction {
    struct exo_record record;
    int tid;                     /* of a request from outside */
    int cseq;                    /* of our request within a dialog, 0: not sent yet */
    char *method;
    char *call_id;               /* of our request outside dialogs */
    int64_t started_ms;
    int retries;
    struct exo_content *content; /* of our request within a dialog: it may have to be built once more */
    int is_waiting;              /* it cannot be sent yet */
    int alone;                   /* it was built anew for a challenge: what comes after it waits */
};

/* Registrations and subscriptions of ours begin with this. */
struct exo_lease {
    struct exo_record record;
    int expires;    /* wanted, seconds; 0: to end it */
    int busy;       /* the request is on its way */
    int outdated;   /* `expires` changed while it was */
    int64_t started_ms;
    int64_t refresh_ms; /* when to ask again */
    int64_t notify_ms;  /* when it has failed unless there is a NOTIFY; 0: never */
    int retries;
};

struct exo_registration {
    struct exo_lease lease;
    int rid;
    int by_proxy;   /* the last challenge was a 407 */
};

/* A NOTIFY that waits for the answer to the one before. */
struct exo_notify {
    struct exo_notify *next;
    char *state; /* the value of Subscription-State */
    struct exo_content *content;
};

/* Of ours, or from outside: then of the lease record, busy (our NOTIFY is on its way) and expires (granted at most) are
 * used. */
struct exo_subscription {
    struct exo_lease lease;
    char *event;    /* what Event says */
    /* ours */
    char *call_id, *tag;     /* of From */
    int cseq;                /* of the SUBSCRIBE that was answered last */
    char *to, *from, *route; /* of the first SUBSCRIBE */
    struct exo_content *content;
    osip_dialog_t *dialog;   /* NULL before the first 2xx */
    int polls;      /* the state as it is now was all that was asked for */
    int notified;   /* a NOTIFY came */
    /* from outside */
    int did, tid;   /* tid: of the first SUBSCRIBE */
    int64_t until_ms, overdue_ms; /* when it runs out, and when the NOTIFY under way is given up */
    struct exo_notify *waiting;
    int count;      /* of these */
};

/* message.c -------------------------------------------------------------------------------------- */

/* The SB_E... code for what a function of the library returned (>= 0: SB_OK). */
int exo_error(int returned);

/* Add the content to a message that is being built. NULL is fine. */
int exo_fill(osip_message_t *message, const sb_content *content);
int exo_set_expires(osip_message_t *message, int expires);
int exo_set_reason(osip_message_t *response, const char *reason); /* NULL: leave what is there */

/* Set what the message tells in the event (headers, body, status, reason, method) and post it. NULL message: nothing. */
void exo_post(struct exosip *state, sb_event *event, osip_message_t *message);

/* True when a URI in it is longer than the library can write into a request. */
int exo_is_dangerous(osip_message_t *message);

int exo_is_method(const osip_message_t *request, const char *method);
int exo_cseq(const osip_message_t *message);
/* The Call-ID as one string to be freed, or NULL. */
char *exo_call_id(const osip_message_t *message);
/* Headers of a message: the first value, or NULL. */
const char *exo_header(osip_message_t *message, const char *name);

struct exo_content *exo_content_copy(const sb_content *content); /* NULL when memory is out */
void exo_content_free(struct exo_content *copy);

void exo_trace(osip_message_t *message, int received);
/* From now on exo_trace() reports to this core; NULL: to nobody. */
void exo_trace_to(struct sb_core *core);

/* screen.c --------------------------------------------------------------------------------------- */

/* The library's callback for each message that passes. */
void exo_on_message(osip_message_t *message, int received);
/* Undo what it did to a request that arrived. False when that was one to refuse, and is answered. */
int exo_restore(struct exosip *state, eXosip_event_t *event);
int exo_is_long_user(const osip_from_t *address);
/* The CANCEL that arrived for a call, to be freed, where the library does not tell (3.3); or NULL. */
osip_message_t *exo_take_cancel(const char *call_id);
void exo_drop_cancels(void); /* when the library is stopped */

/* auth.c ----------------------------------------------------------------------------------------- */
int exo_credentials(void *state, const char *realm, const char *user, const char *password);
int exo_credentials_clear(void *state);
/* Before the library is begun with: the memory of its passwords is wiped when it is given back. */
void exo_wipe_what_is_freed(void);
/* Before the library goes. */
void exo_forget_secrets(struct exosip *state);

/* True when the response is a challenge that is worth another try: there are credentials for it, and they
 * were not refused yet. */
int exo_may_retry(struct exosip *state, osip_message_t *request, osip_message_t *response, int *retries);
/* The same, and let the library send the request again. True when it did. */
int exo_retry(struct exosip *state, eXosip_event_t *event, int *retries);

/* index.c ---------------------------------------------------------------------------------------- */
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

/* request.c: transactions, within dialogs and outside ---------------------------------------------- */
int exo_call_request(void *state, struct sb_object *call, struct sb_object *transaction, const char *method,
                     const sb_content *content);
int exo_reinvite(void *state, struct sb_object *call, struct sb_object *transaction,
                 const sb_content *content);
int exo_answer(void *state, struct sb_object *transaction, int status, const char *reason,
               const sb_content *content);
int exo_request(void *state, struct sb_object *transaction, const char *method, const sb_parties *parties,
                const sb_content *content);
/* A request from outside (call: its dialog, or NULL), and the final response to one of ours. */
void exo_on_request(struct exosip *state, eXosip_event_t *event, struct sb_object *call);
void exo_on_response(struct exosip *state, eXosip_event_t *event);
void exo_on_call_response(struct exosip *state, eXosip_event_t *event, struct sb_object *call);
void exo_transaction_due(struct exosip *state, struct sb_object *transaction);
void exo_transaction_free(struct exo_transaction *record);
/* Answer without a user: no content, and 481, 503 or the like. */
void exo_answer_call_request(struct exosip *state, int tid, int status);
void exo_answer_request(struct exosip *state, int tid, int status);
/* The call's re-INVITE of ours without a final response yet, or NULL. */
struct sb_object *exo_pending_reinvite(struct sb_object *call);

/* call.c: commands ------------------------------------------------------------------------------- */
int exo_call(void *state, struct sb_object *call, const sb_parties *parties, const sb_content *content);
int exo_ring(void *state, struct sb_object *call, int status, const sb_content *content);
int exo_answer_call(void *state, struct sb_object *call, const sb_content *content);
int exo_refuse(void *state, struct sb_object *call, int status, const char *reason, const char *contact,
               const sb_content *content);
int exo_ack(void *state, struct sb_object *call, const sb_content *content);
int exo_hangup(void *state, struct sb_object *call, const sb_content *content);
int exo_send_ack(struct exosip *state, int did, int tid, const sb_content *content);
int exo_send_bye(struct exosip *state, int did, const sb_content *content);
int exo_send_cancel(struct exosip *state, struct exo_call *call);
/* The value of a Route header, to be freed, for a proxy's URI; NULL when memory is out. */
char *exo_route(const char *uri);
char *exo_in_brackets(const char *uri); /* "<uri>", to be freed; NULL when memory is out */
/* A URI or a name-addr as a name-addr, to be freed; NULL when memory is out. Without the brackets the URI's parameters
 * would be the header field's (20.10). */
char *exo_name_addr(const char *address);
/* The same of who it is from. Without "<>" the library would take the URI's parameters for those of From. */
char *exo_sender(const struct exosip *state, const sb_parties *parties);
int exo_check_target(const sb_parties *parties);
void exo_call_due(struct exosip *state, struct sb_object *call);
void exo_call_free(struct exo_call *record);

/* call_events.c ---------------------------------------------------------------------------------- */
/* True when the event was about a call. */
int exo_on_call(struct exosip *state, eXosip_event_t *event);
/* Post ENDED: the call is gone afterwards. message: may be NULL. */
void exo_end_call(struct exosip *state, struct sb_object *call, int cause, int status,
                  osip_message_t *message);

/* lease.c ---------------------------------------------------------------------------------------- */

/* The request was sent. */
void exo_lease_sent(struct exo_lease *lease);
/* Send the next one; FAILED when that cannot be done. */
void exo_lease_again(struct exosip *state, struct sb_object *object);
/* Ask for other seconds: now, or when the answer to the request under way is there. */
int exo_lease_change(void *state, struct sb_object *object, int expires);
int exo_lease_end(void *state, struct sb_object *object);
void exo_lease_due(struct exosip *state, struct sb_object *object);
/* Ask again in time, when so many seconds are left (0: as many as before). */
void exo_lease_left(struct exo_lease *lease, int seconds);
/* A 2xx: ask again for what is wanted meanwhile, or it is ACTIVE for these seconds (NULL: Expires says how many). Returns
 * 0, and nothing was done, when it was the answer to the end. */
int exo_lease_goes_on(struct exosip *state, struct sb_object *object, const char *seconds, osip_message_t *response);
/* Another final response, or none at all (NULL). is_within: the request was one within a dialog. */
void exo_lease_failed(struct exosip *state, struct sb_object *object, int is_within, osip_message_t *response);
void exo_post_lease(struct exosip *state, const struct sb_object *object, int new_state, int status,
                    const char *reason, int expires, osip_message_t *message);

/* subscribe.c ------------------------------------------------------------------------------------ */
int exo_subscribe(void *state, struct sb_object *subscription, const sb_parties *parties, const char *event,
                  int expires, const sb_content *content);
/* The next SUBSCRIBE of a subscription: its first one again, or one within its dialog. */
int exo_send_subscribe(struct exosip *state, struct exo_subscription *record);
int exo_publish(void *state, struct sb_object *transaction, const sb_parties *parties, const char *event,
                const char *etag, int expires, const sb_content *content);
void exo_on_subscription(struct exosip *state, eXosip_event_t *event);
void exo_on_notify(struct exosip *state, eXosip_event_t *event);
/* A request outside calls: true when it was a NOTIFY in a dialog, and is answered. */
int exo_take_notify(struct exosip *state, eXosip_event_t *event);
const char *exo_event_header(osip_message_t *message); /* NULL when there is none */
void exo_subscription_due(struct exosip *state, struct sb_object *subscription);
/* Take it out of the library too, unless state is NULL. */
void exo_subscription_free(struct exosip *state, struct exo_subscription *record);

/* notify.c --------------------------------------------------------------------------------------- */
void exo_on_subscribe(struct exosip *state, eXosip_event_t *event);
int exo_subscription_accept(void *state, struct sb_object *subscription, int status, int expires);
int exo_subscription_reject(void *state, struct sb_object *subscription, int status, const char *reason);
int exo_notify(void *state, struct sb_object *subscription, const char *subscription_state,
               const sb_content *content);
void exo_on_notification(struct exosip *state, eXosip_event_t *event);
void exo_notifier_due(struct exosip *state, struct sb_object *subscription);
void exo_notify_free(struct exo_notify *waiting);

/* resolve.c: exo_call() and the like, once it is known where to ------------------------------------- */
int exo_order_call(void *state, struct sb_object *call, const sb_parties *parties, const sb_content *content);
int exo_order_request(void *state, struct sb_object *transaction, const char *method, const sb_parties *parties,
                      const sb_content *content);
int exo_order_publish(void *state, struct sb_object *transaction, const sb_parties *parties, const char *event,
                      const char *etag, int expires, const sb_content *content);
int exo_order_subscription(void *state, struct sb_object *subscription, const sb_parties *parties, const char *event,
                           int expires, const sb_content *content);
int exo_order_registration(void *state, struct sb_object *registration, const char *registrar,
                           const sb_parties *parties, const char *contact, int expires);
/* The user does not want it any more: 1 when it waits for its address, and ends. */
int exo_give_up(struct exosip *state, const struct sb_object *object);
/* Nobody answered the request of this object. */
void exo_note_silence(struct exosip *state, sb_id id);
/* Send what has its address, end what has none. By the pump, every now and then. */
void exo_take_found(struct exosip *state);

/* register.c ------------------------------------------------------------------------------------- */
int exo_register(void *state, struct sb_object *registration, const char *registrar,
                 const sb_parties *parties, const char *contact, int expires);
int exo_send_register(struct exosip *state, struct exo_registration *record); /* the next one */
void exo_on_registration(struct exosip *state, eXosip_event_t *event);
/* Take it out of the library. */
void exo_registration_free(struct exosip *state, struct exo_registration *record);

#endif
