/* double.h - what the parts of the checking double share.
 *
 * api.c is what a program calls: it checks the rules (rules.c) and fails on demand, then does it through the
 * d_... functions, which are the double's idea of libeXosip2: setup.c, build.c, call.c, request.c, register.c,
 * subscribe.c, digest.c, events.c, network.c, stream.c. Those run with the library's lock held unless they say otherwise.
 */
#ifndef EXOSIP_DOUBLE_PRIVATE_H
#define EXOSIP_DOUBLE_PRIVATE_H

#define OSIP_MT 1
#include <netdb.h>
#include <pthread.h>
#include <sys/select.h>
#include <time.h>

#include <osip2/osip.h>
#include <osip2/osip_dialog.h>

#include "eXosip2/eXosip.h"
#include "eXosip2/exosip_double.h"

/* Whether it plays libeXosip2 3.3 or 5.3 in place of 3.6. */
#ifdef EXOSIP_DOUBLE_3_3
enum { D_IS_3_3 = 1, D_IS_5_3 = 0 };
#define D_VERSION "3.3.0"
#elif defined(EXOSIP_DOUBLE_5_3)
enum { D_IS_3_3 = 0, D_IS_5_3 = 1 };
#define D_VERSION "5.3.0"
typedef int eXosip_option;
#else
enum { D_IS_3_3 = 0, D_IS_5_3 = 0 };
#define D_VERSION "3.6.0"
#endif

/* 5.3 has a context: what a function takes alone, or before its other parameters, and what it was given. */
struct eXosip_t;
#ifdef EXOSIP_DOUBLE_5_3
#define D_ALONE struct eXosip_t *context
#define D_FIRST struct eXosip_t *context,
#define D_GIVEN context
#else
#define D_ALONE void
#define D_FIRST
#define D_GIVEN NULL
#endif

struct d_txn {
    osip_transaction_t *tr;
    struct d_call *call;  /* or NULL */
    struct d_reg *reg;
    struct d_sub *sub;
    int forgotten;        /* of a subscription that is gone */
    int dead;             /* the state machine is through with it */
    int killed_unanswered;
    time_t born, dead_at;
    struct d_txn *next;
};

struct d_call {
    int cid, did;                 /* did: 0 none yet, -1 over */
    osip_dialog_t *dialog;
    struct d_txn *in, *out;       /* the initial INVITE */
    osip_message_t *ack;          /* our last, for repeated 2xx */
    osip_message_t *ok;           /* our 2xx without an ACK yet */
    int ok_count;
    time_t ok_next;
    time_t release_at;            /* 0: not over */
    struct d_call *next;
};

struct d_reg {
    int rid, period;
    char *aor, *registrar, *contact, *line;
    struct d_txn *last;
    struct d_reg *next;
};

struct d_sub {
    int id, did;          /* sid or nid; did: 0 none yet */
    int incoming;
    osip_dialog_t *dialog;
    struct d_txn *out;    /* our SUBSCRIBE */
    struct d_sub *next;
};

struct d_auth {
    char user[50], password[50], realm[50];
    struct d_auth *next;
};

struct d_nonce {
    char call_id[128], realm[128], nonce[256], opaque[128];
    int qop;
    unsigned count;
    struct d_nonce *next;
};

struct d_state {
    int running;
    osip_t *osip;
    int protocol, family;         /* IPPROTO_UDP or IPPROTO_TCP, AF_INET or AF_INET6 */
    int socket, wake[2], told[2]; /* told: an octet for each event */
    struct d_peer *peers;         /* of TCP */
    int port;
    char bound[64], gateway[64], gateway6[64], masquerade[65];
    int masquerade_port;
    char learned[65];             /* the address that a response told us of, for Contact; "": none */
    int learned_port, learns;     /* whether it heeds that */
    int dont_send_101;
    int keep_alive_ms;            /* between pings on TCP; 0: none */
    long long next_ping_ms;
    int crash;
    char *user_agent;
    CbSipCallback callback;
    int thread_runs;
    volatile int stopping;
    pthread_t thread;
    struct d_txn *txns;
    struct d_call *calls;
    struct d_reg *regs;
    struct d_sub *subs;
    struct d_auth *auths;
    struct d_nonce *nonces;
};

