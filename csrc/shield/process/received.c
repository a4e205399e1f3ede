/* received.c - see received.h. */
#include "received.h"

#include <stdio.h>

static __thread struct shield_origin noted;
static __thread int is_noted;

void shield_note_origin(const char *host, int port, enum shield_transport transport, int64_t time_us)
{
    snprintf(noted.host, sizeof noted.host, "%s", host);
    noted.port = port;
    noted.transport = transport;
    noted.time_us = time_us;
    is_noted = 1;
}

int shield_take_origin(struct shield_origin *origin)
{
    if (!is_noted)
        return 0;
    *origin = noted;
    is_noted = 0;
    return 1;
}
