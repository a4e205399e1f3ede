/* search.h - between dns.c, which asks and waits, and search.c, which knows what to ask for. */
#ifndef SB_DNS_SEARCH_H
#define SB_DNS_SEARCH_H

/* c-ares 1.28 and newer calls these functions deprecated; older ones have no others. */
#define CARES_NO_DEPRECATED
#include <ares.h>

#include <stdint.h>

#include "dns.h"
#include "records.h"

/* A channel, with the name servers that were configured when it was made. */
struct exo_channel {
    ares_channel ares; /* NULL: there is none */
    int searches;      /* how many searches use it */
    int closing;       /* it is being closed: no more questions, no results */
    int64_t since_ms;  /* when it was made, or retired */
};

/* A search: the questions that are asked for one host. */
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
    char address[EXO_ADDRESS_SIZE]; /* the best address so far, or "" */
    int is_over;                    /* it has no question on its way */
    void (*again)(struct exo_search *search); /* the question to ask again, or NULL, */
    int64_t again_ms;               /* and when */
    int repeated;                   /* how often it asked again, */
};

/* NULL when memory is out. */
struct exo_search *exo_search_new(const struct exo_dns_config *config, struct exo_channel *channel, const char *host,
                                  int port);
void exo_search_free(struct exo_search *search);
/* Ask the first question. c-ares' callbacks ask the others. */
void exo_search_start(struct exo_search *search);
/* Ask again if it is time. Returns the milliseconds until it is; -1: there is nothing to ask again. */
int exo_search_go_on(struct exo_search *search, int64_t now);

#endif
