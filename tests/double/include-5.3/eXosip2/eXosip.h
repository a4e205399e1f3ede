/* eXosip2/eXosip.h of the checking double that plays libeXosip2 5.3: what csrc/ uses of it, declared by us after its
 * documentation, with the names and the numbers that a program sees. The double's own controls are in exosip_double.h.
 */
#ifndef EXOSIP_DOUBLE_EXOSIP_H
#define EXOSIP_DOUBLE_EXOSIP_H

#include <osipparser2/osip_parser.h>

struct eXosip_t;

#define EXOSIP_OPT_BASE_OPTION 0
#define EXOSIP_OPT_UDP_KEEP_ALIVE (EXOSIP_OPT_BASE_OPTION + 1)
#define EXOSIP_OPT_AUTO_MASQUERADE_CONTACT (EXOSIP_OPT_BASE_OPTION + 2)
#define EXOSIP_OPT_SET_IPV4_FOR_GATEWAY (EXOSIP_OPT_BASE_OPTION + 8)
#define EXOSIP_OPT_SET_IPV6_FOR_GATEWAY (EXOSIP_OPT_BASE_OPTION + 12)
#define EXOSIP_OPT_DNS_CAPABILITIES (EXOSIP_OPT_BASE_OPTION + 14)
#define EXOSIP_OPT_ENABLE_IPV6 (EXOSIP_OPT_BASE_OPTION + 20)

/* Not all that 3.x has: what is gone is not here. */
typedef enum eXosip_event_type {
    EXOSIP_REGISTRATION_SUCCESS,
    EXOSIP_REGISTRATION_FAILURE,
    EXOSIP_CALL_INVITE,
    EXOSIP_CALL_REINVITE,
    EXOSIP_CALL_NOANSWER,
    EXOSIP_CALL_PROCEEDING,
    EXOSIP_CALL_RINGING,
    EXOSIP_CALL_ANSWERED,
    EXOSIP_CALL_REDIRECTED,
    EXOSIP_CALL_REQUESTFAILURE,
    EXOSIP_CALL_SERVERFAILURE,
    EXOSIP_CALL_GLOBALFAILURE,
    EXOSIP_CALL_ACK,
    EXOSIP_CALL_CANCELLED,
    EXOSIP_CALL_MESSAGE_NEW,
    EXOSIP_CALL_MESSAGE_PROCEEDING,
    EXOSIP_CALL_MESSAGE_ANSWERED,
    EXOSIP_CALL_MESSAGE_REDIRECTED,
    EXOSIP_CALL_MESSAGE_REQUESTFAILURE,
    EXOSIP_CALL_MESSAGE_SERVERFAILURE,
    EXOSIP_CALL_MESSAGE_GLOBALFAILURE,
    EXOSIP_CALL_CLOSED,
    EXOSIP_CALL_RELEASED,
    EXOSIP_MESSAGE_NEW,
    EXOSIP_MESSAGE_PROCEEDING,
    EXOSIP_MESSAGE_ANSWERED,
    EXOSIP_MESSAGE_REDIRECTED,
    EXOSIP_MESSAGE_REQUESTFAILURE,
    EXOSIP_MESSAGE_SERVERFAILURE,
    EXOSIP_MESSAGE_GLOBALFAILURE,
    EXOSIP_SUBSCRIPTION_NOANSWER,
    EXOSIP_SUBSCRIPTION_PROCEEDING,
    EXOSIP_SUBSCRIPTION_ANSWERED,
    EXOSIP_SUBSCRIPTION_REDIRECTED,
    EXOSIP_SUBSCRIPTION_REQUESTFAILURE,
    EXOSIP_SUBSCRIPTION_SERVERFAILURE,
    EXOSIP_SUBSCRIPTION_GLOBALFAILURE,
    EXOSIP_SUBSCRIPTION_NOTIFY,
    EXOSIP_IN_SUBSCRIPTION_NEW,
    EXOSIP_NOTIFICATION_NOANSWER,
    EXOSIP_NOTIFICATION_PROCEEDING,
    EXOSIP_NOTIFICATION_ANSWERED,
    EXOSIP_NOTIFICATION_REDIRECTED,
    EXOSIP_NOTIFICATION_REQUESTFAILURE,
    EXOSIP_NOTIFICATION_SERVERFAILURE,
    EXOSIP_NOTIFICATION_GLOBALFAILURE,
    EXOSIP_EVENT_COUNT
} eXosip_event_type_t;

