/* lookup.h - requests that wait until it is known where they go: one thread asks for all of them. */
#ifndef SB_LOOKUP_H
#define SB_LOOKUP_H

#include "engine.h"
#include "avoid.h"
#include "dns.h"

/* What a request that waits begins with. Whoever makes it sets host, port and id. */
struct exo_lookup {
    struct exo_lookup *next;
    enum { EXO_LOOKUP_NEW = 0, EXO_LOOKUP_ASKED, EXO_LOOKUP_DONE } progress;
    int given_up;                   /* by the user */
    int64_t since_ms;
    char *host;
    int port;                       /* 0: the URI names none */
    char address[EXO_ADDRESS_SIZE]; /* once it is taken; "": none */
    sb_id id;
};

struct exo_resolver;

/* NULL when memory or descriptors are out. `avoid` has to outlive it. */
struct exo_resolver *exo_resolver_new(const sb_config *config, struct exo_avoid *avoid);
/* What still waits is freed. */
void exo_resolver_free(struct exo_resolver *resolver);

/* Begin. With SB_OK the lookup is the resolver's until exo_take_lookup() returns it. */
int exo_look_up(struct exo_resolver *resolver, struct exo_lookup *lookup);
/* That of an object is not wanted any more. */
void exo_lookup_give_up(struct exo_resolver *resolver, sb_id id);
/* One that is through, or NULL. */
struct exo_lookup *exo_take_lookup(struct exo_resolver *resolver);

/* By whoever made it. */
void exo_lookup_free(struct exo_lookup *lookup);

#endif
