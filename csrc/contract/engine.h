/* engine.h - the contract between the Python facade and a SIP engine.
 *
 * This is the only declaration of what an engine does. The C files include it, and cffi reads it, so it has no macro
 * and no conditional besides the include guard. The rules:
 *
 * - Data is flat: integers, NUL-terminated UTF-8 strings, (pointer, length) bodies. An engine keeps no pointer to an
 *   argument after the call returns, and gives out no pointer to memory of the library underneath.
 * - An address follows RFC 3261, 25.1. A URI in it must not have headers ("?Subject=hi"), which a library would write
 *   as header fields of the message, nor an escape of a control character ("%0D"), which a library would decode.
 * - An engine, a call, a registration, a subscription and a transaction are positive integers. No number is used
 *   twice: an engine's in the process, the others' in their engine. A function returns an error for a number that is
 *   not valid any more, or never was.
 * - A function returns >= 0, or a negative SB_E... code that sb_error_text() explains. For an error that is known at
 *   once (a bad argument, a wrong state, a stale handle) it returns a code and sends nothing. What the network tells
 *   later is an event.
 * - Events are pulled with sb_wait(). No thread of an engine ever calls into its user.
 * - Every function may be called from any thread, and all but sb_close() return without waiting for the
 *   network. (sb_wait() and sb_probe() wait for the engine.)
 *
 * Section numbers are RFC 3261's unless another RFC is named.
 */
#ifndef SB_ENGINE_H
#define SB_ENGINE_H

#include <stddef.h>
#include <stdint.h>

typedef int64_t sb_id;

enum sb_error {
    SB_OK = 0,
    SB_EINVAL = -1,      /* an argument is missing or malformed, or holds a line break where none may be */
    SB_ENOENT = -2,      /* no such call, registration, subscription or transaction (any more) */
    SB_ESTATE = -3,      /* not possible in the state that it is in */
    SB_EBUSY = -4,       /* the library runs one engine per process, and it is open */
    SB_EADDRINUSE = -5,  /* another socket has the port */
    SB_ENET = -6,        /* the address cannot be bound: it is not this machine's, or you have no permission. For a
                            request: no route leads to its target */
    SB_ENOMEM = -7,      /* out of memory, of descriptors or of threads */
    SB_ENOTSUP = -8,     /* this engine does not offer it */
    SB_ETOOBIG = -9,     /* longer than a SIP message may carry (see the SB_MAX_... values) */
    SB_ECLOSED = -10,    /* no such engine, or it is closed */
    SB_ELIBRARY = -11,   /* the library refused, and tells no reason */
    SB_EVERSION = -12    /* the library is not of the version that the engine was built for */
};

enum sb_limit {
    SB_MAX_KEEPALIVE = 86400, /* seconds */
    SB_MAX_STRING = 4096,   /* octets in a URI, an address, a header value, a phrase */
    SB_MAX_HEADERS = 64,    /* extra headers of one message */
    SB_MAX_BODY = 60000,    /* octets in a body; an engine's library may allow fewer (SB_ETOOBIG) */
    SB_MAX_FRAMES = 256     /* events that sb_take_frames() gives at once */
};

enum sb_transport { SB_UDP = 1, SB_TCP = 2, SB_TLS = 3 };

/* Whose certificate the engine checks (26.3.1): that of the server it connects to; nobody's; or also that of each
 * client that connects to it. */
enum sb_tls_verify { SB_TLS_VERIFY_SERVER = 0, SB_TLS_VERIFY_NONE = 1, SB_TLS_VERIFY_BOTH = 2 };

/* ------------------------------------------------------------------------------------------------------
 * What goes in
 */

