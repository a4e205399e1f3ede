/* engines.h - the engines of the process. Each has a number, and is not freed while a call is inside it. */
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

/* Give an engine a number: from now on it can be entered. Returns the number. */
int sb_engine_insert(struct sb_engine *engine);
/* Mark an engine as closing: from now on nobody can enter it. NULL when there is none, or it is closing already. */
struct sb_engine *sb_engine_claim(int id);
/* Wait until everybody has left an engine that is closing, and take it out of the table. */
void sb_engine_remove(struct sb_engine *engine);

#endif
