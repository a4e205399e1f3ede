/* shield_count.c - counters by rule, and the line in the log. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shield.h"

enum { FIRST_LINES = 5, LINE_EVERY = 10000000 }; /* lines at once; then microseconds between two */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct shield_counts counted;
static int lines;
static int64_t last_line;
static unsigned long unlogged;

/* Whether this one gets a line; `left_out`: how many did not since the last. Under the mutex. */
static int may_log(int64_t now, unsigned long *left_out)
{
    if (lines >= FIRST_LINES && now - last_line < LINE_EVERY) {
        unlogged++;
        return 0;
    }
    lines++;
    last_line = now;
    *left_out = unlogged;
    unlogged = 0;
    return 1;
}

static void log_line(struct shield_verdict verdict, const char *host, int port, unsigned long left_out)
{
    char line[200];
    int length = snprintf(line, sizeof line, "sipbridge: shield: %s from %s:%d: %s",
                          verdict.action == SHIELD_DROP ? "dropped" : "answered", host, port,
                          shield_rule_name(verdict.rule));
    if (verdict.action == SHIELD_ANSWER)
        length += snprintf(line + length, sizeof line - (size_t)length, " (%d)", verdict.status);
    if (left_out > 0)
        length += snprintf(line + length, sizeof line - (size_t)length, "; %lu more since the last line",
                           left_out);
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)length) < 0)
        return; /* nobody reads it */
}

void shield_count(struct shield_verdict verdict, const char *host, int port, int64_t now)
{
    unsigned long left_out = 0;
    int logged = 0;
    pthread_mutex_lock(&mutex);
    if (verdict.action == SHIELD_PASS)
        counted.passed++;
    else if (verdict.action == SHIELD_ANSWER)
        counted.answered[verdict.rule]++;
    else
        counted.dropped[verdict.rule]++;
    if (verdict.action != SHIELD_PASS && verdict.rule != SHIELD_OWN_ACK)
        logged = may_log(now, &left_out);
    pthread_mutex_unlock(&mutex);
    if (logged)
        log_line(verdict, host, port, left_out);
}

void shield_counts(struct shield_counts *counts)
{
    pthread_mutex_lock(&mutex);
    *counts = counted;
    pthread_mutex_unlock(&mutex);
}
