/* engine_sofia.h - what the parts of the Sofia-SIP engine (sofia_*.c, open.c) share.
 *
 * The engine stands on Sofia-SIP's transaction layer (nta): it leaves retransmissions, timers, routes and
 * transports to it, and keeps the dialogs' use (calls, registrations) to itself, where the contract's rules are.
 * nta is not to be used from several threads, so one thread of ours runs it ("the loop"). The contract's functions
 * check, build the message, and leave a command for the loop. What the network brings comes in on the loop.
 *
 * Locks: the core's lock guards the commands and every object. The loop takes it around commands and callbacks
 * (sof_enter, which nests).
 *
 * What nta holds a pointer to is always a record, never an sb_object: an object may go at any moment that the core
 * is not locked, its record only on the loop, once nta has let go of it (sof_release).
 */
#ifndef SB_SOFIA_ENGINE_H
#define SB_SOFIA_ENGINE_H

#include <limits.h>
#include <pthread.h>
#include <stdarg.h>

#include "core.h"
#include "credentials.h"
#include "queue.h"

struct sof_record;

#define NTA_LEG_MAGIC_T struct sof_record
#define NTA_OUTGOING_MAGIC_T struct sof_record
#define NTA_INCOMING_MAGIC_T struct sof_record
#define NTA_AGENT_MAGIC_T struct sofia
#define SU_WAKEUP_ARG_T struct sofia
#define SU_TIMER_ARG_T struct sof_record
#define SU_ROOT_MAGIC_T struct sofia

struct sofia;

#include <sofia-sip/auth_client.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport_tag.h>

enum { SOF_64_T1 = 32000 }; /* milliseconds (17.1.1.1) */

/* How long an address is looked up for what begins something; the library would ask a silent name server for 191 s. */
#ifndef SOF_LOOKUP /* the tests' own build has a shorter one */
#define SOF_LOOKUP 16000
#endif
enum { SOF_LOOKUP_MS = SOF_LOOKUP };

/* How often a request is sent again for a challenge: once, and once more each time that only the nonce was stale
 * (22.4, RFC 2617 3.2.1). */
enum { SOF_MAX_RETRIES = 3 };

extern const char SOF_ALLOW[]; /* what Allow says */

/* Something for the loop to do, under the core's lock. */
struct sof_command {
    struct sof_command *next;
    void (*run)(struct sofia *state, struct sof_command *command);
    sb_id id;              /* of the object that it is about, */
    int kind;              /* and its kind */
    int status;            /* what is wanted; its meaning is the command's */
    msg_t *msg;            /* what to send; the command's until it is taken (set to NULL) */
    nta_incoming_t **irq;  /* what to answer, in a record */
    const char *reason;    /* in the memory of msg */
    void *data;            /* the same; its type is the command's */
    struct sof_record *record;
};

/* object->lib of every kind starts with this. */
struct sof_sha256;

struct sof_record {
    struct sofia *state;
    sb_id id;
    su_home_t home[1];      /* what lives as long as the record */
    nta_leg_t *leg;         /* the dialog, ours or shared with nobody */
    auth_client_t *auth;    /* challenges received in it, */
    struct sof_sha256 *sha256; /* and those that ask for SHA-256 */
    su_timer_t *timer;
    void (*fire)(struct sof_record *record);
    struct sof_command *disposal; /* kept ready, so that giving it back cannot fail */
};

struct sofia {
    struct sb_core *core;
    su_home_t home[1];         /* what lives as long as the engine */
    pthread_t thread;
    su_root_t *root;           /* the loop's, as all of nta */
    nta_agent_t *agent;
    nta_leg_t *leg;            /* takes what belongs to no dialog */
    su_wait_t wait[1];
    int wake[2];               /* a pipe: one octet while there are commands */
    int entered;               /* how deep the loop is in sof_enter */
    struct sof_command *first, **last; /* under the core's lock */
    unsigned probes_posted, probes_run; /* the same */
    struct sof_command *stop;          /* kept ready: close() cannot fail */
    struct sb_credential *credentials;

    char *address;             /* "sip:host:port", the default From */
    sip_contact_t *contact;    /* where we are to be reached */
    sip_contact_t *secure;     /* that with sips: where we are on TLS */
    sip_route_t *route;        /* the outbound proxy, or NULL */
    sip_user_agent_t *user_agent;
    sip_server_t *server;
    int port;
    int transport;             /* enum sb_transport */
    struct sof_record house;   /* no object's: has the timer for sb_core_tidy() */

