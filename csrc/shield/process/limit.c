/* limit.c - overload control: a token bucket for each kind of request that begins something.
 *
 * libeXosip2 reads its socket in the thread that does all of its work. So the time that a message waits in the socket
 * shows how far the library is behind, whatever the reason.
 *
 * A rate that is to be found out begins as no limit. If for a tenth of a second no message at all was read in time, the
 * rate becomes a little less than what was let in until then, and less again if two seconds later it is still so.
 * Otherwise it grows while requests are refused for it: quickly up to the rate that was too much, slowly beyond.
 *
 * While messages have waited for long, next to nothing new is let in, so that what is under way comes first.
 */
#include <pthread.h>
#include <string.h>

#include "limit.h"

#define SECOND 1000000

enum {
    WINDOW = SECOND / 10,         /* microseconds between two looks */
    IN_TIME = SECOND / 10,   /* how many microseconds in the socket count as no delay */
    TOO_LATE = SECOND / 4,  /* microseconds after which hardly anything new is let in: at 500 ms (T1) all
                                     that waits begins to come twice (17.1.1.2) */
    SETTLING = 20,                /* how many looks to wait after a step down */
    FORGOTTEN = 30 * SECOND,      /* after this time without a refusal there is no limit any more */
    KEPT = 33,                    /* for so many seconds a request may be repeated: 64*T1 (17.1.1.2) */
    WAYS = 4,
    SETS = 8192
};

/* This many requests per second are let in however slow the library is, so that a rate that was found out never locks
 * everybody out. */
#define FLOOR 20.0

