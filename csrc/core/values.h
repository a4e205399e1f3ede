/* values.h - header values that mean the same to every engine, whatever its library makes of them. */
#ifndef SB_VALUES_H
#define SB_VALUES_H

/* The seconds of a value (delta-seconds, 25.1), at most INT32_MAX; -1 where it names none. NULL is fine. */
int sb_seconds(const char *text);

/* The seconds that a 2xx grants (10.2.4, RFC 6665 4.2.1): its Contact's, or else its Expires, or else what was asked
 * for. 0: none at all. */
int sb_granted(const char *of_contact, const char *expires, int wanted);

/* A parameter of a value ("name;key=text"): where its text begins, with the length in *length; NULL where it has none
 * of that name. Names have no case; a quoted text is without its quotes. */
const char *sb_parameter(const char *value, const char *name, int *length);

/* The length of a value without its parameters. */
int sb_bare(const char *value);

/* What an Event (RFC 6665, 8.2.1) names: the package, and the id where there is one, as "dialog;id=7". To be freed;
 * NULL when memory is out. */
char *sb_event_of(const char *value);

/* Whether two Events name the same (4.1.3). */
int sb_is_same_event(const char *a, const char *b);

#endif
