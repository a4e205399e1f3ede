/* values.h - read header values in the same way for every engine, however its library reads them. */
#ifndef SB_VALUES_H
#define SB_VALUES_H

/* The seconds in a value (delta-seconds, 25.1), at most INT32_MAX; -1 when there are none. NULL is fine. */
int sb_seconds(const char *text);

/* The seconds that a 2xx grants (10.2.4, RFC 6665 4.2.1): those of its Contact, else of its Expires, else those that
 * were asked for. 0: it grants nothing. */
int sb_granted(const char *of_contact, const char *expires, int wanted);

/* Find a parameter of a value ("name;key=text"). Returns where its text begins, and sets *length; NULL when there is no
 * such parameter. Names are not case-sensitive. A quoted text comes without its quotes. */
const char *sb_parameter(const char *value, const char *name, int *length);

/* The length of a value without its parameters. */
int sb_bare(const char *value);

/* The package and the id in an Event (RFC 6665, 8.2.1), like "dialog;id=7". Free it. NULL when memory is out. */
char *sb_event_of(const char *value);

/* True when two Events name the same package and id (4.1.3). */
int sb_is_same_event(const char *a, const char *b);

#endif
