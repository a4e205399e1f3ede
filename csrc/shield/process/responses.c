/* responses.c - see responses.h.
 *
 * Entries are found by the hash of their key. A list has them all in the order of their age, which is the order in which
 * they expire; each source has another one. When there is no room, the source that takes most of it gives up its oldest:
 * so a source alone may have all the room, and a flood from one cannot push out what others have.
 */
#include "responses.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LIFE (32 * (int64_t)1000000) /* 64*T1, timer J (17.2.2) */

enum {
    SLOTS = 65536,      /* powers of two */
    SOURCES = 1024,     /* two sources may share a list: which ones depends on the seed, and cannot be foreseen */
    MAX_KEY = 512,      /* octets; a response with a longer one is not remembered */
    NETWORK = 8,        /* octets of an IPv6 address */
    OTHER_KEY = 64,     /* more octets of a key than those of method, host and branch */
    NONE = 0,           /* no entry: their numbers begin at 1 */
    AGE = 0, SOURCE = 1 /* the lists that an entry is in */
};

struct list {
    uint32_t oldest, newest;
    size_t weight; /* octets of its entries */
};

struct entry {
    uint64_t number;
    int64_t until;
    char *octets; /* the key, then the response */
    uint32_t key_length, length; /* no octets of a response: it is expected */
    uint32_t next; /* in its slot, or of those that are free */
    uint32_t source;
    struct {
        uint32_t older, newer;
    } in[2];
};

