/* eXosip2/eXosip.h of the checking double: what csrc/ uses of libeXosip2 3.6's API, declared by us after its
 * documentation, with the names and the numbers that a program sees; with EXOSIP_DOUBLE_3_3 (the Makefile puts that in
 * front of it) of 3.3's. The double's own controls are in exosip_double.h. */
#ifndef EXOSIP_DOUBLE_EXOSIP_H
#define EXOSIP_DOUBLE_EXOSIP_H

#include <osipparser2/osip_parser.h>

#ifdef EXOSIP_DOUBLE_3_3
typedef enum {
    EXOSIP_OPT_UDP_KEEP_ALIVE = 1,
    EXOSIP_OPT_DONT_SEND_101 = 6,
    EXOSIP_OPT_SET_IPV4_FOR_GATEWAY = 8,
    EXOSIP_OPT_SET_IPV6_FOR_GATEWAY = 11
} eXosip_option;
#else
typedef int eXosip_option;
#define EXOSIP_OPT_BASE_OPTION 0
#define EXOSIP_OPT_UDP_KEEP_ALIVE (EXOSIP_OPT_BASE_OPTION + 1)
#define EXOSIP_OPT_DONT_SEND_101 (EXOSIP_OPT_BASE_OPTION + 6)
#define EXOSIP_OPT_SET_IPV4_FOR_GATEWAY (EXOSIP_OPT_BASE_OPTION + 8)
#define EXOSIP_OPT_SET_IPV6_FOR_GATEWAY (EXOSIP_OPT_BASE_OPTION + 12)
#define EXOSIP_OPT_DNS_CAPABILITIES (EXOSIP_OPT_BASE_OPTION + 14)
#endif

typedef enum eXosip_event_type {
    EXOSIP_REGISTRATION_NEW,
    EXOSIP_REGISTRATION_SUCCESS,
    EXOSIP_REGISTRATION_FAILURE,
    EXOSIP_REGISTRATION_REFRESHED,
    EXOSIP_REGISTRATION_TERMINATED,
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
    EXOSIP_CALL_TIMEOUT,
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
    EXOSIP_SUBSCRIPTION_UPDATE,
    EXOSIP_SUBSCRIPTION_CLOSED,
    EXOSIP_SUBSCRIPTION_NOANSWER,
    EXOSIP_SUBSCRIPTION_PROCEEDING,
    EXOSIP_SUBSCRIPTION_ANSWERED,
    EXOSIP_SUBSCRIPTION_REDIRECTED,
    EXOSIP_SUBSCRIPTION_REQUESTFAILURE,
    EXOSIP_SUBSCRIPTION_SERVERFAILURE,
    EXOSIP_SUBSCRIPTION_GLOBALFAILURE,
    EXOSIP_SUBSCRIPTION_NOTIFY,
    EXOSIP_SUBSCRIPTION_RELEASED,
    EXOSIP_IN_SUBSCRIPTION_NEW,
    EXOSIP_IN_SUBSCRIPTION_RELEASED,
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

int eXosip_init(void);
void eXosip_quit(void);
const char *eXosip_get_version(void);
/* As with the real one: without OSIP_MT there are no locks. */
#ifdef OSIP_MT
int eXosip_lock(void);
int eXosip_unlock(void);
#else
#define eXosip_lock() ;
#define eXosip_unlock() ;
#endif
int eXosip_set_option(eXosip_option option, const void *value);
void eXosip_set_user_agent(const char *user_agent);
int eXosip_set_cbsip_message(CbSipCallback callback);
void eXosip_enable_ipv6(int on);
int eXosip_set_socket(int transport, int socket, int port);
int eXosip_listen_addr(int transport, const char *address, int port, int family, int secure);
void eXosip_masquerade_contact(const char *public_address, int port);
int eXosip_guess_localip(int family, char *address, int size);

eXosip_event_t *eXosip_event_wait(int seconds, int milliseconds);
int eXosip_event_geteventsocket(void);
void eXosip_event_free(eXosip_event_t *event);

int eXosip_add_authentication_info(const char *user, const char *userid, const char *password, const char *ha1,
                                   const char *realm);
int eXosip_clear_authentication_info(void);
int eXosip_default_action(eXosip_event_t *event);

int eXosip_call_build_initial_invite(osip_message_t **invite, const char *to, const char *from,
                                     const char *route, const char *subject);
int eXosip_call_send_initial_invite(osip_message_t *invite);
int eXosip_call_build_ack(int did, osip_message_t **ack);
int eXosip_call_send_ack(int did, osip_message_t *ack);
int eXosip_call_build_request(int did, const char *method, osip_message_t **request);
int eXosip_call_send_request(int did, osip_message_t *request);
int eXosip_call_build_answer(int tid, int status, osip_message_t **answer);
int eXosip_call_send_answer(int tid, int status, osip_message_t *answer);
int eXosip_call_terminate(int cid, int did);

int eXosip_message_build_request(osip_message_t **message, const char *method, const char *to, const char *from,
                                 const char *route);
int eXosip_message_send_request(osip_message_t *message);
int eXosip_message_build_answer(int tid, int status, osip_message_t **answer);
int eXosip_message_send_answer(int tid, int status, osip_message_t *answer);

int eXosip_register_build_initial_register(const char *from, const char *registrar, const char *contact,
                                           int expires, osip_message_t **request);
int eXosip_register_build_register(int rid, int expires, osip_message_t **request);
int eXosip_register_send_register(int rid, osip_message_t *request);
int eXosip_register_remove(int rid);

int eXosip_subscribe_build_initial_request(osip_message_t **subscribe, const char *to, const char *from,
                                           const char *route, const char *event, int expires);
int eXosip_subscribe_send_initial_request(osip_message_t *subscribe);
int eXosip_subscribe_remove(int did);

int eXosip_insubscription_build_answer(int tid, int status, osip_message_t **answer);
int eXosip_insubscription_send_answer(int tid, int status, osip_message_t *answer);
int eXosip_insubscription_build_request(int did, const char *method, osip_message_t **request);
int eXosip_insubscription_send_request(int did, osip_message_t *request);
int eXosip_insubscription_remove(int did);

#endif
