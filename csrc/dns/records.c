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
    unsigned left; /* records that are to come, by what it says */
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

/* A name in an answer, from `at` on: what follows it there, or NULL when it is none. A name leads only ever backwards, so
 * that it ends. "." is the root, and "" what is no name of a host's. */
static const unsigned char *read_name(const struct answer *answer, const unsigned char *at, char name[EXO_DNS_NAME])
{
    const unsigned char *behind = NULL, *part = at;
    size_t used = 0, i;
    int fits = 1, jumps = 0;
    while (at < answer->end && *at != 0) {
        if (answer->end - at < 2)
            return NULL;
        if (*at >= 0xc0) {
            const unsigned char *there = answer->begin + ((*at & 0x3f) << 8 | at[1]);
            if (there >= part || ++jumps > MAX_JUMPS)
                return NULL;
            behind = behind == NULL ? at + 2 : behind;
            at = part = there;
            continue;
        }
        if (*at > 63 || answer->end - at <= *at || used + *at + 2 > EXO_DNS_NAME)
            return NULL;
        for (i = 1; i <= *at; i++) {
            fits = fits && is_name_octet(at[i]);
            name[used++] = (char)at[i];
        }
        name[used++] = '.';
        at += *at + 1;
    }
    if (at >= answer->end)
        return NULL;
    if (used == 0)
        name[used++] = '.';
    else
        used--; /* the last dot */
    name[fits ? used : 0] = '\0';
    return behind == NULL ? at + 1 : behind;
}

/* ------------------------------------------------------------------------------------------------------
 * Records
 */
static unsigned get16(const unsigned char *octets)
{
    return (unsigned)octets[0] << 8 | octets[1];
}

/* What follows a name and some octets, or NULL when the answer ends before. */
static const unsigned char *skip(const struct answer *answer, const unsigned char *at, ptrdiff_t octets)
{
    char unused[EXO_DNS_NAME];
    at = read_name(answer, at, unused);
    return at == NULL || answer->end - at < octets ? NULL : at + octets;
}

/* 1, or 0 when it is no answer with records. */
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

/* The next record: 1, or 0 when there is none any more. */
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

/* Bring one to the front of those of a priority, each as often as its weight says (RFC 2782). */
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

int exo_dns_read_services(const unsigned char *octets, int length, struct exo_dns_target targets[EXO_DNS_TARGETS])
{
    struct answer answer;
    struct record record;
    int count = 0, refused = 0;
    if (!begin(&answer, octets, length))
        return 0;
    while (count < EXO_DNS_TARGETS && next(&answer, &record)) {
        struct exo_dns_target *target = &targets[count];
        if (record.type != TYPE_SRV || record.end - record.data < 7 ||
            read_name(&answer, record.data + 6, target->host) == NULL || target->host[0] == '\0')
            continue;
        target->priority = get16(record.data);
        target->weight = get16(record.data + 2);
        target->port = get16(record.data + 4);
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

/* One of the texts in a record: a length and the octets. Returns what follows it, or NULL. */
static const unsigned char *read_text(const struct record *record, const unsigned char *at, char text[256])
{
    if (at == NULL || at >= record->end || record->end - at <= *at)
        return NULL;
    memcpy(text, at + 1, *at);
    text[*at] = '\0';
    return at + 1 + *at;
}

/* The name of SRV records that a record of the service points to: 1. */
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
