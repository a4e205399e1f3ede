/* shield.h - looks at SIP messages before a library sees them that dies of malformed ones.
 *
 * shield_check() says of one message whether it may pass. It is a plain function: no memory of its own, no
 * allocation, no lock, no system call; safe in any thread. The rest is what a process puts around it:
 *
 *     shield_mend()   what is well formed and harms the library all the same, in other words
 *     shield_frame()  where a message on a stream ends
 *     shield_reply()  the answer to what may not pass
 *
 * with what remembers something (../process: shield_admit() is overload control, shield_recall() has the responses,
 * shield_count() the counters), and preload.c there puts all of it between libeXosip2 and its sockets. Strict where libeXosip2 is weak: the
 * header fields that it takes for granted have to be there and sound, by RFC 3261's grammar (section 25). What
 * it has no trouble with is not looked at, and what passes is not changed by an octet, but by shield_mend().
 *
 * Section numbers are RFC 3261's.
 */
#ifndef SB_SHIELD_H
#define SB_SHIELD_H

#include <stddef.h>
#include <stdint.h>

enum shield_bound {
    SHIELD_MAX_START = 4096,    /* octets of the start line */
    SHIELD_MAX_FIELD = 8192,    /* octets of a header field, folds included */
    SHIELD_MAX_NAME = 256,      /* octets of a header field's name */
    SHIELD_MAX_FIELDS = 256,    /* header fields of a message */
    SHIELD_MAX_VIAS = 72,       /* Via header fields: Max-Forwards begins with 70 */
    SHIELD_MAX_NESTING = 16,    /* comments within comments (25.1) */
    SHIELD_MAX_URI = 3900,      /* octets of a URI, with three for each that the library may escape: it has 4,000 for a
                                 * start line, in which a Contact may come to stand (CVE-2016-10325) */
    SHIELD_MAX_REPLY = 8192     /* octets of an answer; a longer one is not sent */
};

/* What a message offends against. Their names: shield_rule_name(). */
enum shield_rule {
    SHIELD_NONE = 0,
    SHIELD_START_LINE,      /* 7.1, 7.2: not METHOD SP URI SP SIP/2.0, nor SIP/2.0 SP 200 SP reason */
    SHIELD_REQUEST_URI,     /* 19.1.1 */
    SHIELD_VERSION,         /* SIP, but not 2.0 */
    SHIELD_OCTETS,          /* a control character, a NUL, a CR or LF that ends no line */
    SHIELD_LIMIT,           /* one of enum shield_bound */
    SHIELD_SIZE,            /* a datagram that is longer than the library's buffer */
    SHIELD_FIELD,           /* a line that is no header field; no empty line behind the last */
    SHIELD_VIA,             /* missing or malformed; those below: or more than one of them */
    SHIELD_FROM,
    SHIELD_TO,
    SHIELD_CALL_ID,
    SHIELD_CSEQ,
    SHIELD_CSEQ_METHOD,     /* another than the request's (8.1.1.5) */
    SHIELD_CONTENT_LENGTH,  /* longer than the datagram (18.3), malformed, repeated; missing on a stream */
    SHIELD_CONTENT_TYPE,
    SHIELD_BODY,            /* multipart, and its parts are none (RFC 2046, 5.1) */
    SHIELD_MAX_FORWARDS,
    SHIELD_CONTACT,
    SHIELD_ROUTE,           /* Route or Record-Route */
    SHIELD_CREDENTIALS,     /* a challenge or an answer to one (22) */
    SHIELD_EVENT,           /* Event, Subscription-State, Refer-To (RFC 6665, RFC 3515) */
    SHIELD_DATE,
    SHIELD_SESSION_EXPIRES, /* RFC 4028 */
    SHIELD_OVERLOAD_INVITE, /* well formed, and too many of them */
    SHIELD_OVERLOAD_REGISTER,
    SHIELD_OVERLOAD_SUBSCRIBE,
    SHIELD_OWN_ACK,         /* the ACK to an answer of the shield's own (8.2.7) */
    SHIELD_REMEMBERED,      /* a repeated request, whose final response is sent again (17.2.2) */
    SHIELD_QUEUE_FULL,      /* no message: an event of the library that there was no room for (events.c) */
    SHIELD_RULES
};