    const sb_config *config;   /* while it opens */
    pthread_mutex_t opening;
    pthread_cond_t opened;
    int outcome;               /* 1 until it is known: SB_OK or an error */
};

/* A request of ours that may have to be sent more than once. */
struct sof_request {
    struct sof_record *dialog;  /* whose dialog and credentials it has */
    struct sof_record *owner;   /* whom its responses are for, */
    nta_response_f *callback;   /* and how they come */
    msg_t *draft;               /* without what is new each time: CSeq, Via, credentials */
    const char *method;         /* in the draft's memory */
    nta_outgoing_t *orq;        /* NULL when none is under way */
    int retries;                /* for challenges */
};

enum sof_ending {           /* how far the end of a call has come */
    SOF_ENDING_NOT = 0,
    SOF_ENDING_CANCEL,      /* CANCEL was asked for */
    SOF_ENDING_BYE_DUE,     /* the caller's ACK, or its timeout, is awaited (15) */
    SOF_ENDING_BYE
};

struct sof_early;

struct sof_call {
    struct sof_record record;
    nta_incoming_t *irq;       /* the INVITE from outside whose answer or ACK is due */
    struct sof_request invite; /* ours, the first one */
    struct sof_request bye;
    nta_outgoing_t *answered;  /* the INVITE of ours whose 2xx waits for the ACK */
    enum sof_ending ending;
    msg_t *farewell;           /* the BYE that is due, or may be */
    struct sof_early *early;   /* early dialogs of our INVITE */
    int peer_100rel;           /* the caller can acknowledge provisional responses */
};

struct sof_transaction {
    struct sof_record record;
    nta_incoming_t *irq;       /* from outside, until it is answered */
    struct sof_request request;
    char *method;              /* of ours; in the record's home */
};

struct sof_lease;

/* How registrations and subscriptions of ours differ. */
struct sof_lease_kind {
    int object;                /* enum sb_kind */
    const char *method;
    nta_request_f *on_request; /* for what comes in the dialog; NULL: nothing does */
    int (*send_next)(struct sof_lease *lease); /* the request again, or the next one */
    void (*on_success)(struct sof_lease *lease, struct sb_object *object, int status, const sip_t *sip);
};

/* A registration. A subscription begins with it, too. */
struct sof_lease {
    struct sof_record record;
    const struct sof_lease_kind *kind;
    struct sof_request request;
    int expires;               /* wanted, seconds; 0: to end it */
    int busy;                  /* the request is on its way */
    int outdated;              /* `expires` changed while it was */
    int established;           /* there is a dialog */
    int64_t refresh_ms;        /* when to ask again (sb_monotonic_ms) */
    int64_t notify_ms;         /* when it has failed unless there is a NOTIFY; 0: never */
};

/* Of ours, or from outside: then of the lease record, request (our NOTIFY), busy and expires (granted at most) are
 * used. */
struct sof_subscription {
    struct sof_lease lease;
    /* ours */
    char *event;                  /* what Event says; in the record's home, of those from outside too */
    msg_t *again;                 /* the draft of a SUBSCRIBE within the dialog, until it is used */
    int polls;                    /* the state as it is now was all that was asked for */
    int notified;                 /* a NOTIFY came */
    /* from outside */
    nta_incoming_t *irq;          /* the SUBSCRIBE, until it is answered */
    msg_t *waiting[SB_MAX_NOTIFIES]; /* NOTIFYs that wait for the answer to the one before */
    int count;                    /* how many, */
    int pending;                  /* and how many have no answer at all */
};

enum { SOF_TLS_PORT = 5061, SOF_TLS_FILES = 2 };

/* See tls.c. */
struct sof_tls_folder {
    char *path;             /* NULL: there is none */
    int fds[SOF_TLS_FILES]; /* of the files in it; -1: not made */
};

/* open.c ---------------------------------------------------------------------------------------- */

/* Around every callback of nta's: the core is locked inside. */
void sof_enter(struct sofia *state);
void sof_leave(struct sofia *state);

/* Under the lock: leave a command to the loop. NULL when memory is out; then msg is freed. */
struct sof_command *sof_post_command(struct sofia *state, void (*run)(struct sofia *, struct sof_command *),
                                     const struct sb_object *object, msg_t *msg);