/* How to open an engine. A field that is 0 or NULL means the default. */
typedef struct sb_config {
    int transport;                /* enum sb_transport; default SB_UDP */
    const char *host;             /* the local address to bind; required. "0.0.0.0" is every IPv4 one, "::" every
                                     one */
    int port;                     /* the local port; 0 lets the system choose: see sb_port() */
    const char *advertised_host;  /* what Contact names instead of host, for containers and NAT */
    int advertised_port;
    const char *user_agent;       /* User-Agent and Server (20.41, 20.35) */
    const char *outbound_proxy;   /* SIP URI that requests go to first (8.1.2) */
    const char *tls_certificate;  /* PEM files, for SB_TLS: ours, with its chain; */
    const char *tls_private_key;  /* its key, not encrypted; */
    const char *tls_ca;           /* and whom we believe. Each may be NULL: none */
    int tls_verify;               /* enum sb_tls_verify */
    const char *resolv_conf;      /* a file to find the name servers in (resolv.conf(5)); NULL: the system's. A line
                                     "port N" in it names another port than 53 */
    int keepalive;                /* SB_TCP, SB_TLS: seconds after which a silent connection is sent a ping (RFC 5626,
                                     4.4.1); 0: never */
    int trace;                    /* 1: an SB_EV_TRACE for each message sent and received. Where a shield is in front,
                                     it has the octets of the network, and none of what the shield refuses or answers */
    size_t flight;                /* octets for the last messages sent and received, which sb_flight() tells; 0: none */
    int tell_options;             /* 1: an OPTIONS outside of calls (11) is an SB_EV_REQUEST: sb_answer() is due. 0: the
                                     engine answers it */
    sb_id last_id;                /* the engine's numbers for calls and others begin after this one. Set it when this
                                     engine replaces one that was lost, so that no number is used twice */
} sb_config;

typedef struct sb_header {
    const char *name;   /* a token (25.1) */
    const char *value;  /* one line; UTF-8 */
} sb_header;

/* What the user adds to a message. The engine itself writes Via, From, To, Call-ID, CSeq, Contact, Record-Route,
 * Max-Forwards, Content-Type and Content-Length, so they are refused among the headers, in long and in compact form.
 * A NULL content adds nothing. */
typedef struct sb_content {
    const sb_header *headers;
    size_t header_count;
    const char *content_type;  /* required with a body */
    const char *body;
    size_t body_len;
} sb_content;

/* From whom a request goes to whom. */
typedef struct sb_parties {
    const char *to;      /* a URI or a name-addr (20.39), required; its URI is the Request-URI too */
    const char *from;    /* a URI or a name-addr; NULL: sip:<host>:<port> of the engine */
    const char *route;   /* SIP URI of a proxy for this request and its dialog; NULL: the engine's */
} sb_parties;

/* ------------------------------------------------------------------------------------------------------
 * What comes out
 */

enum sb_event_type {
    /* Calls (13, 14, 15). For each call: one INCOMING (or none, when it was placed here), then any of the
     * others, then exactly one ENDED, after which the handle is stale. */
    SB_EV_CALL_INCOMING = 1,  /* an INVITE arrived: sb_call_ring, _answer, _reject, _redirect or _hangup */
    SB_EV_CALL_PROGRESS,      /* a provisional response (status 101 to 199) to our INVITE */
    SB_EV_CALL_ANSWERED,      /* a 2xx to our INVITE: sb_call_ack is due */
    SB_EV_CALL_CONFIRMED,     /* the ACK for our 2xx arrived, to an INVITE or a re-INVITE */
    SB_EV_CALL_REINVITE,      /* a re-INVITE arrived: sb_answer(transaction) is due */
    SB_EV_CALL_REQUEST,       /* another request within the dialog: sb_answer(transaction) is due */
    SB_EV_CALL_RESPONSE,      /* the final response to our request within the dialog (transaction). A 2xx to
                                 a re-INVITE: sb_call_ack is due. There is none when the call ends before */
    SB_EV_CALL_ENDED,         /* cause, and the status that goes with it */

    /* Requests outside dialogs (8). OPTIONS are answered by the engine and show only in the trace, unless
     * sb_config.tell_options says otherwise. */
    SB_EV_REQUEST,            /* a MESSAGE (RFC 3428) or another: sb_answer(transaction) is due */
    SB_EV_RESPONSE,           /* the final response to an sb_request or sb_publish (transaction) */

    /* Registrations (10) */
    SB_EV_REGISTRATION,       /* state: ACTIVE with the granted seconds in expires, again after each refresh;
                                 ENDED (also when a 2xx grants 0 seconds) or FAILED, after which the handle is
                                 stale */

    /* Subscriptions (RFC 6665) */
    SB_EV_SUBSCRIPTION,       /* ours, state as for a registration. ENDED by the notifier: status 0, reason as its
                                 NOTIFY says ("noresource"), whose headers these are */
    SB_EV_NOTIFY,             /* a NOTIFY in ours; the engine answered it */
    SB_EV_SUBSCRIBE,          /* from outside, with the seconds in expires. A new one: sb_subscription_accept or
                                 _reject is due. state ACTIVE: the subscriber refreshed it, the engine answered,
                                 and an sb_notify is due (4.2.1) */
    SB_EV_UNSUBSCRIBED,       /* the last event of a subscription from outside. The subscriber ended it or let it run
                                 out (the engine sends the last NOTIFY); it is gone (status: its answer to a NOTIFY);
                                 it received the last NOTIFY; or nobody answered its SUBSCRIBE in 64*T1 */

