/* failure.h - finds out from Sofia-SIP's log why a request could not be sent. */
#ifndef SB_SOFIA_FAILURE_H
#define SB_SOFIA_FAILURE_H

#include <stdarg.h>

#include "library.h"

void sof_hear_failure(const char *format, va_list arguments); /* a line of the library's log */
/* For a response that nta made up: why the request was not sent. Valid until the next call; NULL when the library did
 * not say. */
const char *sof_take_failure(const sip_t *sip);

#endif
