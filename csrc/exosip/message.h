/* message.h - between osip_message_t and the contract's strings. */
#ifndef SB_EXOSIP_MESSAGE_H
#define SB_EXOSIP_MESSAGE_H

#include "core.h"
#include "library.h"

struct exosip;

/* The library writes a start line into a buffer of 4,000 octets, and does not check its length. */
enum { EXO_MAX_START_LINE = 2000 };

/* The longest user part of an address of ours, in octets. */
enum { EXO_MAX_USER = 128 };

/* A deep copy of an sb_content, for a message that cannot be sent yet. */
struct exo_content {
    sb_content content;
    sb_header headers[SB_MAX_HEADERS];
};

/* The SB_E... code for what a function of the library returned (>= 0: SB_OK). */
int exo_error(int returned);

/* Add the content to a message that is being built. NULL is fine. */
int exo_fill(osip_message_t *message, const sb_content *content);
int exo_set_expires(osip_message_t *message, int expires);
int exo_set_reason(osip_message_t *response, const char *reason); /* NULL: leave what is there */

/* Post an event with what the message tells (headers, body, status, reason, method). NULL: there is no message. */
void exo_post(struct exosip *state, sb_event *event, osip_message_t *message);

/* Post an event about a request that waits for an answer. Returns 0. Otherwise it posted nothing, and returns the
 * status to refuse the request with: memory is out, or the library cannot write the message. */
int exo_post_request(struct exosip *state, sb_event *event, osip_message_t *request);

/* True when a URI in it is longer than the library can write into a request. */
int exo_is_dangerous(osip_message_t *message);

int exo_is_method(const osip_message_t *request, const char *method);
int exo_cseq(const osip_message_t *message);
/* The Call-ID as one string to be freed, or NULL. */
char *exo_call_id(const osip_message_t *message);
/* The first value of a header, or NULL. */
const char *exo_header(osip_message_t *message, const char *name);
void exo_remove_header(osip_message_t *message, const char *name); /* the first one of that name */

struct exo_content *exo_content_copy(const sb_content *content); /* NULL when memory is out */
void exo_content_free(struct exo_content *copy);

/* Write the message as octets, to be freed with osip_free(). Returns 0; or the status to refuse a request with that
 * cannot be written, and *octets is NULL. */
int exo_octets(osip_message_t *message, char **octets, size_t *length);

#endif
