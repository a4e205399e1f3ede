/* count.c - counters by rule, and the line in the log. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include "count.h"

enum { FIRST_LINES = 5, LINE_EVERY = 10000000 }; /* how many lines go out at once; then, microseconds between two */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct shield_row here[SHIELD_RULES];
static struct shield_row *rows = here; /* or in the mapped file */
static int lines;
static int64_t last_line;
static unsigned long unlogged;

/* Whether this verdict gets a line. `left_out`: how many got none since the last line. Under the mutex. */
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
    int length = verdict.rule == SHIELD_QUEUE_FULL
                     ? snprintf(line, sizeof line, "sipbridge: shield: lost an event of the library: queue-full")
                     : snprintf(line, sizeof line, "sipbridge: shield: %s from %s:%d: %s",
                                verdict.action == SHIELD_DROP ? "dropped" : "answered", host, port,
                                shield_rule_name(verdict.rule));
    if (verdict.action == SHIELD_ANSWER)
        length += snprintf(line + length, sizeof line - (size_t)length, " (%d)", verdict.status);
    if (left_out > 0)
        length += snprintf(line + length, sizeof line - (size_t)length, "; %lu more since the last line",
                           left_out);
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)length) < 0)
        return; /* nobody reads standard error */
}

void shield_count(struct shield_verdict verdict, const char *host, int port, int64_t now)
{
    unsigned long left_out = 0;
    int logged = 0;
    pthread_mutex_lock(&mutex);
    if (verdict.action == SHIELD_PASS)
        rows[SHIELD_NONE].passed++;
    else if (verdict.action == SHIELD_ANSWER)
        rows[verdict.rule].answered++;
    else
        rows[verdict.rule].dropped++;
    if (verdict.action != SHIELD_PASS && verdict.rule != SHIELD_OWN_ACK && verdict.rule != SHIELD_REMEMBERED)
        logged = may_log(now, &left_out);
    pthread_mutex_unlock(&mutex);
    if (logged)
        log_line(verdict, host, port, left_out);
}

void shield_counts(struct shield_counts *counts)
{
    int rule;
    pthread_mutex_lock(&mutex);
    for (rule = 0; rule < SHIELD_RULES; rule++) {
        counts->passed[rule] = rows[rule].passed;
        counts->answered[rule] = rows[rule].answered;
        counts->dropped[rule] = rows[rule].dropped;
    }
    pthread_mutex_unlock(&mutex);
}

void shield_count_remembered(uint64_t remembered, uint64_t pushed_out)
{
    pthread_mutex_lock(&mutex);
    rows[SHIELD_REMEMBERED].passed = remembered;
    rows[SHIELD_REMEMBERED].dropped = pushed_out;
    pthread_mutex_unlock(&mutex);
}

/* Whether a living process keeps its counters in this file. */
static int is_taken(const char *path)
{
    struct shield_file file;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, &file, sizeof file);
    if (fd >= 0)
        close(fd);
    return got == (ssize_t)sizeof file && memcmp(file.magic, SHIELD_MAGIC, sizeof file.magic) == 0 &&
           file.process > 0 && file.process != getpid() &&
           (kill((pid_t)file.process, 0) == 0 || errno == EPERM);
}

/* Make a file of that size that all may read; never use one that somebody else has put there. NULL when that fails.
 *
 * All of its blocks are allocated now. In a file with holes, a full disk would kill the process.
 */
static struct shield_file *map_new(const char *path, size_t size)
{
    void *mapped = MAP_FAILED;
    int fd;
    if (is_taken(path))
        return NULL;
    unlink(path);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return NULL;
    if (posix_fallocate(fd, 0, (off_t)size) == 0)
        mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED)
        unlink(path);
    return mapped == MAP_FAILED ? NULL : mapped;
}

int shield_count_into(const char *path)
{
    struct shield_file *file = map_new(path, sizeof *file + sizeof here);
    int rule;
    if (file == NULL)
        return -1;
    memcpy(file->magic, SHIELD_MAGIC, sizeof file->magic);
    file->process = getpid();
    file->rows = SHIELD_RULES;
    pthread_mutex_lock(&mutex);
    memcpy(file + 1, rows, sizeof here);
    rows = (struct shield_row *)(file + 1);
    for (rule = 0; rule < SHIELD_RULES; rule++)
        snprintf(rows[rule].rule, sizeof rows[rule].rule, "%s", shield_rule_name((enum shield_rule)rule));
    pthread_mutex_unlock(&mutex);
    return 0; /* the mapping stays as long as the process */
}
