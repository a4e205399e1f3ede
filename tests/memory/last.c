/* last.c - the messages that were received last, in a file: what another process finds there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "last.h"

static struct sb_last_slot found[SB_LAST_SLOTS];

static void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static int make_file(size_t size)
{
    char path[] = "/tmp/last-XXXXXX";
    int fd = mkstemp(path);
    require(fd >= 0 && unlink(path) == 0 && ftruncate(fd, (off_t)size) == 0, "a file");
    return fd;
}

static void read_back(int fd)
{
    require(pread(fd, found, sizeof found, 0) == (ssize_t)sizeof found, "the file can be read");
}

/* A process adds so many, the last of them as long as one may be, and dies. */
static void add_in_a_process(int fd, int many)
{
    static char octets[SB_LAST_OCTETS + 1];
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        int i;
        if (sb_last_into(fd) != 0)
            _exit(1);
        memset(octets, 'x', sizeof octets);
        for (i = 1; i < many; i++)
            sb_last_add(i, "[2001:db8::1]:5060", octets, (size_t)i);
        sb_last_add(many, "192.0.2.1:5060", octets, SB_LAST_OCTETS);
        sb_last_add(many + 1, "192.0.2.1:5060", octets, SB_LAST_OCTETS + 1);
        abort();
    }
    require(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "it died");
}

int main(void)
{
    int fd = make_file(sizeof found), small = make_file(sizeof found - 1), i;
    require(sb_last_into(small) != 0 && sb_last_into(9999) != 0, "no such file");
    sb_last_add(1, "", "x", 1); /* nowhere */
    add_in_a_process(fd, 6);
    read_back(fd);
    for (i = 0; i < SB_LAST_SLOTS; i++) {
        const struct sb_last_slot *slot = &found[i];
        int number = (int)slot->number;
        require(number >= 3 && number <= 6 && (number - 1) % SB_LAST_SLOTS == i, "the last four");
        require(slot->time_us == number, "its time");
        require(slot->length == (number == 6 ? SB_LAST_OCTETS : (uint64_t)number), "its length");
        require(strcmp(slot->peer, number == 6 ? "192.0.2.1:5060" : "[2001:db8::1]:5060") == 0, "its peer");
        require(slot->octets[0] == 'x' && slot->octets[slot->length - 1] == 'x', "its octets");
    }
    require(sb_last_into(fd) == 0 && sb_last_into(-1) == 0, "no more of it");
    sb_last_add(9, "", "x", 1);
    read_back(fd);
    require(found[0].number == 5, "nothing came");
    require(close(fd) == 0 && close(small) == 0, "both are ours");
    return 0;
}
