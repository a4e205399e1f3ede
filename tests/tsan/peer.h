/* peer.h - a SIP peer that answers whatever comes, and calls. It says things at awkward times. */
#ifndef PEER_H
#define PEER_H

/* Start it on a UDP port of 127.0.0.1 that the system chooses. Its requests go to `port`. Returns its port. */
int peer_start(int port);

/* It places no more calls, but still answers. */
void peer_rest(void);
void peer_stop(void);

/* How many requests and responses it has taken. */
long peer_taken(void);

#endif
