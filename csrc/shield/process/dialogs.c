/* dialogs.c - the preloaded shield tells the engine of each dialog that libosip2 makes and frees.
 *
 * libeXosip2 asks of a request and each of its dialogs whether they belong together, one after the other, and libosip2
 * writes the Call-ID of the request anew for each. The engine knows it sooner. Whoever asks across the border between
 * the two libraries also makes dialogs across it, so none is missed.
 */
#include "preload.h"
#include "responses.h"

typedef int response_function(void **dialog, void *response);
typedef int request_function(void **dialog, void *request, int local_cseq);
typedef int both_function(void **dialog, void *request, void *response);
typedef void free_function(void *dialog);
typedef int match_function(void *dialog, void *request);

static shield_note_dialog *volatile dialog_made;
static shield_note_dialog *volatile dialog_gone;
static shield_is_other_call *volatile is_other_call;

void preload_tell_dialogs(shield_note_dialog *made, shield_note_dialog *gone, shield_is_other_call *other)
{
    dialog_made = made;
    dialog_gone = gone;
    is_other_call = other;
}

static int note(int code, void *const *dialog)
{
    shield_note_dialog *made = dialog_made;
    if (code == 0 && made != NULL)
        made(*dialog);
    return code;
}

response_function osip_dialog_init_as_uac;
request_function osip_dialog_init_as_uac_with_remote_request;
both_function osip_dialog_init_as_uas;
free_function osip_dialog_free;
match_function osip_dialog_match_as_uas;

EXPORTED int osip_dialog_init_as_uac(void **dialog, void *response)
{
    PRELOAD_FIND(response_function, function, "osip_dialog_init_as_uac")
    return note(function(dialog, response), dialog);
}

EXPORTED int osip_dialog_init_as_uac_with_remote_request(void **dialog, void *request, int local_cseq)
{
    PRELOAD_FIND(request_function, function, "osip_dialog_init_as_uac_with_remote_request")
    return note(function(dialog, request, local_cseq), dialog);
}

EXPORTED int osip_dialog_init_as_uas(void **dialog, void *request, void *response)
{
    PRELOAD_FIND(both_function, function, "osip_dialog_init_as_uas")
    return note(function(dialog, request, response), dialog);
}

EXPORTED void osip_dialog_free(void *dialog)
{
    shield_note_dialog *gone = dialog_gone;
    PRELOAD_FIND(free_function, function, "osip_dialog_free")
    if (dialog != NULL && gone != NULL)
        gone(dialog);
    function(dialog);
}

EXPORTED int osip_dialog_match_as_uas(void *dialog, void *request)
{
    enum { OTHER = -1 }; /* OSIP_UNDEFINED_ERROR */
    shield_is_other_call *other = is_other_call;
    PRELOAD_FIND(match_function, function, "osip_dialog_match_as_uas")
    if (other != NULL && shield_remembers() && other(dialog, request))
        return OTHER;
    return function(dialog, request);
}
