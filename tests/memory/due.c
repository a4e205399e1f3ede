/* due.c - what is due, against a search through all records, on a clock of its own that also jumps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "due.h"
#include "record.h"

enum { RECORDS = 300, STEPS = 30000 };

static struct sb_object objects[RECORDS];
static struct exo_record records[RECORDS];

static void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static int count_due(int64_t now)
{
    int i, count = 0;
    for (i = 0; i < RECORDS; i++)
        count += records[i].due_ms != 0 && records[i].due_ms <= now;
    return count;
}

/* Some of what was found is set anew, as handlers do, and some is left as it is. */
static void handle(int64_t now, const struct exo_due *due)
{
    int seen[RECORDS] = {0}, i, at;
    for (i = 0; i < due->count; i++) {
        at = (int)due->found[i].id - 1;
        require(!seen[at]++, "twice");
        require(records[at].due_ms != 0 && records[at].due_ms <= now, "not due");
        if (rand() % 8 != 0)
            exo_set_due(&records[at], rand() % 2 == 0 ? 0 : now + rand() % 200000);
    }
}

static void look(int64_t now)
{
    struct exo_due due;
    int room = (int)(sizeof due.found / sizeof *due.found), wanted = count_due(now);
    exo_find_due(now, &due);
    require(due.count == (wanted < room ? wanted : room), "not all of them");
    handle(now, &due);
}

int main(void)
{
    int64_t now = 1000000;
    int i;
    for (i = 0; i < RECORDS; i++) {
        objects[i].id = i + 1;
        objects[i].kind = SB_KIND_CALL;
        records[i].object = &objects[i];
    }
    for (i = 0; i < STEPS; i++) {
        int64_t at = now + rand() % 200000 - 20000;
        exo_set_due(&records[rand() % RECORDS], rand() % 5 == 0 ? 0 : at);
        now += rand() % 1000 == 0 ? 500000 : rand() % 200;
        look(now);
    }
    exo_forget_due();
    require(count_due(INT64_MAX) == 0, "not forgotten");
    return 0;
}
