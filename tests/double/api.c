/* api.c - the functions of libeXosip2 that a program calls: the rules around what the double does. */
#include "double.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What a failing call returns. */
enum { FAILED = OSIP_UNDEFINED_ERROR };

static int fail(void)
{
    return rule_leave(rule_injected_null() ? OSIP_SUCCESS : FAILED);
}

/* The end of a function that builds a message. */
static int built(const char *function, osip_message_t **message, int returned)
{
    if (returned >= 0 && *message != NULL)
        rule_handed_out(*message, function);
    return rule_leave(returned);
}

/* The failing end of a function that sends one: it is gone all the same. */
static int unsent(osip_message_t *message)
{
    osip_message_free(message);
    return rule_leave(FAILED);
}

#ifdef EXOSIP_DOUBLE_5_3
struct eXosip_t *eXosip_malloc(void)
{
    return rule_enter(__func__, NULL, D_ANY) ? rule_leave(0), NULL : (rule_leave(0), rule_context());
}
#endif

int eXosip_init(D_ALONE)
{
    if (D.running)
        rule_complain("eXosip_init() twice");
    rule_read_environment();
    return rule_enter(__func__, D_GIVEN, D_ANY) ? rule_leave(FAILED) : rule_leave(d_init());
}

void eXosip_quit(D_ALONE)
{
    rule_enter(__func__, D_GIVEN, D_RUNNING);
    rule_settle();
    d_quit();
    rule_leave(0);
}

const char *eXosip_get_version(void)
{
    return D_VERSION " (double)";
}

int eXosip_lock(D_ALONE)
{
    rule_lock(D_GIVEN);
    return 0;
}

int eXosip_unlock(D_ALONE)
{
    rule_unlock(D_GIVEN);
    return 0;
}

int eXosip_set_option(D_FIRST eXosip_option option, const void *value)
{
    if (rule_enter(__func__, D_GIVEN, D_RUNNING))
        return rule_leave(FAILED);
    if (option == EXOSIP_OPT_SET_IPV4_FOR_GATEWAY)
        snprintf(D.gateway, sizeof D.gateway, "%s", (const char *)value);
    else if (option == EXOSIP_OPT_SET_IPV6_FOR_GATEWAY)
        snprintf(D.gateway6, sizeof D.gateway6, "%s", (const char *)value);
    else if (option == EXOSIP_OPT_UDP_KEEP_ALIVE)
        D.keep_alive_ms = *(const int *)value;
#ifdef EXOSIP_DOUBLE_5_3
    else if (option == EXOSIP_OPT_AUTO_MASQUERADE_CONTACT)
        D.learns = *(const int *)value;
    else if (option == EXOSIP_OPT_ENABLE_IPV6)
        d_enable_ipv6(*(const int *)value);
#else
    else if (option == EXOSIP_OPT_DONT_SEND_101)
        D.dont_send_101 = *(const int *)value;
#endif
#ifndef EXOSIP_DOUBLE_3_3
    else if (option == EXOSIP_OPT_DNS_CAPABILITIES)
        return rule_leave(OSIP_SUCCESS);
#endif
    else
        return rule_leave(OSIP_BADPARAMETER);
    return rule_leave(OSIP_SUCCESS);
}

void eXosip_set_user_agent(D_FIRST const char *user_agent)
{
    rule_enter(__func__, D_GIVEN, D_RUNNING);
    osip_free(D.user_agent);
    D.user_agent = osip_strdup(user_agent);
    rule_leave(0);
}

int eXosip_set_cbsip_message(D_FIRST CbSipCallback callback)
{
    rule_enter(__func__, D_GIVEN, D_RUNNING);
    D.callback = callback;
    return rule_leave(OSIP_SUCCESS);
}

int eXosip_listen_addr(D_FIRST int transport, const char *address, int port, int family, int secure)
{
    if (rule_enter(__func__, D_GIVEN, D_RUNNING))
        return rule_leave(FAILED);
    if (address == NULL)
        rule_complain("eXosip_listen_addr(NULL): it would bind the address of the time before");
    if ((transport != IPPROTO_UDP && transport != IPPROTO_TCP) || secure)
        return rule_leave(OSIP_BADPARAMETER);
    return rule_leave(d_listen(transport, address, port, family));
}

int eXosip_set_socket(D_FIRST int transport, int socket, int port)
{
    if (rule_enter(__func__, D_GIVEN, D_RUNNING)) {
        D.socket = socket; /* what the library has failed to do then is to start its thread */
        return rule_leave(FAILED);
    }
    if (transport != IPPROTO_UDP && transport != IPPROTO_TCP)
        return rule_leave(OSIP_BADPARAMETER);
    return rule_leave(d_set_socket(transport, socket, port));
}

