/* flight.h - the last messages that passed, in a ring of a fixed size: what a flight recorder has. From any thread.
 *
 * A message is a record there, as docs/worker-protocol.md describes it. The oldest go when there is no room. */
#ifndef SB_FLIGHT_H
#define SB_FLIGHT_H

#include <stddef.h>
#include <stdint.h>

struct sb_flight;

/* A ring for so many octets, or NULL. It takes memory as it fills. */
struct sb_flight *sb_flight_new(size_t size);
void sb_flight_free(struct sb_flight *flight);

/* Add a message; time_us: microseconds since 1970. One that is larger than the ring is left out. */
void sb_flight_add(struct sb_flight *flight, uint64_t time_us, int outgoing, const char *peer, const char *octets,
                   size_t length);

/* The records, the oldest first, in memory that is to be freed by free(); with `take` none of them stays. Sets *length.
 * NULL when there is none, or no memory. */
char *sb_flight_records(struct sb_flight *flight, int take, size_t *length);

#endif
