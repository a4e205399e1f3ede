/* service.h - what the preloaded shield offers to the rest of its process: a symbol, looked up with
 * dlsym(). */
#ifndef SB_SHIELD_SERVICE_H
#define SB_SHIELD_SERVICE_H

#include <sys/time.h>

#include "count.h"
#include "limit.h"
#include "passage.h"
#include "received.h"

#define SHIELD_SERVICE_SYMBOL "sipbridge_shield_10" /* increase it when anything below changes, or enum shield_rule */

/* A probe: libeXosip2 ignores a datagram as short as this, and the shield swallows it. */
enum { SHIELD_PROBE_LENGTH = 5 };

typedef void shield_end_early(void *transaction, int is_memorable);
typedef void shield_time_left(void *osip, struct timeval *left);
typedef int shield_between_turns(void *osip, shield_time_left *time_left);
typedef void shield_note_dialog(const void *dialog);
typedef int shield_is_other_call(const void *dialog, const void *request);

struct shield_service {
    /* Screen what the shared object receives that holds this function. 0, or -1 when there is none. */
    int (*attach)(const void *function);
    /* From now on swallow this datagram once; probe_has_come() tells whether it came. */
    void (*expect_probe)(const char *octets);
    int (*probe_has_come)(void);
    void (*counts)(struct shield_counts *counts);
    void (*limit)(enum shield_kind kind, double rate, double burst);
    double (*limit_now)(enum shield_kind kind);
    /* For an endpoint that is to be opened: from now on, where responses are remembered, call these functions; NULL for
     * none.
     *
     * end_early() is called with each transaction that libosip2 has made, in the thread that makes it. It has the
     * transaction end as soon as it has its final response. `is_memorable`: the response will be sent again if the
     * request is repeated, if this is a server transaction that is no INVITE's.
     *
     * between_turns() is called by the library's thread when it is about to wait for something to do, with what tells
     * how long it may wait for its timers. It returns the most milliseconds that the library may wait. */
    void (*hasten)(shield_end_early *end_early, shield_between_turns *between_turns);
    /* The same: made() is called with each dialog that libosip2 has made, gone() before it frees one, or what it could
     * not make whole. is_other_call() tells of a dialog and a request that their Call-IDs differ, sooner than libosip2
     * does. With 0 that is asked. */
    void (*tell_dialogs)(shield_note_dialog *made, shield_note_dialog *gone, shield_is_other_call *is_other_call);
    int (*take_origin)(struct shield_origin *origin);
    /* From now on call this with each message that the library is to get, before it gets it, and with each one that it
     * sends, before it is sent; NULL: none. Not with what the shield keeps from it, nor with its own answers. It is called
     * in the thread that receives or sends, which may have locked the library. */
    void (*tell_passages)(shield_note_passage *note);
    /* An endpoint was closed: its responses are not those of the next one. */
    void (*forget)(void);
};

typedef const struct shield_service *shield_service_function(void);

#endif