typedef struct eXosip_event {
    eXosip_event_type_t type;
    char textinfo[256];
    void *external_reference;
    osip_message_t *request;
    osip_message_t *response;
    osip_message_t *ack;
    int tid;
    int did;
    int rid;
    int cid;
    int sid;
    int nid;
    int ss_status;
    int ss_reason;
} eXosip_event_t;

typedef void (*CbSipCallback)(osip_message_t *message, int received);

struct eXosip_t *eXosip_malloc(void);
int eXosip_init(struct eXosip_t *context);
void eXosip_quit(struct eXosip_t *context);
int eXosip_lock(struct eXosip_t *context);
int eXosip_unlock(struct eXosip_t *context);
const char *eXosip_get_version(void);
int eXosip_set_option(struct eXosip_t *context, int option, const void *value);
void eXosip_set_user_agent(struct eXosip_t *context, const char *user_agent);
int eXosip_set_cbsip_message(struct eXosip_t *context, CbSipCallback callback);
int eXosip_listen_addr(struct eXosip_t *context, int transport, const char *address, int port, int family,
                       int secure);
int eXosip_set_socket(struct eXosip_t *context, int transport, int socket, int port);
void eXosip_masquerade_contact(struct eXosip_t *context, const char *public_address, int port);
int eXosip_guess_localip(struct eXosip_t *context, int family, char *address, int size);

eXosip_event_t *eXosip_event_wait(struct eXosip_t *context, int seconds, int milliseconds);
int eXosip_event_geteventsocket(struct eXosip_t *context);
void eXosip_event_free(eXosip_event_t *event);

int eXosip_add_authentication_info(struct eXosip_t *context, const char *user, const char *userid,
                                   const char *password, const char *ha1, const char *realm);
int eXosip_clear_authentication_info(struct eXosip_t *context);
int eXosip_default_action(struct eXosip_t *context, eXosip_event_t *event);

int eXosip_call_build_initial_invite(struct eXosip_t *context, osip_message_t **invite, const char *to,
                                     const char *from, const char *route, const char *subject);
int eXosip_call_send_initial_invite(struct eXosip_t *context, osip_message_t *invite);
int eXosip_call_build_ack(struct eXosip_t *context, int id, osip_message_t **ack);
int eXosip_call_send_ack(struct eXosip_t *context, int id, osip_message_t *ack);
int eXosip_call_build_request(struct eXosip_t *context, int did, const char *method, osip_message_t **request);
int eXosip_call_send_request(struct eXosip_t *context, int did, osip_message_t *request);
int eXosip_call_build_answer(struct eXosip_t *context, int tid, int status, osip_message_t **answer);
int eXosip_call_send_answer(struct eXosip_t *context, int tid, int status, osip_message_t *answer);
int eXosip_call_terminate(struct eXosip_t *context, int cid, int did);

int eXosip_message_build_request(struct eXosip_t *context, osip_message_t **message, const char *method,
                                 const char *to, const char *from, const char *route);
int eXosip_message_send_request(struct eXosip_t *context, osip_message_t *message);
int eXosip_message_build_answer(struct eXosip_t *context, int tid, int status, osip_message_t **answer);
int eXosip_message_send_answer(struct eXosip_t *context, int tid, int status, osip_message_t *answer);

int eXosip_register_build_initial_register(struct eXosip_t *context, const char *from, const char *registrar,
                                           const char *contact, int expires, osip_message_t **request);
int eXosip_register_build_register(struct eXosip_t *context, int rid, int expires, osip_message_t **request);
int eXosip_register_send_register(struct eXosip_t *context, int rid, osip_message_t *request);
int eXosip_register_remove(struct eXosip_t *context, int rid);

int eXosip_subscription_build_initial_subscribe(struct eXosip_t *context, osip_message_t **subscribe, const char *to,
                                                const char *from, const char *route, const char *event, int expires);
int eXosip_subscription_send_initial_request(struct eXosip_t *context, osip_message_t *subscribe);
int eXosip_subscription_remove(struct eXosip_t *context, int did);

int eXosip_insubscription_build_answer(struct eXosip_t *context, int tid, int status, osip_message_t **answer);
int eXosip_insubscription_build_request(struct eXosip_t *context, int did, const char *method,
                                        osip_message_t **request);
int eXosip_insubscription_send_request(struct eXosip_t *context, int did, osip_message_t *request);
int eXosip_insubscription_remove(struct eXosip_t *context, int did);
int eXosip_insubscription_send_answer(struct eXosip_t *context, int tid, int status, osip_message_t *answer);

#endif
