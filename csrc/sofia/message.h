/* message.h - between Sofia-SIP's messages and the contract's strings. */
#ifndef SB_SOFIA_MESSAGE_H
#define SB_SOFIA_MESSAGE_H

#include "engine.h"
#include "library.h"

extern const char SOF_ALLOW[]; /* the value of our Allow header */

/* Build a message with the content (NULL is fine) and nothing else. SB_OK; or an error, and there is no message. */
int sof_draft(const sb_content *content, msg_t **draft);
/* The same for a request that begins a dialog or has none: it has a Request-URI, From, To, Contact and Route, too.
 * target: the Request-URI; NULL: the URI in To. */
int sof_draft_request(struct sofia *state, const char *method, const char *target, const sb_parties *parties,
                      const sb_content *content, msg_t **draft);
/* The same for a request within a dialog. Its leg adds the rest when it is sent. */
int sof_draft_within(struct sofia *state, const char *method, const sb_content *content, msg_t **draft);

/* Write the seconds into Expires. */
int sof_set_expires(msg_t *msg, int seconds);

/* Post an event with what the message tells. NULL, and a response that nta made up, tell nothing. */
void sof_post(struct sofia *state, sb_event *event, const sip_t *sip);
/* Post an event about a request that waits for an answer. Returns 0; or 500 to refuse the request with, when memory is
 * out, and it posted nothing. */
int sof_post_request(struct sofia *state, sb_event *event, const sip_t *sip);
/* The message if it came from the network. NULL for what nta made up: a timeout, a failure to send. */
const sip_t *sof_real(const sip_t *sip);
/* Add a header of one line. */
int sof_add_header(msg_t *msg, const char *name, const char *value);
/* Whether a header that was added has this word in its value. */
int sof_lists(msg_t *msg, const char *name, const char *word);
int sof_has_header(msg_t *msg, const char *name);

#endif