struct bucket {
    double rate, burst;           /* rate 0: no limit */
    double tokens;
    int64_t filled;               /* when the tokens were counted */
    int automatic;
    double usual;                 /* what was let in lately, per second */
    double before;                /* the rate that was too much */
    int admitted, refused;        /* since the last look */
    int settling;
    int64_t refused_at;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct bucket buckets[SHIELD_KINDS];
static int64_t looked, shortest = -1; /* the shortest wait since the last look; -1: nothing came */

/* Requests that were let in, by transaction. */
static struct {
    uint64_t number;
    int64_t second;
} admitted[SETS][WAYS];

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

void shield_limit(enum shield_kind kind, double rate, double burst)
{
    struct bucket *bucket = &buckets[kind];
    pthread_mutex_lock(&mutex);
    memset(bucket, 0, sizeof *bucket);
    bucket->automatic = rate < 0;
    bucket->rate = rate < 0 ? 0 : rate;
    bucket->burst = bucket->tokens = burst >= 1 ? burst : clamp(rate / 2, 1, 1e9);
    pthread_mutex_unlock(&mutex);
}

double shield_limit_now(enum shield_kind kind)
{
    double rate;
    pthread_mutex_lock(&mutex);
    rate = buckets[kind].rate;
    pthread_mutex_unlock(&mutex);
    return rate;
}

static void set_rate(struct bucket *bucket, double rate)
{
    bucket->rate = rate < FLOOR ? FLOOR : rate;
    bucket->burst = clamp(bucket->rate / 10, 10, 1e9);
    bucket->tokens = clamp(bucket->tokens, 0, bucket->burst);
}

/* Slower where messages wait, faster again where they do not, and no limit any more once it refuses nothing. */
static void change_rate(struct bucket *bucket, int late, int64_t now)
{
    if (late && bucket->settling == 0) {
        bucket->before = bucket->rate == 0 ? bucket->usual : bucket->rate;
        set_rate(bucket, 0.85 * bucket->before);
        bucket->settling = SETTLING;
        bucket->refused_at = now;
    } else if (!late && bucket->rate > 0 && bucket->refused > 0) {
        set_rate(bucket, bucket->rate * (bucket->rate < 0.95 * bucket->before ? 1.02 : 1.005));
    } else if (bucket->rate > 0 && now - bucket->refused_at > FORGOTTEN) {
        bucket->rate = 0;
    }
}

static void adapt(struct bucket *bucket, double seconds, int late, int64_t now)
{
    double rate = bucket->admitted / seconds;
    bucket->usual = bucket->usual == 0 ? rate : 0.8 * bucket->usual + 0.2 * rate;
    if (bucket->refused > 0)
        bucket->refused_at = now;
    change_rate(bucket, late, now);
    if (bucket->settling > 0)
        bucket->settling--;
    bucket->admitted = bucket->refused = 0;
}

/* Note how long a message waited. Now and then adapt the rates to that. */
static void look(int64_t now, int64_t waited)
{
    int kind;
    if (waited >= 0 && (shortest < 0 || waited < shortest))
        shortest = waited;
    if (looked == 0)
        looked = now;
    if (now - looked < WINDOW)
        return;
    for (kind = 0; kind < SHIELD_KINDS; kind++)
        if (buckets[kind].automatic)
            adapt(&buckets[kind], (double)(now - looked) / SECOND, shortest > IN_TIME, now);
    looked = now;
    shortest = -1;
}

/* Take a token if there is one; new ones come at this rate (0: no limit). */
static int take(struct bucket *bucket, double rate, double burst, int64_t now)
{
    if (bucket->filled != 0)
        bucket->tokens += rate * (double)(now - bucket->filled) / SECOND;
    bucket->tokens = clamp(bucket->tokens, 0, burst);
    bucket->filled = now;
    if (rate > 0 && bucket->tokens < 1)
        return 0;
    bucket->tokens = clamp(bucket->tokens - 1, 0, burst);
    return 1;
}

static int may_begin(struct bucket *bucket, int64_t now, int64_t waited)
{
    int begins;
    if (bucket->automatic && waited > TOO_LATE)
        begins = take(bucket, FLOOR, 1, now);
    else
        begins = take(bucket, bucket->rate, bucket->burst, now);
    if (begins)
        bucket->admitted++;
    else
        bucket->refused++;
    return begins;
}

/* True when this request was let in before. If not, `enter` remembers it, in place of the oldest. */
static int is_known(uint64_t number, int64_t second, int enter)
{
    size_t set = (size_t)(number % SETS), i, oldest = 0;
    for (i = 0; i < WAYS; i++) {
        if (admitted[set][i].number == number && second - admitted[set][i].second < KEPT)
            return 1;
        if (admitted[set][i].second < admitted[set][oldest].second)
            oldest = i;
    }
    if (enter) {
        admitted[set][oldest].number = number;
        admitted[set][oldest].second = second;
    }
    return 0;
}

/* The bucket that a message takes from, or -1. */
static int kind_of(const struct shield_message *message)
{
    static const char *const METHODS[SHIELD_KINDS] = {"INVITE", "REGISTER", "SUBSCRIBE"};
    int kind;
    if (!message->is_request || message->to_tag.at != NULL)
        return -1;
    for (kind = 0; kind < SHIELD_KINDS; kind++)
        if (message->method.length == strlen(METHODS[kind]) &&
            memcmp(message->method.at, METHODS[kind], message->method.length) == 0)
            return kind;
    return -1;
}

enum shield_rule shield_admit(const struct shield_message *message, int64_t now, int64_t waited)
{
    static const enum shield_rule OVERLOAD[SHIELD_KINDS] = {
        SHIELD_OVERLOAD_INVITE, SHIELD_OVERLOAD_REGISTER, SHIELD_OVERLOAD_SUBSCRIBE};
    enum shield_rule rule = SHIELD_NONE;
    int kind = kind_of(message);
    uint64_t number = kind < 0 ? 0 : shield_transaction(message);
    pthread_mutex_lock(&mutex);
    look(now, waited);
    if (kind >= 0 && !is_known(number, now / SECOND, 0)) {
        if (may_begin(&buckets[kind], now, waited))
            is_known(number, now / SECOND, 1);
        else
            rule = OVERLOAD[kind];
    }
    pthread_mutex_unlock(&mutex);
    return rule;
}
