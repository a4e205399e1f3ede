/* search.h - between dns.c, which asks and waits, and search.c, which knows what to ask for. */
#ifndef SB_DNS_SEARCH_H
#define SB_DNS_SEARCH_H

/* c-ares 1.28 and newer would have everybody use what older ones have not. */
#define CARES_NO_DEPRECATED
#include <ares.h>

#include <stdint.h>

#include "dns.h"
#include "records.h"

/* Name servers as they were configured at some time. */
struct exo_channel {
    ares_channel ares; /* NULL: there is none */
    int searches;      /* that ask them */
    int closing;       /* nothing is asked any more, nobody told */
    int64_t since_ms;  /* when it was made; of a retired one: when it was retired */
};

/* What is asked for one host. */
struct exo_search {
    struct exo_search *next;
    const struct exo_dns_config *config;
    struct exo_channel *channel;
    int64_t until_ms;               /* when it is too late to ask more */
    char *host;
    char name[EXO_DNS_NAME];        /* of the SRV records */
    int port;
    int place, count;               /* of targets */
    struct exo_dns_target *targets; /* NULL: there are no SRV records */
    char address[EXO_ADDRESS_SIZE]; /* the best so far, or "" */
    int is_over;                    /* nothing of it is on the way any more */
    void (*again)(struct exo_search *search); /* the question to ask once more, or NULL; */
    int64_t again_ms;               /* and when */
    int repeated;                   /* how often that was done */
};

/* NULL when memory is out. */
struct exo_search *exo_search_new(const struct exo_dns_config *config, struct exo_channel *channel, const char *host,
                                  int port);
void exo_search_free(struct exo_search *search);
/* Ask the first question. What follows it comes out of c-ares. */
void exo_search_start(struct exo_search *search);
/* Ask once more what has to be, when it is time. Returns how long until then, in milliseconds; -1: nothing has to be. */
int exo_search_go_on(struct exo_search *search, int64_t now);

#endif