struct shield_span {
    const char *at;         /* NULL: there is none, or it is malformed */
    size_t length;
};

/* What shield_check() found out about a message: it points into the message. */
struct shield_message {
    int is_request;
    int status;                  /* of a response; 0: it is malformed */
    struct shield_span method;   /* of a request */
    struct shield_span top_via;  /* the first Via value, as far as it is sound */
    struct shield_span branch;   /* its branch parameter */
    struct shield_span rport;    /* its rport parameter where that has no value (RFC 3581) */
    int has_received;
    int via_leads_elsewhere;     /* it has maddr, or rport with a value */
    struct shield_span via_transport, via_host;
    int via_port;                /* of its sent-by, as the host before; 0: none */
    struct shield_span vias[SHIELD_MAX_VIAS]; /* the Via header fields, the first without its first value */
    int via_count;
    struct shield_span from, to, call_id, cseq;
    struct shield_span cseq_method;
    struct shield_span to_tag;   /* set when To has one: within a dialog */
};

enum shield_action { SHIELD_PASS, SHIELD_ANSWER, SHIELD_DROP };

struct shield_verdict {
    enum shield_action action;
    enum shield_rule rule;
    int status;                  /* the status code to answer with */
};

enum shield_transport { SHIELD_DATAGRAM, SHIELD_STREAM };

/* Look at one whole message. `message` is filled in whatever comes out. Only keep-alives (CR LF, and what is
 * too short to be anything: 4 octets or fewer) pass without being SIP. Answered is what is a request but no
 * ACK, and says where it came from. */
struct shield_verdict shield_check(const char *octets, size_t length, enum shield_transport transport,
                                   struct shield_message *message);

/* True for one of these keep-alives. */
int shield_is_keep_alive(const char *octets, size_t length);

/* What becomes of a message that offends against a rule: answered or dropped. */
struct shield_verdict shield_refuse(const struct shield_message *message, enum shield_rule rule);

/* "via", "cseq-method", ...; "" for SHIELD_NONE. */
const char *shield_rule_name(enum shield_rule rule);

/* Write in another way of the same length what the library would read beyond its memory for: a value of nothing but
 * white space, or such an element of a list. For a message that passed; true when there was any. */
int shield_mend(char *octets, size_t length);

/* The first message of a stream: its length, 0 when it is not whole yet, -1 when it will never be: what is
 * there is no SIP, or longer than `limit`. CR LF in front of a message belong to it. */
long shield_frame(const char *octets, size_t length, size_t limit);

/* The answer to a message, into `reply`. Returns its length, or 0 when there is none that is well formed. It
 * goes to where the message came from, `host` as inet_ntop() writes it and `port`; for a datagram whose Via has
 * no rport, to shield_reply_port(). What was malformed is replaced, not sent back. */
size_t shield_reply(const struct shield_message *message, struct shield_verdict verdict, const char *host,
                    int port, char *reply, size_t size);
int shield_reply_port(const struct shield_message *message, int port);

/* True for an ACK to an answer of shield_reply(). */
int shield_is_own_ack(const struct shield_message *message);

/* What the numbers below and the tags of the answers are made with, so that nobody knows them beforehand. Call it once,
 * first. */
void shield_seed(uint64_t seed);

/* A number for some octets, and for those that got the number `before` (0: none). Who does not know the seed can neither
 * foresee it, nor find octets that have the same one, nor learn the seed from it. */
uint64_t shield_hash(uint64_t before, const char *octets, size_t length);

/* A number for the transaction that a request belongs to (17.2.3), the same for an ACK to its refusal. */
uint64_t shield_transaction(const struct shield_message *message);

#endif
