/* dialogs.h - which of the library's dialogs are of the call of a request. */
#ifndef SB_EXOSIP_DIALOGS_H
#define SB_EXOSIP_DIALOGS_H

/* See `struct sb_backend`. */
void exo_dialog_made(const void *dialog);
void exo_dialog_gone(const void *dialog);
int exo_is_other_call(const void *dialog, const void *request);

/* There are no dialogs any more. */
void exo_forget_dialogs(void);

#endif
