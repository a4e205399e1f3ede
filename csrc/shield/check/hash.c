/* hash.c - numbers that nobody can foresee: SipHash-2-4 (Aumasson and Bernstein, 2012).
 *
 * Peers choose what is hashed here, and see some of the numbers: the tags of answers. A weaker function (FNV, which is
 * undone step by step) would tell them the seed, and with that which requests make the tables slow.
 */
#include <string.h>

#include "shield.h"

enum { ROUNDS = 2, LAST_ROUNDS = 4 };

static uint64_t seeded = 0xcbf29ce484222325u;

void shield_seed(uint64_t seed)
{
    seeded ^= seed;
}

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static void mix(uint64_t *state, int rounds)
{
    while (rounds-- > 0) {
        state[0] += state[1];
        state[2] += state[3];
        state[1] = rotate(state[1], 13) ^ state[0];
        state[3] = rotate(state[3], 16) ^ state[2];
        state[0] = rotate(state[0], 32);
        state[2] += state[1];
        state[0] += state[3];
        state[1] = rotate(state[1], 17) ^ state[2];
        state[3] = rotate(state[3], 21) ^ state[0];
        state[2] = rotate(state[2], 32);
    }
}

static void absorb(uint64_t *state, uint64_t word)
{
    state[3] ^= word;
    mix(state, ROUNDS);
    state[0] ^= word;
}

/* At most seven octets, the first one lowest. */
static uint64_t read_rest(const char *octets, size_t length)
{
    uint64_t word = 0;
    while (length-- > 0)
        word = word << 8 | (unsigned char)octets[length];
    return word;
}

uint64_t shield_hash(uint64_t before, const char *octets, size_t length)
{
    uint64_t state[4] = {seeded ^ 0x736f6d6570736575u, before ^ 0x646f72616e646f6du, seeded ^ 0x6c7967656e657261u,
                         before ^ 0x7465646279746573u};
    uint64_t word;
    size_t left;
    for (left = length; left >= sizeof word; left -= sizeof word, octets += sizeof word) {
        memcpy(&word, octets, sizeof word); /* in the machine's own order */
        absorb(state, word);
    }
    absorb(state, (uint64_t)length << 56 | read_rest(octets, left));
    state[2] ^= 0xff;
    mix(state, LAST_ROUNDS);
    return state[0] ^ state[1] ^ state[2] ^ state[3];
}