extern struct d_state D;

/* rules.c ----------------------------------------------------------------------------------------------- */
enum { D_ANY = 0, D_RUNNING = 1, D_LOCKED = 2 };
/* Every function of the API begins and ends with these. Returns 1 when it is to fail. */
int rule_enter(const char *function, const struct eXosip_t *given, int needs);
int rule_leave(int returned);
int rule_injected_null(void);       /* fail by giving no message */
void rule_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
struct eXosip_t *rule_context(void);            /* the program's, made once */
void rule_lock(const struct eXosip_t *given), rule_unlock(const struct eXosip_t *given); /* the program's */
void d_lock(void), d_unlock(void);              /* the double's own threads' */
void rule_inside(int delta);                    /* this thread is the library now: its frees are its own */
void rule_handed_out(osip_message_t *message, const char *function);
void rule_taken(osip_message_t *message, const char *function);
void rule_call_back(CbSipCallback callback, osip_message_t *message, int received); /* NULL: nothing */
void rule_event_out(eXosip_event_t *event);
void rule_event_back(eXosip_event_t *event);
void rule_event_wait(void);
void rule_settle(void);                         /* at eXosip_quit(): nothing may be left */
void rule_read_environment(void);

/* setup.c ----------------------------------------------------------------------------------------------- */
int d_init(void);
void d_quit(void);
int d_listen(int protocol, const char *address, int port, int family);
int d_set_socket(int protocol, int socket, int port);
void d_enable_ipv6(int on);
int d_ipv6(void);
int d_local_ip(int family, char *address, int size);
/* The one that what is sent there leaves from, as text. */
int d_ip_towards(const struct addrinfo *there, char *text, int size);
void d_wake(void);
int eXosip_read_message(int count, int seconds, int microseconds); /* in no header of libeXosip2's, but exported */
int d_next_id(void);

/* stream.c ---------------------------------------------------------------------------------------------- */
int d_stream_send(const struct addrinfo *to, int socket, const char *octets, size_t length);
int d_stream_set(fd_set *set); /* the highest of its descriptors */
void d_stream_receive(fd_set *set);
void d_stream_ping(void); /* when it is time */
void d_stream_clear(void);

/* network.c --------------------------------------------------------------------------------------------- */
void d_handle(const char *octets, size_t length, const struct sockaddr *peer, socklen_t size, int socket);
int d_send(osip_transaction_t *tr, osip_message_t *message, char *host, int port, int socket);
void *d_worker(void *unused);
void d_execute(void);

/* fragile.c --------------------------------------------------------------------------------------------- */
/* Dies where the real one does, when it was told to (D.crash). */
void fragile_look(const osip_message_t *message);
/* Dies of a message before it is parsed, when it has the text that EXOSIP_DOUBLE_DIE_OF names. */
void fragile_read(const char *octets, size_t length);
/* So does 3.3 always: of a request that it receives or sends, and of one that it builds within a dialog. */
void fragile_look_up(osip_message_t *request);
void fragile_write(const osip_dialog_t *dialog);
/* And 5.3 of a message that is sent to no host. */
void fragile_send(const char *host);

/* events.c ---------------------------------------------------------------------------------------------- */
void d_post(int type, struct d_call *call, struct d_reg *reg, osip_transaction_t *tr, osip_message_t *ack);
void d_post_sub(int type, struct d_sub *sub, osip_transaction_t *tr);
eXosip_event_t *d_event_wait(int milliseconds);
void d_event_free(eXosip_event_t *event);
void d_events_clear(void);

/* build.c ----------------------------------------------------------------------------------------------- */
int d_build_request(osip_message_t **request, const char *method, const char *to, const char *from,
                    const char *route, const char *request_uri);
