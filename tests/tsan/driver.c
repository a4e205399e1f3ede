/* driver.c - an engine used from several threads at once, for ThreadSanitizer: `make tsan`.
 *
 *     driver SECONDS
 *
 * Two threads take the events and do what they ask for, two more begin things and end them, another watches; a peer
 * (peer.c) calls, answers, and cancels what is being answered. The engine is opened and closed twice, the second time in
 * the middle of everything. Ends with 0 when all went on as it should; what the sanitizer finds is its own to tell.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"

#include "peer.h"

enum { TAKERS = 2, MAKERS = 2, KEPT = 16 };

static const sb_header headers[] = {{"X-Step", "one"}};
static const sb_content full = {headers, 1, "text/plain", "body", 4};

static struct {
    pthread_mutex_t mutex;
    int engine, stopping;
    char peer[64];
    long events, made;
} shared = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static int engine_now(void)
{
    int engine;
    pthread_mutex_lock(&shared.mutex);
    engine = shared.stopping ? 0 : shared.engine;
    pthread_mutex_unlock(&shared.mutex);
    return engine;
}

static void count(long *what)
{
    pthread_mutex_lock(&shared.mutex);
    ++*what;
    pthread_mutex_unlock(&shared.mutex);
}

/* ------------------------------------------------------------------------------------------------------
 * What events ask for
 */
static void react(int engine, const sb_event *event, unsigned turn)
{
    switch (event->type) {
    case SB_EV_CALL_INCOMING:
        if (turn % 2 == 0)
            sb_call_ring(engine, event->call, 180, &full);
        if (turn % 9 == 4)
            sb_call_reject(engine, event->call, 486, NULL, NULL);
        else if (turn % 9 == 5)
            sb_call_redirect(engine, event->call, 302, shared.peer);
        else
            sb_call_answer(engine, event->call, &full);
        break;
    case SB_EV_CALL_PROGRESS:
        if (turn % 8 == 0)
            sb_call_hangup(engine, event->call, NULL);
        break;
    case SB_EV_CALL_ANSWERED:
        sb_call_ack(engine, event->call, &full);
        sb_call_request(engine, event->call, "INFO", &full);
        if (turn % 2 == 0)
            sb_call_reinvite(engine, event->call, &full);
        break;
    case SB_EV_CALL_RESPONSE:
        if (strcmp(event->method, "INVITE") == 0)
            sb_call_ack(engine, event->call, NULL);
        sb_call_hangup(engine, event->call, &full);
        break;
    case SB_EV_CALL_REINVITE:
    case SB_EV_CALL_REQUEST:
    case SB_EV_REQUEST:
        sb_answer(engine, event->transaction, turn % 5 == 3 ? 488 : 200, "Fine", turn % 2 == 0 ? &full : NULL);
        if (event->type == SB_EV_CALL_REQUEST && turn % 3 == 0)
            sb_call_hangup(engine, event->call, NULL);
        break;
    case SB_EV_SUBSCRIBE:
        if (event->state == 0)
            sb_subscription_accept(engine, event->subscription, 200, 60);
        sb_notify(engine, event->subscription, "active;expires=60", &full);
        if (turn % 3 == 0)
            sb_notify(engine, event->subscription, "terminated;reason=noresource", NULL);
        break;
    default:
        break;
    }
}

