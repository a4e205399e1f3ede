/* records.c - SRV and NAPTR records, read out of an answer of DNS. */
#include "records.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <osipparser2/osip_port.h>

enum {
    HEADER = 12,    /* octets of a message before its question */
    MAX_JUMPS = 64, /* within a name that is compressed */
    CLASS_IN = 1,
    TYPE_SRV = 33,
    TYPE_NAPTR = 35
};

/* An answer that is being read. */
struct answer {
    const unsigned char *begin, *end, *at;
    unsigned left; /* how many records follow, by what the answer says */
};

struct record {
    unsigned type;
    const unsigned char *data, *end;
};

/* ------------------------------------------------------------------------------------------------------
 * Names
 */
static int is_name_octet(unsigned char octet)
{
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') || (octet >= '0' && octet <= '9') ||
           octet == '-' || octet == '_';
}

int exo_dns_is_name(const char *name)
{
    const char *each;
    for (each = name; *each != '\0'; each++)
        if (!is_name_octet((unsigned char)*each) && (*each != '.' || each == name || each[-1] == '.'))
            return 0;
    return each != name && each - name < EXO_DNS_NAME;
}

/* The state of reading a name out of an answer. */
struct reading {
    const unsigned char *at;
    const unsigned char *part;   /* where what is read now begins */
    const unsigned char *behind; /* what follows the name; NULL: it did not jump yet */
    int jumps;
    size_t used;
    int fits;                    /* every octet may be in a host's name */
};

/* Go on where the two octets point to (RFC 1035, 4.1.4): only ever backwards, so that a name ends. */
static int jump(const struct answer *answer, struct reading *reading)
{
    const unsigned char *at = reading->at, *there = answer->begin + ((*at & 0x3f) << 8 | at[1]);
    if (there >= reading->part || ++reading->jumps > MAX_JUMPS)
        return 0;
    if (reading->behind == NULL)
        reading->behind = at + 2;
    reading->at = reading->part = there;
    return 1;
}

/* Take a label, and a dot behind it. */
static int take_label(const struct answer *answer, struct reading *reading, char name[EXO_DNS_NAME])
{
    const unsigned char *at = reading->at;
    size_t i;
    if (*at > 63 || answer->end - at <= *at || reading->used + *at + 2 > EXO_DNS_NAME)
        return 0;
    for (i = 1; i <= *at; i++) {
        reading->fits = reading->fits && is_name_octet(at[i]);
        name[reading->used++] = (char)at[i];
    }
    name[reading->used++] = '.';
    reading->at += *at + 1;
    return 1;
}

/* A name in an answer, from `at` on: what follows it there, or NULL when it is none. "." is the root, and "" what is no
 * name of a host's. */
static const unsigned char *read_name(const struct answer *answer, const unsigned char *at, char name[EXO_DNS_NAME])
{
    struct reading reading = {at, at, NULL, 0, 0, 1};
    while (reading.at < answer->end && *reading.at != 0) {
        if (answer->end - reading.at < 2)
            return NULL;
        if (*reading.at >= 0xc0 ? !jump(answer, &reading) : !take_label(answer, &reading, name))
            return NULL;
    }
    if (reading.at >= answer->end)
        return NULL;
    if (reading.used == 0)
        name[reading.used++] = '.';
    else
        reading.used--; /* the last dot */
    name[reading.fits ? reading.used : 0] = '\0';
    return reading.behind == NULL ? reading.at + 1 : reading.behind;
}

/* ------------------------------------------------------------------------------------------------------
 * Records
 */
static unsigned get16(const unsigned char *octets)
{
    return (unsigned)octets[0] << 8 | octets[1];
}

/* Skip a name and some octets. Returns what follows, or NULL when the answer ends before. */
static const unsigned char *skip(const struct answer *answer, const unsigned char *at, ptrdiff_t octets)
{
    char unused[EXO_DNS_NAME];
    at = read_name(answer, at, unused);
    return at == NULL || answer->end - at < octets ? NULL : at + octets;
}

/* Returns 1, or 0 when this is no answer with records. */
static int begin(struct answer *answer, const unsigned char *octets, int length)
{
    unsigned questions;
    if (octets == NULL || length < HEADER)
        return 0;
    answer->begin = octets;
    answer->end = octets + length;
    answer->at = octets + HEADER;
    answer->left = get16(octets + 6);
    for (questions = get16(octets + 4); questions > 0 && answer->at != NULL; questions--)
        answer->at = skip(answer, answer->at, 4);
    return answer->at != NULL;
}

