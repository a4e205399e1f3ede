/* engines.h - the engines of the process: numbered, and kept while somebody is inside one. */
#ifndef SB_ENGINES_H
#define SB_ENGINES_H

#include "core_private.h"

struct sb_engine {
    int id;
    int port;
    int users;   /* calls of the contract that are inside right now */
    int closing;
    int shielded; /* what sb_shielded() says */
    struct sb_engine *next;
    struct sb_core core;
};

/* The engine, kept until sb_engine_leave(); NULL when there is none or it is closing. */
struct sb_engine *sb_engine_enter(int id);
void sb_engine_leave(struct sb_engine *engine);

/* Number it, so that it can be entered. Returns its number. */
int sb_engine_insert(struct sb_engine *engine);
/* Mark it as closing, so that nobody enters any more. NULL when somebody else did, or there is none. */
struct sb_engine *sb_engine_claim(int id);
/* Take out one that is claimed, once everybody has left. */
void sb_engine_remove(struct sb_engine *engine);

#endif
