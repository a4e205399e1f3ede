/* lookup.h - requests that wait until it is known where they go: one thread asks for all of them. */
#ifndef SB_LOOKUP_H
#define SB_LOOKUP_H

#include "engine.h"
#include "avoid.h"
#include "dns.h"

/* A request that waits begins with this struct. Whoever makes it sets host, port and id. */
struct exo_lookup {
    struct exo_lookup *next;
    enum { EXO_LOOKUP_NEW = 0, EXO_LOOKUP_ASKED, EXO_LOOKUP_DONE } progress;
    int given_up;                   /* by the user */
    int64_t since_ms;
    char *host;
    int port;                       /* 0: the URI names none */
    char address[EXO_ADDRESS_SIZE]; /* set when it is taken; "": the host has no address */
    sb_id id;
};

struct exo_resolver;

/* NULL when memory or descriptors are out. `avoid` has to outlive it. */
struct exo_resolver *exo_resolver_new(const sb_config *config, struct exo_avoid *avoid);
/* What still waits is freed. */
void exo_resolver_free(struct exo_resolver *resolver);

/* Begin a lookup. When this returns SB_OK the lookup is the resolver's, until exo_take_lookup() returns it. */
int exo_look_up(struct exo_resolver *resolver, struct exo_lookup *lookup);
/* Nobody wants the lookup of this object any more. */
void exo_lookup_give_up(struct exo_resolver *resolver, sb_id id);
/* Returns a lookup that is over, or NULL. */
struct exo_lookup *exo_take_lookup(struct exo_resolver *resolver);

/* Defined by the one who makes lookups. */
void exo_lookup_free(struct exo_lookup *lookup);

#endif
