/* datagram.c - see datagram.h. */
#include "datagram.h"

#include <string.h>

/* RFC 768 over IPv4: what one datagram carries. */
enum { MAX_DATAGRAM = 65507 };
/* What an engine adds at most: the start line, Via, From, To, Contact, credentials. */
enum { OWN_HEADERS = 5000 };

int sb_check_datagram(const sb_content *content)
{
    size_t i, size = content->body_len + OWN_HEADERS;
    for (i = 0; i < content->header_count; i++)
        size += strlen(content->headers[i].name) + strlen(content->headers[i].value) + 4;
    return size > MAX_DATAGRAM ? SB_ETOOBIG : SB_OK;
}