    SB_EV_TRACE,              /* a message passed: outgoing, peer, and its octets as the body */
    SB_EV_WAKE,               /* sb_wake() was called */
    SB_EV_PONG                /* a sign of life of the engine's thread, which sb_ping() asked for (transaction) */
};

enum sb_cause {              /* why a call ended, and the status in the event */
    SB_CAUSE_NONE = 0,
    SB_CAUSE_LOCAL_BYE,      /* we hung up an answered call: 200, or what the peer said to the BYE */
    SB_CAUSE_REMOTE_BYE,     /* the peer did: 200 */
    SB_CAUSE_CANCELLED,      /* cancelled before the answer, by the caller on either side: 487 */
    SB_CAUSE_REJECTED,       /* refused, by us or by the peer: the 4xx-6xx */
    SB_CAUSE_REDIRECTED,     /* the same with a 3xx; Contact is among the headers */
    SB_CAUSE_TIMEOUT,        /* no final response or no ACK in 64*T1, or no answer to a request that must
                                have one: 408 */
    SB_CAUSE_FAILED,         /* the library lost it: 503 */
    SB_CAUSE_UNREACHABLE     /* our INVITE reached nobody: refused, no way there, no address: 503. Not only of calls,
                                see sb_event */
};

enum sb_state { SB_STATE_ACTIVE = 1, SB_STATE_ENDED, SB_STATE_FAILED };

/* One event. Which fields are set follows from the type; the others are 0 or "". No pointer is NULL. */
typedef struct sb_event {
    int type;                 /* enum sb_event_type */
    int cause;                /* enum sb_cause. In a RESPONSE, CALL_RESPONSE, REGISTRATION or SUBSCRIPTION it is 0
                                 when a peer sent the response, or nobody answered in time (408). It is
                                 SB_CAUSE_UNREACHABLE when our request reached nobody: then the 503 is the engine's, and
                                 reason says why */
    int state;                /* enum sb_state */
    int status;               /* status code, 0 for a request */
    int expires;              /* seconds */
    int outgoing;             /* SB_EV_TRACE: 1 sent, 0 received */
    int source_transport;     /* enum sb_transport, and */
    int source_port;          /* the port that the message came from: see source */
    sb_id call;
    sb_id registration;
    sb_id subscription;
    sb_id transaction;        /* for sb_answer, or as returned by the function that sent the request */
    int64_t time_us;          /* when the engine received the message, or made an event that no message tells:
                                 microseconds since 1970, UTC */
    const char *method;       /* of the request, or of the request that was responded to */
    const char *reason;       /* reason phrase */
    const char *request_uri;  /* of a request */
    const char *headers;      /* the message's headers, one per line ("Name: value\n"), none folded; names may
                                 be in compact form (7.3.3) */
    const char *peer;         /* SB_EV_TRACE: "host:port" */
    const char *source;       /* the address, as inet_ntop() writes it, that the message came from, whatever is in it; ""
                                 where there is no message, or the engine cannot know: then source_transport is 0. (An
                                 engine with a shield, without it.) */
    const char *body;         /* NUL-terminated too */
    size_t body_len;
} sb_event;

/* ------------------------------------------------------------------------------------------------------
 * The engine
 */

/* The engine's name ("sofia", "exosip") and the version that its library tells. Static strings. */
const char *sb_engine_name(void);
const char *sb_engine_version(void);

/* One line of English for an SB_E... code. A static string, never NULL. */
const char *sb_error_text(int code);

/* Open an engine: bind its socket, start its thread. Returns the engine (> 0). */
int sb_open(const sb_config *config);

/* The local port in use. */
int sb_port(int engine);

/* Close an engine: hang up its calls, end its registrations and subscriptions, wait at most grace_ms for the peers'
 * answers, and free everything. A thread in sb_wait() returns with SB_ECLOSED. Events that nobody has read are lost. */
int sb_close(int engine, int grace_ms);

/* From now on the engine answers OPTIONS outside of calls with 503: who asks whether calls may be sent here is to send
 * them elsewhere (11.2). All else goes on; new calls and requests are the user's to refuse. */
int sb_drain(int engine);

/* See whether an engine is alive: returns when its lock is free and its thread has done something. If one of them
 * hangs, this never returns. */
int sb_probe(int engine);