/* A record for an object (zeroed, with its home), or NULL. size: of the struct that begins with the record. */
void *sof_record_new(struct sofia *state, sb_id id, size_t size);
struct sb_object *sof_object(const struct sof_record *record, int kind); /* NULL when it is gone */

/* Call `fire` once after so many milliseconds; 0: no more. On the loop. */
void sof_set_timer(struct sof_record *record, unsigned ms, void (*fire)(struct sof_record *record));

/* message.c --------------------------------------------------------------------------------------- */

/* A message with the content (NULL is fine) and nothing else: SB_OK, or an error and no message. */
int sof_draft(const sb_content *content, msg_t **draft);
/* The same for a request that begins a dialog or has none: with Request-URI, From, To, Contact, Route.
 * target: the Request-URI, NULL for the URI in To. */
int sof_draft_request(struct sofia *state, const char *method, const char *target, const sb_parties *parties,
                      const sb_content *content, msg_t **draft);
/* The same for a request within a dialog, which knows the rest. */
int sof_draft_within(struct sofia *state, const char *method, const sb_content *content, msg_t **draft);

/* Where we are to be reached by whom the URI names, or who asked for us under it: a sips: URI for sips: alone
 * (RFC 3261, 8.1.1.8 and 12.1.1; RFC 5630, 5.1). */
sip_contact_t *sof_contact(const struct sofia *state, const url_t *url);

/* Write the seconds into Expires. */
int sof_set_expires(msg_t *msg, int seconds);

/* A Route over a proxy, a loose router (16.12.1); NULL when its URI is none. */
sip_route_t *sof_route(su_home_t *home, const char *proxy);

/* Describe the message (NULL: none; nothing of what nta made up) in the event, post it. */
void sof_post(struct sofia *state, sb_event *event, const sip_t *sip);
/* The message where it came from the network; NULL for what nta made up: a timeout, a failure to send. */
const sip_t *sof_real(const sip_t *sip);
/* Add a header of one line. */
int sof_add_header(msg_t *msg, const char *name, const char *value);
/* Whether a header that was added has this word in its value. */
int sof_lists(msg_t *msg, const char *name, const char *word);
int sof_has_header(msg_t *msg, const char *name);

/* request.c: transactions, within dialogs and outside ------------------------------------------------ */

/* On the loop, all of these. Give the record a dialog, or a half of one, for what begins with this draft; requests
 * from the other side go to `inward`. SB_OK, or SB_ELIBRARY. */
int sof_dialog_new(struct sof_record *record, msg_t *draft, nta_request_f *inward);
/* The dialog as the other side of a request has it (12.1.1). SB_OK, or SB_ENOMEM. */
int sof_dialog_accept(struct sof_record *record, nta_incoming_t *irq, const sip_t *sip, nta_request_f *inward);
/* Send a new request in a dialog. The draft is taken. SB_OK, or SB_ELIBRARY. */
int sof_send(struct sof_request *request, struct sof_record *dialog, struct sof_record *owner,
             const char *method, msg_t *draft, nta_response_f *callback);
/* Send the same again. */
int sof_send_again(struct sof_request *request);
/* Whether it has not been sent because its host's address is still looked up. */
int sof_is_unresolved(const struct sof_request *request);
/* Give back what the request holds. */
void sof_request_clear(struct sof_request *request);
/* How long an INVITE may be without another word, once its host's address is known, counted from when it was sent. */
enum { SOF_RING_LEFT_MS = SB_RING_LIMIT_MS - SOF_LOOKUP_MS };
/* True when the response (NULL: none) is a challenge that could be answered, and was: the request is on its way
 * again. */
int sof_retry(struct sof_request *request, const sip_t *sip);

/* Answer a request. msg: the content, taken; NULL: none. */
void sof_reply(struct sofia *state, nta_incoming_t *irq, int status, const char *reason, msg_t *msg);
/* The same without content, and give the transaction up. Returns 0, as a callback of nta does then. */
int sof_answer(struct sofia *state, nta_incoming_t *irq, int status);

/* From any thread: leave an answer to the loop, which takes what is answered out of *irq, in a record. The draft is taken.
 * SB_OK, or SB_ENOMEM. call: that it arrived in, or NULL. */
int sof_post_answer(struct sofia *state, const struct sb_object *call, nta_incoming_t **irq, int status,
                    const char *reason, msg_t *draft);