/* A request's key: peer, method, sent-by, branch. */
struct key {
    char octets[MAX_KEY];
    size_t length;
    uint64_t number;
    uint32_t source;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile size_t room;
static struct entry *entries; /* room + 1 of them, made when the first is needed */
static uint32_t slots[SLOTS], used, unused; /* `used` were in use at some time; of these `unused` is the first free one */
static struct list all, sources[SOURCES];
static uint64_t count, expected, pushed_out; /* `expected` of `count` have no response yet */

void shield_remember_responses(size_t wanted)
{
    pthread_mutex_lock(&mutex);
    if (entries == NULL)
        room = wanted > SHIELD_MOST_RESPONSES ? SHIELD_MOST_RESPONSES : wanted;
    pthread_mutex_unlock(&mutex);
}

int shield_remembers(void)
{
    return room > 0;
}

void shield_responses_now(struct shield_responses *responses)
{
    pthread_mutex_lock(&mutex);
    responses->count = count - expected;
    responses->octets = all.weight;
    responses->pushed_out = pushed_out;
    pthread_mutex_unlock(&mutex);
}

/* ------------------------------------------------------------------------------------------------------
 * Keys (17.2.3)
 */
static int is_method(struct shield_span method, const char *name)
{
    return method.length == strlen(name) && memcmp(method.at, name, method.length) == 0;
}

static int has_cookie(struct shield_span branch)
{
    return branch.at != NULL && branch.length > 7 && memcmp(branch.at, "z9hG4bK", 7) == 0;
}

int shield_is_memorable(const struct shield_message *request)
{
    return request->is_request && request->method.at != NULL && !is_method(request->method, "INVITE") &&
           !is_method(request->method, "ACK") && has_cookie(request->branch) && !request->has_received &&
           !request->via_leads_elsewhere && request->via_transport.length == 3 &&
           memcmp(request->via_transport.at, "UDP", 3) == 0 &&
           request->method.length + request->via_host.length + request->branch.length < MAX_KEY - OTHER_KEY;
}

static int put(struct key *key, const void *octets, size_t length)
{
    if (length >= MAX_KEY - key->length)
        return 0;
    memcpy(key->octets + key->length, octets, length);
    key->length += length;
    key->octets[key->length++] = '\0'; /* in none of the parts behind the address */
    return 1;
}

/* One host has all the addresses of an IPv6 network with a prefix of 64 bits. */
static uint32_t source_of(const struct shield_peer *peer)
{
    static const unsigned char NOTHING[NETWORK] = {0};
    size_t length = memcmp(peer->address, NOTHING, NETWORK) == 0 ? sizeof peer->address : NETWORK;
    return (uint32_t)(shield_hash(0, (const char *)peer->address, length) % SOURCES);
}

/* 0 when there is none. */
static int make_key(struct key *key, const struct shield_message *message, struct shield_span method,
                    const struct shield_peer *peer)
{
    key->length = 0;
    if (method.at == NULL || message->via_host.at == NULL || !has_cookie(message->branch) ||
        !put(key, peer->address, sizeof peer->address) || !put(key, &peer->port, sizeof peer->port) ||
        !put(key, method.at, method.length) || !put(key, message->via_host.at, message->via_host.length) ||
        !put(key, &message->via_port, sizeof message->via_port) ||
        !put(key, message->branch.at, message->branch.length))
        return 0;
    key->number = shield_hash(0, key->octets, key->length);
    key->source = source_of(peer);
    return 1;
}

/* ------------------------------------------------------------------------------------------------------
 * Lists
 */
static size_t weight_of(const struct entry *entry)
{
    return (size_t)entry->key_length + entry->length;
}

static void append(struct list *list, int which, uint32_t at)
{
    entries[at].in[which].older = list->newest;
    entries[at].in[which].newer = NONE;
    if (list->newest == NONE)
        list->oldest = at;
    else
        entries[list->newest].in[which].newer = at;
    list->newest = at;
    list->weight += weight_of(&entries[at]);
}

static void take_out(struct list *list, int which, uint32_t at)
{
    uint32_t older = entries[at].in[which].older, newer = entries[at].in[which].newer;
    if (older == NONE)
        list->oldest = newer;
    else
        entries[older].in[which].newer = newer;
    if (newer == NONE)
        list->newest = older;
    else
        entries[newer].in[which].older = older;
    list->weight -= weight_of(&entries[at]);
}

static void forget(uint32_t at)
{
    struct entry *entry = &entries[at];
    uint32_t *link = &slots[entry->number % SLOTS];
    while (*link != at)
        link = &entries[*link].next;
    *link = entry->next;
    take_out(&all, AGE, at);
    take_out(&sources[entry->source], SOURCE, at);
    free(entry->octets);
    entry->octets = NULL;
    entry->next = unused;
    unused = at;
    count--;
    expected -= entry->length == 0;
}

void shield_forget_responses(void)
{
    pthread_mutex_lock(&mutex);
    while (all.oldest != NONE)
        forget(all.oldest);
    pthread_mutex_unlock(&mutex);
}

static void forget_expired(int64_t now)
{
    while (all.oldest != NONE && entries[all.oldest].until <= now)
        forget(all.oldest);
}

/* The oldest entry of the source that takes most of the room. */
static void push_out(void)
{
    size_t i, most = 0;
    for (i = 1; i < SOURCES; i++)
        if (sources[i].weight > sources[most].weight)
            most = i;
    forget(sources[most].oldest);
    pushed_out++;
}

static uint32_t find(const struct key *key)
{
    uint32_t at = slots[key->number % SLOTS];
    while (at != NONE && (entries[at].number != key->number || entries[at].key_length != key->length ||
                          memcmp(entries[at].octets, key->octets, key->length) != 0))
        at = entries[at].next;
    return at;
}

/* ------------------------------------------------------------------------------------------------------
 * Remember and recall
 */

/* Make room for an entry of that weight. 0 when that is impossible. */
static int make_room(size_t weight)
{
    size_t most = room * SHIELD_RESPONSE_OCTETS;
    if (entries == NULL)
        entries = calloc(room + 1, sizeof *entries);
    if (entries == NULL || weight > most)
        return 0;
    while (count == room || all.weight > most - weight)
        push_out();
    return 1;
}

/* 0 when there is no room. */
static int enter(const struct key *key, const char *octets, size_t length, int64_t now)
{
    char *copy = make_room(key->length + length) ? malloc(key->length + length) : NULL;
    uint32_t at = unused != NONE ? unused : used + 1;
    struct entry *entry;
    if (copy == NULL) {
        pushed_out++;
        return 0;
    }
    entry = &entries[at];
    if (at == unused)
        unused = entry->next;
    else
        used = at;
    memcpy(copy, key->octets, key->length);
    if (length > 0)
        memcpy(copy + key->length, octets, length);
    entry->octets = copy;
    entry->key_length = (uint32_t)key->length;
    entry->length = (uint32_t)length;
    entry->number = key->number;
    entry->source = key->source;
    entry->until = now + LIFE;
    entry->next = slots[key->number % SLOTS];
    slots[key->number % SLOTS] = at;
    append(&all, AGE, at);
    append(&sources[key->source], SOURCE, at);
    count++;
    expected += length == 0;
    return 1;
}

int shield_expect(const struct shield_message *request, const struct shield_peer *peer, int64_t now)
{
    struct key key;
    int is_expected;
    if (room == 0 || !shield_is_memorable(request) || !make_key(&key, request, request->method, peer))
        return 0;
    pthread_mutex_lock(&mutex);
    forget_expired(now);
    is_expected = find(&key) != NONE || enter(&key, NULL, 0, now);
    pthread_mutex_unlock(&mutex);
    return is_expected;
}

void shield_remember(const struct shield_message *response, const char *octets, size_t length,
                     const struct shield_peer *peer, int64_t now)
{
    struct key key;
    uint32_t known;
    if (room == 0 || response->is_request || response->status < 200 ||
        !make_key(&key, response, response->cseq_method, peer))
        return;
    pthread_mutex_lock(&mutex);
    forget_expired(now);
    known = find(&key);
    if (known != NONE) {
        forget(known);
        enter(&key, octets, length, now);
    }
    pthread_mutex_unlock(&mutex);
}

int shield_recall(const struct shield_message *request, const struct shield_peer *peer, int64_t now,
                  void (*send)(void *arg, const char *octets, size_t length), void *arg)
{
    struct key key;
    uint32_t at;
    if (room == 0 || !shield_is_memorable(request) || !make_key(&key, request, request->method, peer))
        return 0;
    pthread_mutex_lock(&mutex);
    forget_expired(now);
    at = find(&key);
    if (at != NONE && entries[at].length == 0)
        at = NONE;
    if (at != NONE)
        send(arg, entries[at].octets + entries[at].key_length, entries[at].length);
    pthread_mutex_unlock(&mutex);
    return at != NONE;
}
