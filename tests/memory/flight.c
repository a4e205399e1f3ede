/* flight.c - the ring of the last messages, against a list of all of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flight.h"

enum { MESSAGES = 20000, LONGEST = 700, SIZE = 5000 };

static char peers[MESSAGES][24];
static size_t lengths[MESSAGES];

static void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static unsigned long number(const unsigned char *octets, int count)
{
    unsigned long sum = 0;
    while (count-- > 0)
        sum = sum << 8 | *octets++;
    return sum;
}

/* The records must be the messages that end with the last one, each whole. Returns how many. */
static int check(const char *records, size_t length, int last)
{
    const unsigned char *where = (const unsigned char *)records, *end = where + length;
    int first = last + 1, at;
    size_t sum = 0;
    while (first > 0 && sum + 15 + strlen(peers[first - 1]) + lengths[first - 1] <= length)
        first--, sum += 15 + strlen(peers[first]) + lengths[first];
    require(sum == length, "not the last ones, or not whole");
    for (at = first; where < end; at++) {
        size_t named = number(where + 13, 2), i;
        require(number(where, 4) + 4 == 15 + named + lengths[at], "length");
        require(number(where + 4, 8) == (unsigned long)at + 1000, "time");
        require(where[12] == at % 2, "direction");
        require(named == strlen(peers[at]) && memcmp(where + 15, peers[at], named) == 0, "peer");
        for (i = 0; i < lengths[at]; i++)
            require(where[15 + named + i] == (unsigned char)(at + (int)i), "octets");
        where += 15 + named + lengths[at];
    }
    return last + 1 - first;
}

static void add(struct sb_flight *flight, int at)
{
    char octets[LONGEST];
    size_t i;
    lengths[at] = (size_t)(rand() % LONGEST);
    sprintf(peers[at], "192.0.2.%d:%d", rand() % 256, rand() % 65536);
    for (i = 0; i < lengths[at]; i++)
        octets[i] = (char)(at + (int)i);
    sb_flight_add(flight, (uint64_t)at + 1000, at % 2, peers[at], octets, lengths[at]);
}

static void fill(struct sb_flight *flight)
{
    size_t length;
    int at, most = 0;
    for (at = 0; at < MESSAGES; at++) {
        char *records;
        add(flight, at);
        if (at < 20 || rand() % 50 != 0)
            continue;
        records = sb_flight_records(flight, 0, &length);
        require(records != NULL && length <= SIZE && length > SIZE - LONGEST - 40, "it is as full as it can be");
        most += check(records, length, at);
        free(records);
    }
    require(most > 0, "nothing was looked at");
}

static void take(void)
{
    struct sb_flight *flight = sb_flight_new(SIZE);
    size_t length;
    char *records;
    require(sb_flight_records(flight, 1, &length) == NULL && length == 0, "empty at first");
    add(flight, 0);
    add(flight, 1);
    records = sb_flight_records(flight, 1, &length);
    require(records != NULL && check(records, length, 1) == 2, "both were taken");
    free(records);
    require(sb_flight_records(flight, 0, &length) == NULL, "and are gone");
    sb_flight_free(flight);
}

static void refuse_what_is_too_large(void)
{
    static char octets[SIZE + 1];
    struct sb_flight *flight = sb_flight_new(SIZE);
    size_t length;
    sb_flight_add(flight, 1, 0, "", octets, sizeof octets);
    sb_flight_add(flight, 1, 0, "", octets, SIZE - 14);
    require(sb_flight_records(flight, 0, &length) == NULL, "neither fits");
    sb_flight_add(flight, 1, 0, "", octets, SIZE - 15);
    free(sb_flight_records(flight, 0, &length));
    require(length == SIZE, "this one does");
    sb_flight_free(flight);
    sb_flight_free(NULL);
}

int main(void)
{
    struct sb_flight *flight;
    int i;
    srand(1);
    flight = sb_flight_new(SIZE);
    for (i = 0; i < 20; i++) /* so that it is full */
        add(flight, i);
    fill(flight);
    sb_flight_free(flight);
    take();
    refuse_what_is_too_large();
    return 0;
}
