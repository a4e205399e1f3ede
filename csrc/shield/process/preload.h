/* preload.h - what the parts of the preloaded shield share: preload.c, dialogs.c, events.c, stream.c and
 * transactions.c. */
#ifndef SB_SHIELD_PRELOAD_H
#define SB_SHIELD_PRELOAD_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "service.h"
#include "shield.h"

#define EXPORTED __attribute__((visibility("default")))

enum { PRELOAD_ROUNDS = 64 }; /* one call drops no more messages than this, so that it returns however many come */

/* Where a message came from, or goes to, and when. */
struct preload_source {
    struct sockaddr_storage address;
    socklen_t size;
    char host[INET6_ADDRSTRLEN];
    int port;
    int64_t time_us; /* since 1970, UTC */
};

/* preload.c -------------------------------------------------------------------------------------- */

/* Whether a call with this return address is to be screened. */
int preload_is_screened(const void *caller);
/* SOCK_DGRAM or SOCK_STREAM for an Internet socket, 0 for any other. errno is kept. */
int preload_type_of(int fd);
int64_t preload_microseconds(void); /* microseconds, on a clock that never jumps */
/* The C library's own function of that name. */
void *preload_next(const char *name);
/* libosip2's own function of that name, for this caller, who has it. */
void *preload_find(const char *name, const void *caller);

/* Declare `function`, libosip2's own of that name, in the function that takes its place: it is looked for once. */
#define PRELOAD_FIND(type, function, name)                                     \
    static type *volatile function##_kept;                                     \
    type *function = function##_kept;                                          \
    if (function == NULL) {                                                    \
        *(void **)&function = preload_find(name, __builtin_return_address(0)); \
        function##_kept = function;                                            \
    }

/* Whether the library may have this message; if not, it is answered here, or dropped. `length` is the message's, `room`
 * that of its buffer. */
int preload_may_pass(int fd, const char *octets, size_t length, size_t room, struct preload_source *source,
                     enum shield_transport transport);
/* Set its host and port, and the time, which is now. */
void preload_name_source(struct preload_source *source);
/* Note a source that has its name: the library gets a message from there now. */
void preload_note_source(const struct preload_source *source, enum shield_transport transport);
/* Tell of a message from there, which the library gets now, or of one that it sends there. */
void preload_note_passage(const struct preload_source *other, int outgoing, enum shield_transport transport,
                          const char *octets, size_t length);
/* Count and log a verdict on what is no message. */
void preload_refuse(struct preload_source *source, enum shield_rule rule);

/* transactions.c --------------------------------------------------------------------------------- */

/* Whether a message repeats a request: its response was sent again, which was counted, and the library is not to see
 * it. */
int preload_repeats(int fd, const struct shield_message *message, const struct preload_source *source,
                    enum shield_transport transport, int64_t now);
/* The library gets this message: its response is expected. */
void preload_passes(const struct shield_message *message, const struct preload_source *source,
                    enum shield_transport transport, int64_t now);
/* service.h: hasten(), forget(). */
void preload_hasten(shield_end_early *end_early, shield_between_turns *between_turns);
void preload_forget(void);
/* Call it first. */
void preload_transactions_begin(void);

/* dialogs.c -------------------------------------------------------------------------------------- */

/* service.h: tell_dialogs(). */
void preload_tell_dialogs(shield_note_dialog *made, shield_note_dialog *gone, shield_is_other_call *is_other_call);

/* stream.c --------------------------------------------------------------------------------------- */

/* recv() on a stream, with not more than one whole message in it. */
ssize_t preload_stream_receive(int fd, char *buffer, size_t size, int flags);

/* Call it first. */
void preload_stream_begin(void);

#endif
