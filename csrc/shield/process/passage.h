/* passage.h - the messages that pass between the library and its sockets, told to somebody. */
#ifndef SB_SHIELD_PASSAGE_H
#define SB_SHIELD_PASSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "shield.h"

struct shield_passage {
    int outgoing;
    enum shield_transport transport;
    const char *host;   /* of the other side, as inet_ntop() writes it */
    int port;           /* 0: nobody knows the other side, whose connection is gone */
    int64_t time_us;    /* microseconds since 1970, UTC */
    const char *octets; /* as they are on the wire */
    size_t length;
};

typedef void shield_note_passage(const struct shield_passage *passage);

/* From now on call this with each message, before the library gets it, or before it is sent; NULL: none. */
void shield_tell_passages(shield_note_passage *note);

/* Whether somebody is told. */
int shield_passages_are_told(void);

/* A message passes. A keep-alive is none. */
void shield_passed(const struct shield_passage *passage);

#endif
