/* probe.c - no part of an engine: setup.py compiles and runs it to see that the libeXosip2 and the libosip2 that
 * were found belong together, and that sipbridge was ever run with them. Where it is not so it says why, and fails. */
#include "library.h"

#include <stdio.h>
#include <string.h>

#ifdef __linux__
#include <link.h>
#endif

static const char REQUEST[] = "OPTIONS sip:bob@example.com SIP/2.0\r\n"
                              "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n"
                              "From: <sip:alice@example.com>;tag=1\r\n"
                              "To: <sip:bob@example.com>\r\n"
                              "Call-ID: probe@192.0.2.1\r\n"
                              "CSeq: 7 OPTIONS\r\n"
                              "Contact: <sip:alice@192.0.2.1>\r\n"
                              "Subject: probe\r\n"
                              "Content-Length: 0\r\n\r\n";

/* Read a message as the engine does: through the structs that the headers declare. */
static int is_read(const osip_message_t *message)
{
    return message->sip_method != NULL && strcmp(message->sip_method, "OPTIONS") == 0 && message->cseq != NULL &&
           strcmp(message->cseq->number, "7") == 0 && message->call_id != NULL &&
           strcmp(message->call_id->host, "192.0.2.1") == 0 && osip_list_size(&message->contacts) == 1 &&
           osip_list_size(&message->headers) == 1 && osip_list_size(&message->bodies) == 0;
}

static int parses(void)
{
    osip_message_t *message = NULL; /* freed when the program ends */
    return parser_init() == 0 && osip_message_init(&message) == 0 &&
           osip_message_parse(message, REQUEST, sizeof REQUEST - 1) == 0 && is_read(message);
}

#ifdef __linux__
/* Find the libosip2 that are loaded; the first two are enough. */
static int look(struct dl_phdr_info *info, size_t size, void *data)
{
    const char **names = data, *file = strrchr(info->dlpi_name, '/');
    (void)size;
    if (file == NULL || strncmp(file, "/libosip2.so", 12) != 0)
        return 0;
    names[names[0] != NULL] = info->dlpi_name;
    return names[1] != NULL;
}

/* libeXosip2 was built with one, and this with another. */
static int are_two(void)
{
    const char *names[2] = {NULL, NULL};
    dl_iterate_phdr(look, names);
    if (names[1] != NULL)
        printf("two libosip2 at once, libeXosip2's own and another: %s, %s\n", names[0], names[1]);
    return names[1] != NULL;
}
#else
static int are_two(void)
{
    return 0;
}
#endif

static int is_of(const char *line)
{
    size_t length = strlen(line);
    const char *version = eXosip_get_version();
    return strncmp(version, line, length) == 0 && version[length] == '.';
}

int main(void)
{
    if (!is_of("3.3") && !is_of("3.6") && !is_of("5.3")) {
        printf("sipbridge was run with libeXosip2 3.3, 3.6 and 5.3 alone, and this is %s\n", eXosip_get_version());
        return 1;
    }
    if (!is_of(SB_EXOSIP_LINE)) {
        printf("the headers are of libeXosip2 %s, the library is %s\n", SB_EXOSIP_LINE, eXosip_get_version());
        return 1;
    }
    if (are_two())
        return 1;
    if (!parses()) {
        printf("the headers are those of another libosip2 than the library\n");
        return 1;
    }
    return 0;
}