/* The same for who may not wait: has the engine's thread post an SB_EV_PONG, whose transaction is the number that this
 * returns (> 0). It returns at once, also while that thread hangs with the lock held. Of several asked for at the same
 * time only the last one may come; it stands for those before. */
sb_id sb_ping(int engine);

/* A descriptor that is readable while events wait. For poll() and the like; it is the engine's: do not
 * read from it and do not close it. */
int sb_fd(int engine);

/* How many events wait to be taken. */
int sb_backlog(int engine);

/* Wait for the next event, at most timeout_ms (0: do not wait, < 0: no limit). Returns 1 and sets *event,
 * to be freed by sb_event_free(), or 0 when there was none in time. */
int sb_wait(int engine, int timeout_ms, sb_event **event);
void sb_event_free(sb_event *event);

/* Have an SB_EV_WAKE after the events that wait now: for a thread that has something for the one in sb_wait(). */
int sb_wake(int engine);

/* Take the events that wait, at most max (1 to SB_MAX_FRAMES), as frames of the worker protocol
 * (docs/worker-protocol.md). Where there is none, wait for one, at most timeout_ms as in sb_wait(). Returns how many,
 * with the frames in *frames, to be freed by sb_frames_free(), and their octets in *length; or 0 when there was none, and
 * nothing is set. */
int sb_take_frames(int engine, int timeout_ms, int max, char **frames, size_t *length);
void sb_frames_free(char *frames);

/* The last messages that this engine has sent and received, as many as sb_config.flight has room for, as records of the
 * worker protocol. With `take` none of them stays. Returns 1 with the records in *records, to be freed by
 * sb_frames_free(), and their octets in *length; or 0 when there is none, and nothing is set. */
int sb_flight(int engine, int take, char **records, size_t *length);

/* The user and password for digest challenges (22) of this realm; NULL: of any realm that has no entry. Of several
 * entries for one realm the engine takes the one whose user is in From, or else the latest. A second call for the same
 * realm and user replaces the first. */
int sb_credentials(int engine, const char *realm, const char *user, const char *password);
int sb_credentials_clear(int engine);

/* ------------------------------------------------------------------------------------------------------
 * Registrations (10). expires is in seconds. The engine refreshes before they have passed.
 */
sb_id sb_register(int engine, const char *registrar, const sb_parties *parties, const char *contact,
                  int expires);          /* contact: a URI; NULL: the engine's own address */
int sb_register_refresh(int engine, sb_id registration, int expires);
int sb_unregister(int engine, sb_id registration);
/* Ask for the bindings of the address in parties->to (10.2.3), or remove all of them (10.2.2). Returns a transaction.
 * Its SB_EV_RESPONSE has the bindings as Contact headers. */
sb_id sb_register_query(int engine, const char *registrar, const sb_parties *parties);
sb_id sb_register_clear(int engine, const char *registrar, const sb_parties *parties);

/* ------------------------------------------------------------------------------------------------------
 * Calls (13, 14, 15)
 */
/* call_id: the Call-ID (20.8), a callid of 25.1 with 255 octets at most, that no call of this engine has; NULL: the
 * engine makes one. */
sb_id sb_call(int engine, const sb_parties *parties, const char *call_id, const sb_content *content);
/* status: 101 to 199. With "Require: 100rel" among the headers the engine repeats the response until the peer's PRACK
 * (RFC 3262); SB_ENOTSUP when the peer cannot do that. The engine itself sends a PRACK for such a response of a peer.
 */
int sb_call_ring(int engine, sb_id call, int status, const sb_content *content);
int sb_call_answer(int engine, sb_id call, const sb_content *content);               /* 200 */
int sb_call_reject(int engine, sb_id call, int status, const char *reason,
                   const sb_content *content);       /* 400 to 699; reason NULL: the standard phrase */
int sb_call_redirect(int engine, sb_id call, int status, const char *contact);       /* 300 to 399 */
int sb_call_ack(int engine, sb_id call, const sb_content *content);
/* End a call in any state: with a BYE, a CANCEL, or a 603 to an INVITE that was not answered yet. */
int sb_call_hangup(int engine, sb_id call, const sb_content *content);
/* A request within the dialog; not INVITE, ACK, BYE, CANCEL or PRACK. Returns the transaction. */
sb_id sb_call_request(int engine, sb_id call, const char *method, const sb_content *content);
sb_id sb_call_reinvite(int engine, sb_id call, const sb_content *content);

/* After sb_call_hangup, sb_call_reject and sb_call_redirect only RESPONSE and ENDED events follow.
 *
 * Answer a request from an SB_EV_CALL_REINVITE, SB_EV_CALL_REQUEST or SB_EV_REQUEST, with 200 to 699; once. */
