/* scan.h - functions that read a header field's value (25.1).
 *
 * Each moves `at` behind what it takes, and never beyond `end`. A fold counts as white space: lines are told apart
 * before, so a CR or LF within a value has a space or TAB behind it.
 */
#ifndef SB_SHIELD_SCAN_H
#define SB_SHIELD_SCAN_H

#include "shield.h"

struct scan {
    const char *at, *end;
};

struct scan_param {
    struct shield_span name, value; /* value.at is NULL without one */
};

int scan_is_token(char c);
int scan_is_digit(char c);
int scan_is_space(char c);

void scan_spaces(struct scan *scan);
/* Take this octet if it comes next: 1 or 0. */
int scan_octet(struct scan *scan, char c);
/* The same with white space around it. */
int scan_separator(struct scan *scan, char c);
/* True when nothing but white space is left. */
int scan_is_over(struct scan *scan);

/* These return 1 when it was there and sound, else 0. */
int scan_token(struct scan *scan, struct shield_span *token);
int scan_number(struct scan *scan, unsigned long limit, unsigned long *number);
int scan_quoted(struct scan *scan);
int scan_host_port(struct scan *scan, struct shield_span *host, struct shield_span *port);
/* Take a parameter: ';' name [ = value ]. 1: taken; 0: there is none; -1: it is malformed. */
int scan_param(struct scan *scan, struct scan_param *param);
/* Take all parameters. 0 when one is malformed. */
int scan_params(struct scan *scan);

/* A name-addr or addr-spec without the parameters behind it (20.10). */
int scan_address(struct scan *scan);

int shield_span_is(struct shield_span span, const char *text); /* without regard to case */

/* uri.c: a whole URI (19.1.1); `headers`: whether "?name=value" may be in it. */
int shield_uri(struct shield_span uri, int headers);

/* octets.c: no control character where none may be; the CR LF that ends a line or, with its folds, a header
 * field, NULL when there is none. */
int shield_octets(const char *at, const char *end);
const char *shield_line_end(const char *at, const char *end);
const char *shield_field_end(const char *at, const char *end);

/* multipart.c: whether the parts of a body are well formed. */
int shield_multipart(struct shield_span body, struct shield_span boundary);

/* fields.c: a header field by its name, and what it has to look like. */
struct shield_fields {
    struct shield_message *message;
    const char *end;               /* of the message */
    unsigned seen;                 /* the fields that came and may come only once: a bit each */
    unsigned long content_length;
    int has_content_length;
    int is_multipart;
    struct shield_span boundary;   /* of a multipart, without quotes */
    enum shield_rule rule;         /* the first rule that was broken */
};

void shield_field(struct shield_fields *fields, struct shield_span name, struct shield_span value);
/* When all fields were seen: check which are missing, and whether they agree. `body`: what follows them, NULL when
 * nothing ends them. */
void shield_fields_end(struct shield_fields *fields, const char *body, enum shield_transport transport);

#endif
