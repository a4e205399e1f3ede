/* exosip_double.h - the controls of the checking double.
 *
 * Environment, read by eXosip_init():
 *   EXOSIP_DOUBLE_FAIL=function[:n[:null]]  the n-th call (default: the first) of that function fails; null:
 *                                           it returns 0 and gives no message
 *   EXOSIP_DOUBLE_ABORT=0                   count broken rules instead of calling abort() on the first
 *   EXOSIP_DOUBLE_CRASH=1                   die of a request that libeXosip2 3.6.0 dies of: any but an ACK whose Via,
 *                                           From, To or CSeq is missing or empty
 *   EXOSIP_DOUBLE_DIE_OF=text               die of a message that has this text, before it is parsed
 */
#ifndef EXOSIP_DOUBLE_H
#define EXOSIP_DOUBLE_H

/* As the environment does it. NULL: no call fails. */
void exosip_double_fail(const char *function, int nth, int null);
/* Whether the call that was to fail has come. */
int exosip_double_failed(void);
/* How often it was called since exosip_double_fail(), for the function named there. */
int exosip_double_calls(void);

/* The number that the next call or dialog gets: they go up to 32767 and begin anew, whoever still has one. */
void exosip_double_next_id(int id);

/* The rules broken so far; the first one's text, or "". */
int exosip_double_complaints(void);
const char *exosip_double_first_complaint(void);
void exosip_double_abort_on_complaint(int yes);

#endif
