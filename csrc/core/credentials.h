/* credentials.h - the users and passwords for digest challenges (22) that an engine was told, a list of its own. A password
 * is wiped before its memory is given back. */
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

/* Where in the list the one of this realm and user is, or the end of it. */
struct sb_credential **sb_credential_find(struct sb_credential **list, const char *realm, const char *user);

void sb_credentials_free(struct sb_credential **list); /* all of them; it is empty afterwards */

#endif
