/* datagram.h - what fits into a datagram. */
#ifndef SB_DATAGRAM_H
#define SB_DATAGRAM_H

#include "engine.h"

/* Whether the content fits into a UDP datagram, together with what an engine adds: SB_OK or SB_ETOOBIG. */
int sb_check_datagram(const sb_content *content);

#endif