/* A request outside dialogs. The draft is taken. */
int sof_start_request(struct sofia *state, struct sb_object *transaction, const char *method, msg_t *draft);

int sof_call_request(void *state, struct sb_object *call, struct sb_object *transaction, const char *method,
                     const sb_content *content);
int sof_reinvite(void *state, struct sb_object *call, struct sb_object *transaction, const sb_content *content);
int sof_answer_transaction(void *state, struct sb_object *transaction, int status, const char *reason,
                           const sb_content *content);
int sof_request(void *state, struct sb_object *transaction, const char *method, const sb_parties *parties,
                const sb_content *content);
int sof_bindings(void *state, struct sb_object *transaction, const char *registrar, const sb_parties *parties,
                 int clear);
/* A request from outside, within a dialog or in none: an event. Returns what nta's callback has to. */
int sof_on_request(struct sofia *state, struct sb_object *call, nta_incoming_t *irq, const sip_t *sip);
/* What belongs to no dialog. */
int sof_on_stray(struct sof_record *unused, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip);
void sof_transaction_free(struct sof_transaction *record);
/* It could not be sent: 503, with a reason phrase of ours. */
void sof_fail_transaction(struct sb_object *transaction, const char *reason);

/* call.c ------------------------------------------------------------------------------------------ */
int sof_call(void *state, struct sb_object *call, const sb_parties *parties, const sb_content *content);
int sof_ring(void *state, struct sb_object *call, int status, const sb_content *content);
int sof_answer_call(void *state, struct sb_object *call, const sb_content *content);
int sof_refuse(void *state, struct sb_object *call, int status, const char *reason, const char *contact,
               const sb_content *content);
int sof_ack(void *state, struct sb_object *call, const sb_content *content);
int sof_hangup(void *state, struct sb_object *call, const sb_content *content);
void sof_send_ack(struct sof_call *call, msg_t *draft);
int sof_send_bye(struct sof_call *call, msg_t *draft);
void sof_call_free(struct sof_call *record);

/* call_events.c ----------------------------------------------------------------------------------- */
int sof_on_invite(struct sofia *state, nta_incoming_t *irq, const sip_t *sip);
int sof_on_invite_response(struct sof_record *record, nta_outgoing_t *orq, const sip_t *sip);
int sof_on_bye_response(struct sof_record *record, nta_outgoing_t *orq, const sip_t *sip);
int sof_on_dialog_request(struct sof_record *record, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip);
/* ACK or CANCEL to an INVITE from outside, or no ACK in time (sip NULL). */
int sof_on_ack_or_cancel(struct sof_record *record, nta_incoming_t *irq, const sip_t *sip);
void sof_on_cancel_timeout(struct sof_record *record);
/* The peer rings, and has said nothing else for too long. */
void sof_on_ring_limit(struct sof_record *record);
/* Post ENDED: the call is gone afterwards. sip: may be NULL. */
void sof_end_call(struct sofia *state, struct sb_object *call, int cause, int status, const sip_t *sip);
/* The same for a call that could not be sent, with a reason phrase of ours. */
void sof_fail_call(struct sofia *state, struct sb_object *call, const char *reason);

/* early.c: RFC 3262 --------------------------------------------------------------------------------- */
/* A provisional response to our INVITE: acknowledge it where that is wanted. 0 when it is a repetition. */
int sof_acknowledge_early(struct sof_call *call, const sip_t *sip);
/* A 2xx to our INVITE: the early dialog that it belongs to becomes the call's. */
void sof_adopt_early(struct sof_call *call, const sip_t *sip);
void sof_early_free(struct sof_call *call);
/* "Require: 100rel" among the user's headers. */
int sof_wants_reliable(msg_t *msg);
void sof_reply_reliably(struct sofia *state, nta_incoming_t *irq, int status, msg_t *msg); /* msg is taken */

/* lease.c ----------------------------------------------------------------------------------------- */