int sb_answer(int engine, sb_id transaction, int status, const char *reason, const sb_content *content);

/* ------------------------------------------------------------------------------------------------------
 * Outside dialogs: MESSAGE (RFC 3428), OPTIONS (11), or another method that starts no dialog. Returns the
 * transaction.
 */
sb_id sb_request(int engine, const char *method, const sb_parties *parties, const sb_content *content);

/* In the functions from here on, the engine also writes Event, Expires, Subscription-State and SIP-If-Match.
 *
 * PUBLISH (RFC 3903). expires 0 removes the state. etag: the value of SIP-If-Match, or NULL. Returns a transaction. */
sb_id sb_publish(int engine, const sb_parties *parties, const char *event, const char *etag, int expires,
                 const sb_content *content);

/* ------------------------------------------------------------------------------------------------------
 * Subscriptions (RFC 6665). event: the package, with parameters. expires: seconds, 0 for the state as it is now and
 * nothing more. The engine refreshes before they have passed, with the same headers.
 */
sb_id sb_subscribe(int engine, const sb_parties *parties, const char *event, int expires,
                   const sb_content *content);
int sb_subscribe_refresh(int engine, sb_id subscription, int expires);
int sb_unsubscribe(int engine, sb_id subscription);
int sb_subscription_accept(int engine, sb_id subscription, int status, int expires);
int sb_subscription_reject(int engine, sb_id subscription, int status, const char *reason,
                           const sb_content *content);
/* state: the value of Subscription-State, as "active;expires=600" or "terminated;reason=timeout", after which
 * only UNSUBSCRIBED follows. */
int sb_notify(int engine, sb_id subscription, const char *state, const sb_content *content);

/* ------------------------------------------------------------------------------------------------------
 * The shield, which keeps from a library the messages that would kill it (docs/reliability.md). It is preloaded, and
 * there is one in a process.
 */

/* When this process crashes (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT), write to this descriptor where in native code the
 * thread was that did it, and then do what would have been done. Once for a process, by its main thread; the descriptor
 * has to stay open. SB_ESTATE when it was called before, SB_ENOTSUP where the C library cannot tell. */
int sb_keep_backtraces(int descriptor);

/* Keep the messages that this process receives last in this file, for whoever finds the process dead: before a library
 * parses them where the shield is in front of it, and else when it tells of them. The file has the size for it, which
 * csrc/core/last.h tells, and the descriptor may be closed then. Below 0: keep them nowhere any more. SB_EINVAL when the
 * file is no such. */
int sb_keep_received(int descriptor);

/* Whether this engine's messages go through the shield, as a probe found out when the engine was opened: 1 or 0.
 * SB_ENOTSUP: the engine's library needs no shield. */
int sb_shielded(int engine);

/* Counts of messages. The first record counts those that passed; each other one counts those that broke one rule. */
typedef struct sb_shield_counter {
    const char *rule;         /* a static string: "" , "via", "cseq-method", ... */
    uint64_t passed;          /* "remembered": how many final responses are remembered now */
    uint64_t answered;        /* with 400, or what fits the rule: 503, 505, 513; "remembered": sent again */
    uint64_t dropped;         /* what has no answer: responses, ACKs, requests without a sound Via; "remembered":
                               * responses that were pushed out before their time */
} sb_shield_counter;

/* Sets as many as there is room for. Returns how many there are, or SB_ENOTSUP when no shield is loaded. */
int sb_shield_counters(sb_shield_counter *counters, int room);

enum sb_shield_kind { SB_SHIELD_INVITE = 0, SB_SHIELD_REGISTER, SB_SHIELD_SUBSCRIBE };

/* Limit the requests of a kind (enum sb_shield_kind) that come in outside of dialogs; those beyond the limit get a 503.
 * rate: requests per second; 0: no limit; < 0, the default: as many as the library reads in time. burst: how many may
 * come at once after a pause; 0: as many as half a second allows. SB_ENOTSUP when no shield is loaded. */
int sb_shield_limit(int kind, double rate, double burst);

/* The limit that holds now, in requests per second; 0 when there is none. */
double sb_shield_rate(int kind);

/* What the shield does with a message: 0 when it passes, the status code of the answer, or SB_EINVAL when it is
 * dropped. *rule is set to the rule's name. This needs no preloaded shield, and counts nothing. */
int sb_shield_check(const char *octets, size_t length, const char **rule);

#endif