int d_build_within(osip_message_t **request, const char *method, osip_dialog_t *dialog);
void d_add_header(osip_message_t *message, const char *name, const char *value);
int d_build_response(osip_message_t **response, osip_dialog_t *dialog, int status, osip_message_t *request);
int d_add_contact(osip_message_t *message, const char *user);
/* 5.3 writes its address into a message when it sends it, and has what is no address there until then. */
void d_fill_in(osip_message_t *message, const struct addrinfo *to);
/* And it heeds what a response says of that address, unless it is told not to. */
void d_learn(osip_message_t *response);
int d_add_record_routes(osip_message_t *response, osip_message_t *request);
void d_new_branch(osip_message_t *message);
void d_next_cseq(osip_message_t *message, int by);
int d_random(void);
char *d_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* request.c: transactions --------------------------------------------------------------------------------- */
struct d_txn *d_txn_start(osip_fsm_type_t type, osip_message_t *message, struct d_call *call, struct d_reg *reg);
struct d_txn *d_txn_incoming(osip_fsm_type_t type, osip_event_t *event, int socket);
void d_txn_execute(struct d_txn *txn, osip_message_t *message);
struct d_txn *d_txn_find(int tid);
struct d_txn *d_txn_last(struct d_call *call, const char *method);
int d_txn_is_done(const struct d_txn *txn);
int d_is_answered(const struct d_txn *txn);
void d_txns_sweep(int all);
void d_set_callbacks(osip_t *osip);
int d_answer(struct d_txn *txn, osip_message_t *answer);
int d_message_build_answer(int tid, int status, osip_message_t **answer);
int d_message_send_answer(int tid, int status, osip_message_t *answer);
int d_default_action(eXosip_event_t *event);

/* call.c ------------------------------------------------------------------------------------------------ */
int d_send_invite(osip_message_t *invite);
/* id: the dialog's; with 5.3 the INVITE transaction's. */
int d_build_ack(int id, osip_message_t **ack);
int d_send_ack(int id, osip_message_t *ack);
int d_call_build_request(int did, const char *method, osip_message_t **request);
int d_call_send_request(int did, osip_message_t *request);
int d_call_build_answer(int tid, int status, osip_message_t **answer);
int d_call_send_answer(int tid, int status, osip_message_t *answer);
int d_terminate(int cid, int did);
void d_on_late_response(osip_event_t *event);
void d_on_invite_response(struct d_txn *txn, osip_message_t *response);
void d_calls_sweep(void);
void d_calls_repeat_200(void);
void d_calls_clear(void);
void d_call_over(struct d_call *call, int seconds);
struct d_call *d_call_new(void);
void d_call_drop_dialog(struct d_call *call);

/* incoming.c -------------------------------------------------------------------------------------------- */
void d_on_new_request(osip_event_t *event, int socket);

/* register.c -------------------------------------------------------------------------------------------- */
int d_register_first(const char *from, const char *registrar, const char *contact, int expires,
                     osip_message_t **request);
int d_register_next(int rid, int expires, osip_message_t **request);
int d_register_send(int rid, osip_message_t *request);
int d_register_remove(int rid);
void d_regs_clear(void);

/* subscribe.c ------------------------------------------------------------------------------------------- */
int d_subscribe_build(osip_message_t **request, const char *to, const char *from, const char *route,
                      const char *event, int expires);
int d_subscribe_send(osip_message_t *request);
int d_sub_remove(int did, int incoming);
int d_insubscription_build_answer(int tid, int status, osip_message_t **answer);
int d_insubscription_send_answer(int tid, int status, osip_message_t *answer);
int d_insubscription_build_request(int did, const char *method, osip_message_t **request);
int d_insubscription_send_request(int did, osip_message_t *request);
/* True when it was about a subscription. */
int d_on_sub_request(struct d_txn *txn);
void d_on_sub_response(struct d_txn *txn, osip_message_t *response);
void d_on_sub_silence(struct d_txn *txn);
void d_subs_clear(void);

/* digest.c ---------------------------------------------------------------------------------------------- */
int d_auth_add(const char *user, const char *password, const char *realm);
void d_auth_clear(void);
void d_nonces_clear(void);
int d_authorize(osip_message_t *request, osip_message_t *response);

#endif
