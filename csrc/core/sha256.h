/* sha256.h - SHA-256 (FIPS 180-4), for digest authentication (RFC 8760). Sofia-SIP has MD5 alone. */
#ifndef SB_SHA256_H
#define SB_SHA256_H

#include <stddef.h>

enum { SB_SHA256_HEX = 65 };

/* The hash of some octets as lower-case hexadecimal digits, NUL-terminated. */
void sb_sha256_hex(const void *octets, size_t length, char hex[SB_SHA256_HEX]);

#endif
