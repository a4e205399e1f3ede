/* service.h - what the preloaded shield offers to the rest of its process: a symbol, looked up with
 * dlsym(). */
#ifndef SB_SHIELD_SERVICE_H
#define SB_SHIELD_SERVICE_H

#include "count.h"
#include "limit.h"

#define SHIELD_SERVICE_SYMBOL "sipbridge_shield_2" /* increase it when anything below changes, or enum shield_rule */

/* A probe: libeXosip2 ignores a datagram as short as this, and the shield swallows it. */
enum { SHIELD_PROBE_LENGTH = 5 };

struct shield_service {
    /* Screen what the shared object receives that holds this function. 0, or -1 when there is none. */
    int (*attach)(const void *function);
    /* From now on swallow this datagram once; probe_has_come() tells whether it came. */
    void (*expect_probe)(const char *octets);
    int (*probe_has_come)(void);
    void (*counts)(struct shield_counts *counts);
    void (*limit)(enum shield_kind kind, double rate, double burst);
    double (*limit_now)(enum shield_kind kind);
};

typedef const struct shield_service *shield_service_function(void);

#endif