/* Read the next record. Returns 1, or 0 when there is none. */
static int next(struct answer *answer, struct record *record)
{
    const unsigned char *at;
    ptrdiff_t length;
    while (answer->left > 0) {
        answer->left--;
        at = skip(answer, answer->at, 10);
        if (at == NULL)
            return 0;
        length = (ptrdiff_t)get16(at - 2);
        if (length > answer->end - at)
            return 0;
        answer->at = at + length;
        record->type = get16(at - 10);
        record->data = at;
        record->end = at + length;
        if (get16(at - 8) == CLASS_IN)
            return 1;
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------------
 * SRV
 */
static int by_priority(const void *a, const void *b)
{
    const struct exo_dns_target *left = a, *right = b;
    return left->priority < right->priority ? -1 : left->priority > right->priority;
}

/* Of the servers of one priority bring one to the front, by chance; a larger weight makes it likelier (RFC 2782). */
static void draw(struct exo_dns_target *targets, int count)
{
    unsigned sum = 0, drawn;
    struct exo_dns_target chosen;
    int i;
    for (i = 0; i < count; i++)
        sum += targets[i].weight;
    if (sum == 0)
        return;
    drawn = osip_build_random_number() % sum;
    for (i = 0; i < count - 1 && drawn >= targets[i].weight; i++)
        drawn -= targets[i].weight;
    chosen = targets[i];
    memmove(targets + 1, targets, (size_t)i * sizeof *targets);
    targets[0] = chosen;
}

static void order(struct exo_dns_target *targets, int count)
{
    int from, to;
    qsort(targets, (size_t)count, sizeof *targets, by_priority);
    for (from = 0; from < count; from++) {
        for (to = from + 1; to < count && targets[to].priority == targets[from].priority;)
            to++;
        draw(targets + from, to - from);
    }
}

/* Read a record. Returns 1 when it is an SRV record with a sound name. */
static int read_service(const struct answer *answer, const struct record *record, struct exo_dns_target *target)
{
    if (record->type != TYPE_SRV || record->end - record->data < 7 ||
        read_name(answer, record->data + 6, target->host) == NULL || target->host[0] == '\0')
        return 0;
    target->priority = get16(record->data);
    target->weight = get16(record->data + 2);
    target->port = get16(record->data + 4);
    return 1;
}

int exo_dns_read_services(const unsigned char *octets, int length, struct exo_dns_target targets[EXO_DNS_TARGETS])
{
    struct answer answer;
    struct record record;
    int count = 0, refused = 0;
    if (!begin(&answer, octets, length))
        return 0;
    while (count < EXO_DNS_TARGETS && next(&answer, &record)) {
        struct exo_dns_target *target = &targets[count];
        if (!read_service(&answer, &record, target))
            continue;
        if (strcmp(target->host, ".") == 0)
            refused = 1;
        else
            count++;
    }
    order(targets, count);
    return count == 0 && refused ? -1 : count;
}

/* ------------------------------------------------------------------------------------------------------
 * NAPTR
 */

/* Read one of the texts in a record, a length and the octets. Returns what follows it, or NULL. */
static const unsigned char *read_text(const struct record *record, const unsigned char *at, char text[256])
{
    if (at == NULL || at >= record->end || record->end - at <= *at)
        return NULL;
    memcpy(text, at + 1, *at);
    text[*at] = '\0';
    return at + 1 + *at;
}

/* Read the name of SRV records out of a record of this service. Returns 1 when it has one. */
static int read_replacement(const struct answer *answer, const struct record *record, const char *service,
                            char name[EXO_DNS_NAME])
{
    char flags[256], offered[256], pattern[256];
    const unsigned char *at;
    if (record->type != TYPE_NAPTR || record->end - record->data < 8)
        return 0;
    at = read_text(record, record->data + 4, flags);
    at = read_text(record, at, offered);
    at = read_text(record, at, pattern);
    return at != NULL && at < record->end && strcasecmp(flags, "s") == 0 && strcasecmp(offered, service) == 0 &&
           read_name(answer, at, name) != NULL && exo_dns_is_name(name);
}

int exo_dns_read_naptr(const unsigned char *octets, int length, const char *service, char name[EXO_DNS_NAME])
{
    struct answer answer;
    struct record record;
    char found[EXO_DNS_NAME];
    unsigned best = 0, rank;
    int any = 0;
    if (!begin(&answer, octets, length))
        return 0;
    while (next(&answer, &record)) {
        if (!read_replacement(&answer, &record, service, found))
            continue;
        rank = get16(record.data) << 16 | get16(record.data + 2); /* order, preference */
        if (any && rank >= best)
            continue;
        any = 1;
        best = rank;
        memcpy(name, found, EXO_DNS_NAME);
    }
    return any;
}
