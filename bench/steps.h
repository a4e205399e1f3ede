/* steps.h - what the bare programs tell of each step of their work, as facade_register.py does: a line of JSON. */
#include <stdio.h>

#include "usage.h"

enum { PARALLEL = 100 }; /* requests under way at once */

struct steps {
    int sent, done, failed;
    double began, began_cpu;
};

static long rss_kb(void)
{
    char line[128];
    long size = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        sscanf(line, "VmRSS: %ld", &size);
    if (status != NULL)
        fclose(status);
    return size;
}

static void begin_step(struct steps *steps)
{
    steps->sent = steps->done = steps->failed = 0;
    steps->began = now();
    steps->began_cpu = cpu_seconds();
}

static void tell_step(const struct steps *steps, const char *what)
{
    printf("{\"what\": \"%s\", \"done\": %d, \"failed\": %d, \"rss_kb\": %ld, \"seconds\": %.6f, \"cpu\": %.6f}\n", what,
           steps->done, steps->failed, rss_kb(), now() - steps->began, cpu_seconds() - steps->began_cpu);
    fflush(stdout);
}
