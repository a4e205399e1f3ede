/* mark.c - see mark.h. */
#include "mark.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "core.h"

static const char NAME[] = "x-sipbridge-origin";

static struct sb_core *volatile mark_core; /* one engine per process: the callback gets no argument of ours */

void exo_mark_for(struct sb_core *core)
{
    mark_core = core;
}

void exo_find_origin(struct sb_origin *origin)
{
    memset(origin, 0, sizeof *origin);
    if (mark_core == NULL || !sb_core_take_origin(mark_core, origin))
        origin->time_us = sb_wall_clock_us();
}

/* Remove the first header of our name, and give it back; NULL when there is none. */
static osip_header_t *take(osip_message_t *message)
{
    osip_header_t *header = NULL;
    int at = osip_message_header_get_byname(message, NAME, 0, &header);
    if (at < 0 || header == NULL)
        return NULL;
    osip_list_remove(&message->headers, at);
    osip_message_force_update(message);
    return header;
}

/* Not osip_message_set_header(), which looks through the headers once more. Without memory nobody knows where the message
 * came from. */
static void add(osip_message_t *message, const char *text)
{
    osip_header_t *header = NULL;
    if (osip_header_init(&header) != 0)
        return;
    header->hname = osip_strdup(NAME);
    header->hvalue = osip_strdup(text);
    if (header->hname == NULL || header->hvalue == NULL || osip_list_add(&message->headers, header, -1) < 0)
        osip_header_free(header);
    else
        osip_message_force_update(message);
}

void exo_mark(osip_message_t *message, const struct sb_origin *origin)
{
    char text[2 * INET6_ADDRSTRLEN + 32];
    osip_header_t *forged;
    while ((forged = take(message)) != NULL)
        osip_header_free(forged);
    snprintf(text, sizeof text, "%lld %d %d %s", (long long)origin->time_us, origin->transport, origin->port,
             origin->transport == 0 ? "-" : origin->host);
    add(message, text);
}

void exo_take_mark(osip_message_t *message, struct sb_origin *origin)
{
    osip_header_t *header = take(message);
    long long time_us = 0;
    memset(origin, 0, sizeof *origin);
    if (header == NULL)
        return;
    if (header->hvalue != NULL &&
        sscanf(header->hvalue, "%lld %d %d %45s", &time_us, &origin->transport, &origin->port, origin->host) == 4)
        origin->time_us = time_us;
    osip_header_free(header);
}
