/* other_call.h - requests that cannot be of a dialog. */
#ifndef SB_EXOSIP_OTHER_CALL_H
#define SB_EXOSIP_OTHER_CALL_H

/* See `struct sb_backend`. */
int exo_is_other_call(const void *dialog, const void *request);

#endif
