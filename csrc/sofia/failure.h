/* failure.h - why a request could not be sent, from what Sofia-SIP logs. */
#ifndef SB_SOFIA_FAILURE_H
#define SB_SOFIA_FAILURE_H

#include <stdarg.h>

#include "library.h"

void sof_hear_failure(const char *format, va_list arguments); /* a line of the library's log */
/* Why the request was not sent for which nta made this response up, until the next call; NULL when it did not say. */
const char *sof_take_failure(const sip_t *sip);

#endif
