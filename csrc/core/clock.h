/* clock.h - a clock that never jumps. */
#ifndef SB_CLOCK_H
#define SB_CLOCK_H

#include <stdint.h>

/* The time on this clock, in milliseconds. */
int64_t sb_monotonic_ms(void);

#endif
