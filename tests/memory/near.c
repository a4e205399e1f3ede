/* near.c - blocks that lie close together, against a copy of what was written into them, from several threads. */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "near.h"

enum { THREADS = 4, BLOCKS = 500, STEPS = 100000, MANY = 300000 };

static const size_t SIZES[] = {72, 104, 232, 1, 300};
enum { KINDS = sizeof SIZES / sizeof *SIZES };

struct block {
    unsigned char *octets;
    size_t size;
    unsigned char filled;
};

static void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void check(const struct block *block)
{
    size_t i;
    for (i = 0; i < block->size; i++)
        require(block->octets[i] == block->filled, "another's octets");
}

static void fill(struct block *block, size_t size, unsigned char filled)
{
    require(block->octets != NULL && (uintptr_t)block->octets % 16 == 0, "no memory, or not aligned");
    require(exo_near_size(block->octets) >= size, "too small");
    block->size = size;
    block->filled = filled;
    memset(block->octets, filled, size);
}

static void *use(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    struct block blocks[BLOCKS], *block;
    size_t size;
    int i;
    memset(blocks, 0, sizeof blocks);
    for (i = 0; i < STEPS; i++) {
        block = &blocks[rand_r(&seed) % BLOCKS];
        size = SIZES[rand_r(&seed) % KINDS];
        if (block->octets == NULL) {
            block->octets = exo_near_alloc(size);
            fill(block, size, (unsigned char)rand_r(&seed));
        } else if (rand_r(&seed) % 4 != 0) {
            check(block);
            exo_near_free(block->octets);
            block->octets = NULL;
        } else {
            check(block);
            block->octets = exo_near_resize(block->octets, size);
            if (size < block->size)
                block->size = size;
            check(block);
            fill(block, size, (unsigned char)rand_r(&seed));
        }
    }
    for (i = 0; i < BLOCKS; i++)
        if (blocks[i].octets != NULL)
            exo_near_free(blocks[i].octets);
    return NULL;
}

static void run(void)
{
    pthread_t threads[THREADS];
    uintptr_t i;
    for (i = 0; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, use, (void *)(i + 1)) == 0, "no thread");
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* More than there is room for: the others are malloc()'s. */
static void fill_up(void)
{
    static void *many[MANY];
    int i;
    for (i = 0; i < MANY; i++) {
        many[i] = exo_near_alloc(SIZES[0]);
        require(many[i] != NULL, "no memory");
        memset(many[i], 1, SIZES[0]);
    }
    for (i = 0; i < MANY; i++)
        exo_near_free(many[i]);
}

static void check_freed_twice(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        void *block = exo_near_alloc(SIZES[0]);
        signal(SIGABRT, SIG_DFL);
        exo_near_free(block);
        exo_near_free(block);
        _exit(0);
    }
    require(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "freed twice");
}

int main(void)
{
    void *before = exo_near_alloc(SIZES[0]), *one, *other;
    run(); /* malloc() alone */
    exo_near_begin();
    exo_near_begin();
    exo_near_free(before);
    one = exo_near_alloc(SIZES[0]);
    other = exo_near_alloc(SIZES[0]);
    require((size_t)((char *)other - (char *)one) < 2 * SIZES[0], "not beside each other");
    exo_near_free(one);
    exo_near_free(other);
    check_freed_twice();
    run();
    fill_up();
    run();
    return 0;
}
