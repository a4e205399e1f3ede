/* other_call.c - see other_call.h. With ten thousand calls this is asked ten thousand times for each request. */
#include "other_call.h"

#include <string.h>

#include "library.h"

#include <osip2/osip_dialog.h>

int exo_is_other_call(const void *dialog, const void *request)
{
    const char *ours = dialog == NULL ? NULL : ((const osip_dialog_t *)dialog)->call_id;
    const osip_call_id_t *theirs = request == NULL ? NULL : ((const osip_message_t *)request)->call_id;
    size_t length;
    if (ours == NULL || theirs == NULL || theirs->number == NULL)
        return 0;
    length = strlen(theirs->number);
    if (strncmp(ours, theirs->number, length) != 0)
        return 1;
    if (theirs->host == NULL)
        return ours[length] != '\0';
    return ours[length] != '@' || strcmp(ours + length + 1, theirs->host) != 0;
}
