/* due.c - see due.h: a wheel of lists. A record is in the list of its time, and a list comes up once in each round: with
 * ten thousand records, those that are not due cost next to nothing, and nothing here can fail.
 */
#include "due.h"

#include "record.h"

enum { LISTS = 1024, STEP_MS = 64 }; /* a round takes 65 s */

/* There is one engine per process. */
static struct exo_record *lists[LISTS];
static int64_t step; /* all before it were looked at */

static struct exo_record **list_of(int64_t at_ms)
{
    int64_t its = at_ms / STEP_MS;
    return &lists[(its < step ? step : its) % LISTS];
}

static void put(struct exo_record *record, struct exo_record **list)
{
    record->next = *list;
    record->here = list;
    if (record->next != NULL)
        record->next->here = &record->next;
    *list = record;
}

static void take(struct exo_record *record)
{
    *record->here = record->next;
    if (record->next != NULL)
        record->next->here = record->here;
}

void exo_set_due(struct exo_record *record, int64_t at_ms)
{
    if (record->due_ms != 0)
        take(record);
    record->due_ms = at_ms;
    if (at_ms != 0)
        put(record, list_of(at_ms));
}

/* Those that are noted go into another list. False: there is no more room. */
static int look(struct exo_record *record, int64_t now, struct exo_record **noted, struct exo_due *due)
{
    enum { ROOM = sizeof due->found / sizeof *due->found };
    struct exo_record *next;
    for (; record != NULL; record = next) {
        next = record->next;
        if (record->due_ms > now)
            continue;
        if (due->count == ROOM)
            return 0;
        due->found[due->count].id = record->object->id;
        due->found[due->count].kind = record->object->kind;
        due->count++;
        take(record);
        put(record, noted);
    }
    return 1;
}

void exo_find_due(int64_t now, struct exo_due *due)
{
    struct exo_record *noted = NULL, *record;
    int64_t last = now / STEP_MS;
    due->count = 0;
    if (last - step >= LISTS)
        step = last - LISTS + 1; /* a whole round */
    while (look(lists[step % LISTS], now, &noted, due) && step < last)
        step++;
    while ((record = noted) != NULL) {
        take(record);
        put(record, &lists[last % LISTS]); /* where the next look begins, or comes to */
    }
}

void exo_forget_due(void)
{
    int i;
    for (i = 0; i < LISTS; i++)
        while (lists[i] != NULL)
            exo_set_due(lists[i], 0);
}
