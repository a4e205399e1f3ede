/* credentials.h - a list of users and passwords for digest challenges (22). Passwords are wiped before their memory is
 * freed. */
#ifndef SB_CREDENTIALS_H
#define SB_CREDENTIALS_H

struct sb_credential {
    char *realm; /* NULL: any */
    char *user;
    char *password;
    struct sb_credential *next;
};

/* NULL when memory is out. realm may be NULL. */
struct sb_credential *sb_credential_new(const char *realm, const char *user, const char *password);
void sb_credential_free(struct sb_credential *credential); /* NULL is fine */

/* Find the link to the entry of this realm and user, or the link at the end of the list. */
struct sb_credential **sb_credential_find(struct sb_credential **list, const char *realm, const char *user);

void sb_credentials_free(struct sb_credential **list); /* all of them; it is empty afterwards */

#endif