#ifndef EXOSIP_DOUBLE_5_3
void eXosip_enable_ipv6(int on)
{
    rule_enter(__func__, D_GIVEN, D_ANY);
    d_enable_ipv6(on);
    rule_leave(0);
}
#endif

void eXosip_masquerade_contact(D_FIRST const char *public_address, int port)
{
    rule_enter(__func__, D_GIVEN, D_RUNNING);
    snprintf(D.masquerade, sizeof D.masquerade, "%s", public_address == NULL ? "" : public_address);
    if (public_address != NULL && port > 0)
        D.masquerade_port = port;
    else if (public_address == NULL && D.port > 0)
        D.masquerade_port = D.port;
    rule_leave(0);
}

int eXosip_guess_localip(D_FIRST int family, char *address, int size)
{
    if (rule_enter(__func__, D_GIVEN, D_RUNNING))
        return rule_leave(FAILED);
    return rule_leave(d_local_ip(family, address, size));
}

eXosip_event_t *eXosip_event_wait(D_FIRST int seconds, int milliseconds)
{
    eXosip_event_t *event = NULL;
    rule_event_wait();
    if (!rule_enter(__func__, D_GIVEN, D_RUNNING)) {
        d_lock();
        d_calls_repeat_200();
        d_unlock();
        event = d_event_wait(seconds * 1000 + milliseconds);
    }
    if (event != NULL)
        rule_event_out(event);
    rule_leave(0);
    return event;
}

int eXosip_event_geteventsocket(D_ALONE)
{
    rule_enter(__func__, D_GIVEN, D_RUNNING);
    rule_leave(0);
    return D.told[0];
}

void eXosip_event_free(eXosip_event_t *event)
{
    rule_event_back(event);
    rule_inside(1);
    d_event_free(event);
    rule_inside(-1);
}

int eXosip_add_authentication_info(D_FIRST const char *user, const char *userid, const char *password,
                                   const char *ha1, const char *realm)
{
    (void)ha1;
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return rule_leave(FAILED);
    if (user == NULL || userid == NULL || password == NULL || user[0] == '\0' || password[0] == '\0')
        return rule_leave(OSIP_BADPARAMETER);
    return rule_leave(d_auth_add(userid, password, realm));
}

int eXosip_clear_authentication_info(D_ALONE)
{
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return rule_leave(FAILED);
    d_auth_clear();
    return rule_leave(OSIP_SUCCESS);
}

int eXosip_default_action(D_FIRST eXosip_event_t *event)
{
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return rule_leave(FAILED);
    return rule_leave(d_default_action(event));
}

/* -- calls ------------------------------------------------------------------------------------------------ */

int eXosip_call_build_initial_invite(D_FIRST osip_message_t **invite, const char *to, const char *from,
                                     const char *route, const char *subject)
{
    int returned;
    *invite = NULL;
    (void)subject;
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return fail();
    returned = d_build_request(invite, "INVITE", to, from, route, NULL);
    if (returned == OSIP_SUCCESS)
        d_add_contact(*invite, (*invite)->from->url->username);
    return built(__func__, invite, returned);
}

int eXosip_call_send_initial_invite(D_FIRST osip_message_t *invite)
{
    rule_taken(invite, __func__);
    if (rule_enter(__func__, D_GIVEN, D_LOCKED) || invite == NULL)
        return unsent(invite);
    return rule_leave(d_send_invite(invite));
}

int eXosip_call_build_ack(D_FIRST int id, osip_message_t **ack)
{
    *ack = NULL;
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return fail();
    return built(__func__, ack, d_build_ack(id, ack));
}

int eXosip_call_send_ack(D_FIRST int id, osip_message_t *ack)
{
    rule_taken(ack, __func__);
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return unsent(ack);
    return rule_leave(d_send_ack(id, ack));
}

int eXosip_call_build_request(D_FIRST int did, const char *method, osip_message_t **request)
{
    *request = NULL;
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return fail();
    return built(__func__, request, d_call_build_request(did, method, request));
}

int eXosip_call_send_request(D_FIRST int did, osip_message_t *request)
{
    rule_taken(request, __func__);
    if (rule_enter(__func__, D_GIVEN, D_LOCKED) || request == NULL)
        return unsent(request);
    return rule_leave(d_call_send_request(did, request));
}

int eXosip_call_build_answer(D_FIRST int tid, int status, osip_message_t **answer)
{
    *answer = NULL;
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return fail();
    return built(__func__, answer, d_call_build_answer(tid, status, answer));
}

int eXosip_call_send_answer(D_FIRST int tid, int status, osip_message_t *answer)
{
    rule_taken(answer, __func__);
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return unsent(answer);
    return rule_leave(d_call_send_answer(tid, status, answer));
}

