/* loop.c - commands, from any thread to the thread that runs nta. */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alive.h"
#include "core.h"
#include "state.h"

/* Octets, and after how many callbacks: some four calls need as many. */
enum { GROW_BY = 120 * 1024, GROW_EVERY = 16 };

/* How often to look whether the loop has come round. */
enum { PROBE_US = 1000 };

static void wake_loop(struct sofia *state)
{
    ssize_t written;
    do
        written = write(state->wake[1], "", 1);
    while (written < 0 && errno == EINTR);
}

void sof_command_free(struct sof_command *command)
{
    if (command->msg != NULL)
        msg_destroy(command->msg);
    free(command);
}

void sof_enqueue(struct sofia *state, struct sof_command *command)
{
    int was_empty = state->first == NULL;
    command->next = NULL;
    *state->last = command;
    state->last = &command->next;
    if (was_empty && !state->comes_round)
        wake_loop(state);
}

struct sof_command *sof_post_command(struct sofia *state, void (*run)(struct sofia *, struct sof_command *),
                                     const struct sb_object *object, msg_t *msg)
{
    struct sof_command *command = calloc(1, sizeof *command);
    if (command == NULL) {
        if (msg != NULL)
            msg_destroy(msg);
        return NULL;
    }
    command->run = run;
    command->msg = msg;
    if (object != NULL) {
        command->id = object->id;
        command->kind = object->kind;
    }
    sof_enqueue(state, command);
    return command;
}

/* glibc lets the memory of a thread that is not the first one grow by a page at a time, each with a system call. So have
 * it grow by more. (What is less than 128 KiB is not given back to the system.) */
static void grow_memory(struct sofia *state)
{
#ifdef __GLIBC__
    void *volatile memory;
    if (state->entries++ % GROW_EVERY != 0)
        return;
    memory = malloc(GROW_BY);
    free(memory);
#else
    (void)state;
#endif
}

void sof_enter(struct sofia *state)
{
    if (state->entered++ == 0) {
        grow_memory(state);
        sb_core_lock(state->core);
    }
}

void sof_leave(struct sofia *state)
{
    if (--state->entered > 0)
        return;
    memset(&state->origin, 0, sizeof state->origin);
    sb_core_unlock(state->core);
}

int sof_pause(struct sofia *state)
{
    int depth = state->entered;
    if (depth == 1) {
        state->paused = state->origin;
        sof_leave(state);
    }
    return depth;
}

void sof_resume(struct sofia *state, int depth)
{
    if (depth == 1) {
        sof_enter(state);
        state->origin = state->paused;
    }
}

/* Under the lock. */
static void run_commands(struct sofia *state)
{
    struct sof_command *command;
    while ((command = state->first) != NULL) {
        state->first = command->next;
        if (state->first == NULL)
            state->last = &state->first;
        command->run(state, command);
        sof_command_free(command);
    }
}

/* nta calls this before it runs its timers and waits for the network. */
static void before_wait(struct sofia *state, su_root_t *unused)
{
    (void)unused;
    sof_enter(state);
    run_commands(state);
    sb_core_pong(state->core);
    state->comes_round = 0;
    sof_leave(state);
}

void sof_hear(struct sofia *state)
{
    sof_enter(state);
    state->comes_round = 1;
}

static int on_wake(struct sofia *unused, su_wait_t *wait, struct sofia *state)
{
    char octets[64];
    (void)unused;
    (void)wait;
    (void)!read(state->wake[0], octets, sizeof octets); /* what is still there wakes the loop again */
    sof_hear(state);
    run_commands(state);
    sof_leave(state);
    return 0;
}

int sof_make_wake(int fds[2])
{
    int i;
    if (pipe(fds) != 0)
        return SB_ENOMEM;
    for (i = 0; i < 2; i++) {
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    return SB_OK;
}

int sof_register_wake(struct sofia *state)
{
    if (su_wait_create(state->wait, state->wake[0], SU_WAIT_IN) != 0 ||
        su_root_register(state->root, state->wait, on_wake, state, 0) < 0 ||
        su_root_add_prepoll(state->root, before_wait, state) < 0)
        return SB_ENOMEM;
    return SB_OK;
}

/* ------------------------------------------------------------------------------------------------------
 * Signs of life
 */
void sof_wake(void *state)
{
    wake_loop(state);
}

static void run_probe(struct sofia *state, struct sof_command *command)
{
    (void)command;
    state->probes_run++;
}

static int is_behind(struct sofia *state, unsigned posted)
{
    int behind;
    sb_core_lock(state->core);
    behind = (int)(posted - state->probes_run) > 0;
    sb_core_unlock(state->core);
    return behind;
}

/* The loop may hang without the lock: the library waits for DNS, for example. So see whether it runs a command. */
void sof_probe(void *data)
{
    struct sofia *state = data;
    unsigned posted;
    sb_core_lock(state->core);
    if (sof_post_command(state, run_probe, NULL, NULL) != NULL)
        posted = ++state->probes_posted;
    else
        posted = state->probes_run;
    sb_core_unlock(state->core);
    while (is_behind(state, posted))
        usleep(PROBE_US);
}
