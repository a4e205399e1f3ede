/* dialogs.c - see dialogs.h.
 *
 * The library asks of a request and each of its dialogs whether they belong together: with ten thousand calls that is
 * ten thousand times for each request. The Call-ID that tells most of them apart is elsewhere in memory for each. So the
 * dialogs are known by their Call-ID here: those of the request's are looked up once, and for each dialog that the
 * library asks of, it is enough to see whether it is one of these.
 */
#include "dialogs.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"

#include <osip2/osip_dialog.h>

enum {
    MOST_OCTETS = 256, /* of a Call-ID that is looked up, with its zero */
    MOST_DIALOGS = 4   /* of one Call-ID: more than one if requests come back here, or a call forks */
};

/* The dialogs of a Call-ID. */
struct known {
    char *call_id;
    const void **dialogs;
    int count;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void *root;            /* of struct known */
static int is_incomplete;     /* memory was out: a dialog may be missing */
static volatile unsigned age; /* of all that is above: it changes with it */

/* What this thread has looked up last. */
struct answer {
    int is_valid;
    unsigned age;
    char number[MOST_OCTETS], host[MOST_OCTETS]; /* the two parts of the Call-ID; "" is no host */
    const void *dialogs[MOST_DIALOGS];
    int count; /* -1: unknown, each has to be compared */
};

static __thread struct answer last;

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct known *)a)->call_id, ((const struct known *)b)->call_id);
}

/* ------------------------------------------------------------------------------------------------------
 * Dialogs. Under the mutex.
 */
static void known_free(struct known *known)
{
    free(known->call_id);
    free(known->dialogs);
    free(known);
}

static struct known *find(const char *call_id)
{
    struct known wanted = {(char *)call_id, NULL, 0}, **node = tfind(&wanted, &root, compare);
    return node == NULL ? NULL : *node;
}

/* NULL: memory is out. */
static struct known *find_or_add(const char *call_id)
{
    struct known *known = find(call_id);
    if (known != NULL)
        return known;
    known = calloc(1, sizeof *known);
    if (known == NULL)
        return NULL;
    known->call_id = strdup(call_id);
    if (known->call_id != NULL && tsearch(known, &root, compare) != NULL)
        return known;
    known_free(known);
    return NULL;
}

static void forget(struct known *known)
{
    tdelete(known, &root, compare);
    known_free(known);
}

static int add(const char *call_id, const void *dialog)
{
    struct known *known = find_or_add(call_id);
    const void **larger = known == NULL ? NULL : realloc(known->dialogs, (known->count + 1) * sizeof *larger);
    if (larger == NULL) {
        if (known != NULL && known->count == 0)
            forget(known);
        return 0;
    }
    known->dialogs = larger;
    known->dialogs[known->count++] = dialog;
    return 1;
}

static void take(struct known *known, const void *dialog)
{
    int i;
    for (i = 0; i < known->count && known->dialogs[i] != dialog; i++)
        ;
    if (i == known->count)
        return;
    known->dialogs[i] = known->dialogs[--known->count];
    if (known->count == 0)
        forget(known);
}

static const char *call_id_of(const void *dialog)
{
    return dialog == NULL ? NULL : ((const osip_dialog_t *)dialog)->call_id;
}

void exo_dialog_made(const void *dialog)
{
    const char *call_id = call_id_of(dialog);
    if (call_id == NULL)
        return; /* none is asked of it */
    pthread_mutex_lock(&mutex);
    age++;
    if (!add(call_id, dialog))
        is_incomplete = 1;
    pthread_mutex_unlock(&mutex);
}

void exo_dialog_gone(const void *dialog)
{
    const char *call_id = call_id_of(dialog);
    struct known *known;
    if (call_id == NULL)
        return;
    pthread_mutex_lock(&mutex);
    age++;
    known = find(call_id);
    if (known != NULL)
        take(known, dialog);
    pthread_mutex_unlock(&mutex);
}

void exo_forget_dialogs(void)
{
    pthread_mutex_lock(&mutex);
    age++;
    while (root != NULL)
        forget(*(struct known **)root);
    is_incomplete = 0;
    pthread_mutex_unlock(&mutex);
}

/* ------------------------------------------------------------------------------------------------------
 * Requests
 */

/* Whether a text is "number@host". */
static int is_call_id(const char *text, const char *number, const char *host)
{
    size_t length = strlen(number);
    if (strncmp(text, number, length) != 0)
        return 0;
    if (host == NULL)
        return text[length] == '\0';
    return text[length] == '@' && strcmp(text + length + 1, host) == 0;
}

/* Look the Call-ID up whose parts are in `last`. Under the mutex. */
static void look_up(void)
{
    char call_id[2 * MOST_OCTETS];
    const struct known *known;
    int i;
    strcpy(call_id, last.number);
    if (last.host[0] != '\0')
        strcat(strcat(call_id, "@"), last.host);
    known = is_incomplete ? NULL : find(call_id);
    last.count = known == NULL ? 0 : known->count;
    if (is_incomplete || last.count > MOST_DIALOGS)
        last.count = -1;
    for (i = 0; i < last.count; i++)
        last.dialogs[i] = known->dialogs[i];
    last.age = age;
    last.is_valid = 1;
}

static int is_last(const char *number, const char *host)
{
    return last.is_valid && last.age == age && strcmp(last.number, number) == 0 && strcmp(last.host, host) == 0;
}

/* Have `last` be the answer for a Call-ID. False: it is too long for that, or it ends with its "@". */
static int is_looked_up(const osip_call_id_t *call_id)
{
    const char *host = call_id->host == NULL ? "" : call_id->host;
    if (call_id->host != NULL && *host == '\0')
        return 0;
    if (is_last(call_id->number, host))
        return 1;
    last.is_valid = 0;
    if (strlen(call_id->number) >= sizeof last.number || strlen(host) >= sizeof last.host)
        return 0;
    strcpy(last.number, call_id->number);
    strcpy(last.host, host);
    pthread_mutex_lock(&mutex);
    look_up();
    pthread_mutex_unlock(&mutex);
    return 1;
}

int exo_is_other_call(const void *dialog, const void *request)
{
    const osip_call_id_t *theirs = request == NULL ? NULL : ((const osip_message_t *)request)->call_id;
    const char *call_id;
    int i;
    if (dialog == NULL || theirs == NULL || theirs->number == NULL)
        return 0;
    if (is_looked_up(theirs) && last.count >= 0) {
        for (i = 0; i < last.count && last.dialogs[i] != dialog; i++)
            ;
        return i == last.count;
    }
    call_id = call_id_of(dialog);
    return call_id != NULL && !is_call_id(call_id, theirs->number, theirs->host);
}
