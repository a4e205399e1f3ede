/* last.h - the messages that were received last, in a file that outlives this process: whoever finds it dead reads there
 * what killed it. One for a process. From any thread. */
#ifndef SB_LAST_H
#define SB_LAST_H

#include <stddef.h>
#include <stdint.h>

enum { SB_LAST_SLOTS = 4, SB_LAST_PEER = 64, SB_LAST_OCTETS = 65536 };

/* The file is so many of these, one after the other. Numbers are the machine's own. sipbridge/_engine/last_received.py
 * reads it. */
struct sb_last_slot {
    uint64_t number;           /* from 1 on, one more for each message; 0: there is none, or not all of it yet */
    int64_t time_us;           /* when it was received: microseconds since 1970, UTC */
    uint64_t length;
    char peer[SB_LAST_PEER];   /* "host:port" */
    char octets[SB_LAST_OCTETS];
};

/* Keep them in this file from now on, which has its size, and whose blocks are all there; the descriptor may be closed
 * then. Below 0: in none. 0, or -1 and nothing has changed. */
int sb_last_into(int descriptor);

/* A message was received. Nothing happens where there is no file, or the message is too long. */
void sb_last_add(int64_t time_us, const char *peer, const char *octets, size_t length);

#endif
