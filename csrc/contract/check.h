/* check.h - checks what the user of the contract passes, before an engine sees it. Each function returns SB_OK,
 * SB_EINVAL or SB_ETOOBIG. */
#ifndef SB_CHECK_H
#define SB_CHECK_H

#include "engine.h"

int sb_check_config(const sb_config *config);
int sb_check_parties(const sb_parties *parties);
int sb_check_content(const sb_content *content); /* NULL is fine */
/* The same for subscriptions and publications, without the header fields that they have arguments for. */
int sb_check_event_content(const sb_content *content);

/* Text of one line, not empty. */
int sb_check_text(const char *text);
/* The same, or NULL. */
int sb_check_optional_text(const char *text);
/* A reason phrase: a line that may be empty, or NULL. */
int sb_check_reason(const char *text);
/* A SIP method or a header name (token, RFC 3261 25.1). */
int sb_check_token(const char *text);
/* The same, fit to stand in quotes as it is: the libraries escape nothing among credentials (22.4). */
int sb_check_quoted(const char *text);
/* A sip:, sips: or tel: URI (19.1.1) without headers. */
int sb_check_uri(const char *uri);
/* A URI, or a name-addr: "Bob" <sip:bob@example.com> (20.10). */
int sb_check_address(const char *address);
/* A host name or an address, IPv6 with brackets or without. */
int sb_check_host(const char *host);
int sb_check_expires(int expires);
/* An event package, a token, with parameters (RFC 6665, 8.4). */
int sb_check_event(const char *event);
/* A Call-ID (callid, RFC 3261 25.1), or NULL. */
int sb_check_call_id(const char *call_id);
/* A method that no function for calls sends. */
int sb_check_method(const char *method);

#endif
