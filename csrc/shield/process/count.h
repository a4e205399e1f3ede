/* count.h - counters of the process, by rule; safe in any thread. */
#ifndef SB_SHIELD_COUNT_H
#define SB_SHIELD_COUNT_H

#include "shield.h"

struct shield_counts {
    uint64_t passed[SHIELD_RULES];
    uint64_t answered[SHIELD_RULES];
    uint64_t dropped[SHIELD_RULES];
};

/* Count a verdict, and log it to standard error unless it passed: where it came from and the rule, nothing of
 * the message. (An event that is lost, SHIELD_QUEUE_FULL, came from nowhere.) At most one line in ten seconds after
 * the first five. `now` is in microseconds, on a clock that never jumps. */
void shield_count(struct shield_verdict verdict, const char *host, int port, int64_t now);
void shield_counts(struct shield_counts *counts);

/* What the row of SHIELD_REMEMBERED says as `passed` and `dropped`: how many responses are remembered now, and how many
 * were pushed out. */
void shield_count_remembered(uint64_t remembered, uint64_t pushed_out);

/* Keep the counters in a new file, which replaces one that is there, for others to read: struct shield_file. What
 * was counted before goes with them. 0, or -1 and they stay where they are: no room, or the file is that of another
 * process, which lives. */
int shield_count_into(const char *path);

/* The file: this, and then a row for each rule. Numbers are the machine's own. */
struct shield_file {
    char magic[8];               /* SHIELD_MAGIC */
    int64_t process;
    int64_t rows;
};

#define SHIELD_MAGIC "sbshld1"

struct shield_row {
    char rule[24];
    uint64_t passed, answered, dropped;
};

#endif
