#include "wipe.h"

#include <stdlib.h>
#include <string.h>

/* The compiler cannot know what this points to, so it cannot leave the call out. */
static void *(*const volatile fill)(void *, int, size_t) = memset;

void sb_wipe(void *octets, size_t length)
{
    if (octets != NULL)
        fill(octets, 0, length);
}

void sb_wipe_text(char *text)
{
    if (text != NULL)
        sb_wipe(text, strlen(text));
}

void sb_wipe_free(char *text)
{
    sb_wipe_text(text);
    free(text);
}