/* The first request; its draft is taken. SB_OK, or SB_ENOMEM. */
int sof_lease_start(struct sof_lease *lease, const struct sb_object *object, msg_t *draft);
/* On the loop: a new request, whose draft is taken, or the same again with the seconds that are wanted now. */
int sof_lease_send(struct sof_lease *lease, msg_t *draft);
int sof_lease_send_again(struct sof_lease *lease);
/* Ask for other seconds: now, or when the answer to the request under way is there. */
int sof_lease_change(void *state, struct sb_object *object, int expires);
int sof_lease_end(void *state, struct sb_object *object);
/* On the loop: ask again in time, when so many seconds are left (0: as many as before). */
void sof_lease_due(struct sof_lease *lease, int seconds);
/* A 2xx: ask again for what is wanted meanwhile, or it is ACTIVE for these seconds (NULL: Expires says how many). Returns
 * 0, and nothing was done, when it was the answer to the end. */
int sof_lease_goes_on(struct sof_lease *lease, struct sb_object *object, const char *seconds, int status,
                      const sip_t *sip);
void sof_post_lease(const struct sof_lease *lease, const struct sb_object *object, int new_state, int status,
                    const char *reason, int expires, const sip_t *sip);

/* register.c -------------------------------------------------------------------------------------- */
int sof_register(void *state, struct sb_object *registration, const char *registrar, const sb_parties *parties,
                 const char *contact, int expires);

/* subscribe.c ------------------------------------------------------------------------------------- */
int sof_subscribe(void *state, struct sb_object *subscription, const sb_parties *parties, const char *event,
                  int expires, const sb_content *content);
int sof_publish(void *state, struct sb_object *transaction, const sb_parties *parties, const char *event,
                const char *etag, int expires, const sb_content *content);

/* notify.c ---------------------------------------------------------------------------------------- */
/* The value of Event in the memory of home; NULL where there is none. */
char *sof_event_header(su_home_t *home, const sip_t *sip);
int sof_on_subscribe(struct sofia *state, nta_incoming_t *irq, const sip_t *sip);
int sof_subscription_accept(void *state, struct sb_object *subscription, int status, int expires);
int sof_subscription_reject(void *state, struct sb_object *subscription, int status, const char *reason);
int sof_notify(void *state, struct sb_object *subscription, const char *subscription_state,
               const sb_content *content);
void sof_subscription_free(struct sof_subscription *record);

/* auth.c ------------------------------------------------------------------------------------------ */
int sof_credentials(void *state, const char *realm, const char *user, const char *password);
int sof_credentials_clear(void *state);
/* Forget what answers challenges in a record for a user (NULL: whoever), and wipe it: under the lock, as all use of it. */
void sof_forget_secrets(struct sof_record *record, const char *user);
/* Take the challenges in a response: true when there are credentials for them. */
int sof_take_challenges(struct sof_record *record, const sip_t *sip);

/* sha256.c: RFC 8760 -------------------------------------------------------------------------------- */
int sof_is_sha256(const msg_auth_t *challenge);
/* Keep a challenge with what answers it. True when that worked. */
int sof_take_sha256(struct sof_record *record, const msg_auth_t *challenge, int proxy, const char *user,
                    const char *password);
/* Forget what answers challenges in a record for a user (NULL: whoever), and wipe it. */
void sof_forget_sha256(struct sof_record *record, const char *user);
/* Add the credentials for each that was kept. */
int sof_authorize_sha256(struct sof_record *record, msg_t *msg, const char *method);

/* tls.c ------------------------------------------------------------------------------------------- */
/* While it opens: a folder with the certificates, as the library looks for them. It is to be removed even where this
 * fails: SB_EINVAL when a file cannot be read. */
int sof_tls_folder(struct sofia *state, struct sof_tls_folder *folder);
void sof_tls_folder_remove(struct sofia *state, struct sof_tls_folder *folder);
unsigned sof_tls_policy(const sb_config *config);
/* On the loop's thread: from now on, when the library logs that a connection was given up because of a certificate,
 * what waits for that peer fails at once, with the reason. */
void sof_tls_watch(struct sofia *state);
void sof_tls_hear(const char *format, va_list arguments); /* a line of the library's log */

/* trace.c ----------------------------------------------------------------------------------------- */
/* On the loop's thread: what the library logs of messages goes to this core as traces (NULL: nowhere). */
void sof_trace_to(struct sb_core *core);
/* For the process: the library prints nothing. */
void sof_be_quiet(void);

/* failure.c --------------------------------------------------------------------------------------- */
void sof_hear_failure(const char *format, va_list arguments); /* a line of the library's log */
/* Why the request was not sent for which nta made this response up, until the next call; NULL when it did not say. */
const char *sof_take_failure(const sip_t *sip);

#endif
