/* passage.c - see passage.h. */
#include "passage.h"

static shield_note_passage *volatile told;

void shield_tell_passages(shield_note_passage *note)
{
    told = note;
}

int shield_passages_are_told(void)
{
    return told != NULL;
}

void shield_passed(const struct shield_passage *passage)
{
    shield_note_passage *note = told;
    if (note != NULL && !shield_is_keep_alive(passage->octets, passage->length))
        note(passage);
}