static void *take_events(void *unused)
{
    sb_event *event;
    unsigned turn = 0;
    int engine, found;
    (void)unused;
    while ((engine = engine_now()) != 0) {
        if (sb_wait(engine, 20, &event) != 1)
            continue;
        react(engine, event, turn++);
        found = event->type == SB_EV_TRACE;
        sb_event_free(event);
        if (!found)
            count(&shared.events);
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------
 * Beginning things, and ending them
 */
struct kept {
    sb_id calls[KEPT], registrations[KEPT], subscriptions[KEPT];
};

static void begin(int engine, struct kept *kept, unsigned turn)
{
    sb_parties parties = {shared.peer, "<sip:peer@tsan>", NULL};
    unsigned at = turn % KEPT;
    switch (turn % 6) {
    case 0: kept->calls[at] = sb_call(engine, &parties, NULL, &full); break;
    case 1: sb_request(engine, "MESSAGE", &parties, &full); break;
    case 2: kept->registrations[at] = sb_register(engine, shared.peer, &parties, NULL, 60); break;
    case 3: kept->subscriptions[at] = sb_subscribe(engine, &parties, "presence", 60, &full); break;
    case 4: sb_publish(engine, &parties, "presence", NULL, 60, &full); break;
    default: sb_credentials(engine, "tsan", "peer", turn % 4 < 2 ? "secret" : "another"); break;
    }
}

static void end(int engine, struct kept *kept, unsigned turn)
{
    unsigned at = turn % KEPT;
    if (turn % 3 == 0)
        sb_call_hangup(engine, kept->calls[at], &full);
    if (turn % 3 == 1) {
        sb_register_refresh(engine, kept->registrations[at], 120);
        sb_unregister(engine, kept->registrations[at]);
    }
    if (turn % 3 == 2) {
        sb_subscribe_refresh(engine, kept->subscriptions[at], 120);
        sb_unsubscribe(engine, kept->subscriptions[at]);
    }
    if (turn % 50 == 0)
        sb_credentials_clear(engine);
}

static void *make(void *unused)
{
    struct kept kept;
    unsigned turn;
    int engine;
    (void)unused;
    memset(&kept, 0, sizeof kept);
    for (turn = 0; (engine = engine_now()) != 0; turn++) {
        begin(engine, &kept, turn);
        usleep(3000 + turn % 4000);
        end(engine, &kept, turn * 7);
        count(&shared.made);
    }
    return NULL;
}

static void *watch(void *unused)
{
    size_t length;
    char *frames;
    int engine;
    (void)unused;
    while ((engine = engine_now()) != 0) {
        sb_probe(engine);
        sb_ping(engine);
        sb_backlog(engine);
        sb_port(engine);
        sb_fd(engine);
        sb_shielded(engine);
        if (sb_take_frames(engine, 0, 1, &frames, &length) > 0)
            sb_frames_free(frames);
        usleep(20000);
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------
 * Rounds
 */
static int open_engine(void)
{
    sb_config config;
    memset(&config, 0, sizeof config);
    config.host = "127.0.0.1";
    config.user_agent = "tsan";
    config.trace = 1;
    return sb_open(&config);
}

/* One engine from open to close. calm: what goes on is ended before. */
static int round_of(int seconds, int calm)
{
    void *(*const WORK[])(void *) = {take_events, take_events, make, make, watch};
    pthread_t threads[sizeof WORK / sizeof *WORK];
    size_t i, number = sizeof WORK / sizeof *WORK;
    int code;
    shared.stopping = 0;
    shared.engine = open_engine();
    if (shared.engine < 0) {
        fprintf(stderr, "driver: cannot open: %s\n", sb_error_text(shared.engine));
        return 2;
    }
    snprintf(shared.peer, sizeof shared.peer, "sip:peer@127.0.0.1:%d", peer_start(sb_port(shared.engine)));
    for (i = 0; i < number; i++)
        if (pthread_create(&threads[i], NULL, WORK[i], NULL) != 0)
            return 2;
    sleep((unsigned)seconds);
    if (calm) {
        peer_rest();
        usleep(500000);
    }
    code = sb_close(shared.engine, calm ? 1000 : 0);
    pthread_mutex_lock(&shared.mutex);
    shared.stopping = 1;
    pthread_mutex_unlock(&shared.mutex);
    for (i = 0; i < number; i++)
        pthread_join(threads[i], NULL);
    peer_stop();
    return code == SB_OK ? 0 : 2;
}

int main(int argc, char **argv)
{
    int seconds = argc > 1 ? atoi(argv[1]) : 10, code;
    setvbuf(stdout, NULL, _IOLBF, 0);
    code = round_of(seconds / 2 + 1, 1);
    if (code == 0)
        code = round_of(seconds / 2, 0);
    printf("driver: %s %s: %ld events, %ld things begun, %ld messages at the peer\n", sb_engine_name(), sb_engine_version(),
           shared.events, shared.made, peer_taken());
    return code != 0 ? code : shared.events > 50 && peer_taken() > 50 ? 0 : 3;
}
