/* clock.h - the time. */
#ifndef SB_CLOCK_H
#define SB_CLOCK_H

#include <stdint.h>

/* Milliseconds on a clock that never jumps. */
int64_t sb_monotonic_ms(void);

/* Microseconds since 1970, UTC: what an event has as its time. */
int64_t sb_wall_clock_us(void);

#endif