int eXosip_call_terminate(D_FIRST int cid, int did)
{
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return rule_leave(FAILED);
    return rule_leave(d_terminate(cid, did));
}

/* -- outside calls ---------------------------------------------------------------------------------------- */

int eXosip_message_build_request(D_FIRST osip_message_t **message, const char *method, const char *to,
                                 const char *from, const char *route)
{
    *message = NULL;
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return fail();
    return built(__func__, message, d_build_request(message, method, to, from, route, NULL));
}

int eXosip_message_send_request(D_FIRST osip_message_t *message)
{
    rule_taken(message, __func__);
    if (rule_enter(__func__, D_GIVEN, D_LOCKED) || message == NULL)
        return unsent(message);
    d_txn_start(NICT, message, NULL, NULL);
    return rule_leave(OSIP_SUCCESS);
}

int eXosip_message_build_answer(D_FIRST int tid, int status, osip_message_t **answer)
{
    *answer = NULL;
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return fail();
    return built(__func__, answer, d_message_build_answer(tid, status, answer));
}

int eXosip_message_send_answer(D_FIRST int tid, int status, osip_message_t *answer)
{
    rule_taken(answer, __func__);
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return unsent(answer);
    return rule_leave(d_message_send_answer(tid, status, answer));
}

/* -- subscriptions ---------------------------------------------------------------------------------------- */

#ifdef EXOSIP_DOUBLE_5_3
#define eXosip_subscribe_build_initial_request eXosip_subscription_build_initial_subscribe
#define eXosip_subscribe_send_initial_request eXosip_subscription_send_initial_request
#define eXosip_subscribe_remove eXosip_subscription_remove
#endif

int eXosip_subscribe_build_initial_request(D_FIRST osip_message_t **subscribe, const char *to, const char *from,
                                           const char *route, const char *event, int expires)
{
    *subscribe = NULL;
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return fail();
    return built(__func__, subscribe, d_subscribe_build(subscribe, to, from, route, event, expires));
}

int eXosip_subscribe_send_initial_request(D_FIRST osip_message_t *subscribe)
{
    rule_taken(subscribe, __func__);
    if (rule_enter(__func__, D_GIVEN, D_LOCKED) || subscribe == NULL)
        return unsent(subscribe);
    return rule_leave(d_subscribe_send(subscribe));
}

int eXosip_subscribe_remove(D_FIRST int did)
{
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return rule_leave(FAILED);
    return rule_leave(d_sub_remove(did, 0));
}

int eXosip_insubscription_build_answer(D_FIRST int tid, int status, osip_message_t **answer)
{
    *answer = NULL;
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return fail();
    return built(__func__, answer, d_insubscription_build_answer(tid, status, answer));
}

int eXosip_insubscription_send_answer(D_FIRST int tid, int status, osip_message_t *answer)
{
    rule_taken(answer, __func__);
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return unsent(answer);
    return rule_leave(d_insubscription_send_answer(tid, status, answer));
}

int eXosip_insubscription_build_request(D_FIRST int did, const char *method, osip_message_t **request)
{
    *request = NULL;
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return fail();
    return built(__func__, request, d_insubscription_build_request(did, method, request));
}

int eXosip_insubscription_send_request(D_FIRST int did, osip_message_t *request)
{
    rule_taken(request, __func__);
    if (rule_enter(__func__, D_GIVEN, D_LOCKED) || request == NULL)
        return unsent(request);
    return rule_leave(d_insubscription_send_request(did, request));
}

int eXosip_insubscription_remove(D_FIRST int did)
{
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return rule_leave(FAILED);
    return rule_leave(d_sub_remove(did, 1));
}

/* -- registrations ---------------------------------------------------------------------------------------- */

int eXosip_register_build_initial_register(D_FIRST const char *from, const char *registrar, const char *contact,
                                           int expires, osip_message_t **request)
{
    *request = NULL;
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return fail();
    return built(__func__, request, d_register_first(from, registrar, contact, expires, request));
}

int eXosip_register_build_register(D_FIRST int rid, int expires, osip_message_t **request)
{
    *request = NULL;
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return fail();
    return built(__func__, request, d_register_next(rid, expires, request));
}

int eXosip_register_send_register(D_FIRST int rid, osip_message_t *request)
{
    rule_taken(request, __func__);
    if (rule_enter(__func__, D_GIVEN, D_LOCKED) || request == NULL)
        return unsent(request);
    return rule_leave(d_register_send(rid, request));
}

int eXosip_register_remove(D_FIRST int rid)
{
    if (rule_enter(__func__, D_GIVEN, D_LOCKED))
        return rule_leave(FAILED);
    return rule_leave(d_register_remove(rid));
}
