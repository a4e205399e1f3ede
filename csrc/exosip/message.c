/* message.c - between osip_message_t and the contract's strings. */
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core.h"
#include "datagram.h"
#include "mark.h"
#include "resolve.h"
#include "state.h"

int exo_error(int returned)
{
    if (returned >= 0)
        return SB_OK;
    switch (returned) {
    case OSIP_BADPARAMETER: return SB_EINVAL;
    case OSIP_SYNTAXERROR: return SB_EINVAL;
    case OSIP_WRONG_STATE: return SB_ESTATE;
    case OSIP_NOTFOUND: return SB_ESTATE; /* it has ended, and the event that says so is on its way */
    case OSIP_NOMEM: return SB_ENOMEM;
    case OSIP_NO_NETWORK: return SB_ENET;
    default: return SB_ELIBRARY;
    }
}

/* ------------------------------------------------------------------------------------------------------
 * Media types, of which libosip2 makes octets again
 */

/* libosip2 does not write a parameter that has no value ("text/plain;x"). Of the header only the name is left, and the
 * next header is read as its value; or the whole message fails. So such a parameter moves into the subtype, which gives
 * the same text. Returns 0 when memory is out. */
static int have_values(osip_content_type_t *type)
{
    int at = 0;
    if (type == NULL || type->subtype == NULL)
        return 1;
    while (at < osip_list_size(&type->gen_params)) {
        osip_generic_param_t *parameter = osip_list_get(&type->gen_params, at);
        size_t size = strlen(type->subtype) + sizeof ";";
        char *subtype;
        if (parameter->gvalue != NULL) {
            at++;
            continue;
        }
        size += strlen(parameter->gname);
        subtype = osip_malloc(size);
        if (subtype == NULL)
            return 0;
        snprintf(subtype, size, "%s;%s", type->subtype, parameter->gname);
        osip_free(type->subtype);
        type->subtype = subtype;
        osip_list_remove(&type->gen_params, at);
        osip_generic_param_free(parameter);
    }
    return 1;
}

static int can_be_written(osip_message_t *message)
{
    int i, good = have_values(message->content_type);
    for (i = 0; i < osip_list_size(&message->accepts); i++)
        good &= have_values(osip_list_get(&message->accepts, i));
    for (i = 0; i < osip_list_size(&message->bodies); i++)
        good &= have_values(((osip_body_t *)osip_list_get(&message->bodies, i))->content_type);
    return good;
}

/* ------------------------------------------------------------------------------------------------------
 * Out
 */

void exo_remove_header(osip_message_t *message, const char *name)
{
    osip_header_t *header = NULL;
    int at = osip_message_header_get_byname(message, name, 0, &header);
    if (at < 0 || header == NULL)
        return;
    osip_list_remove(&message->headers, at);
    osip_header_free(header);
}

static int add_headers(osip_message_t *message, const sb_content *content)
{
    size_t i;
    int code = 0;
    for (i = 0; i < content->header_count && code == 0; i++) {
        if (strcasecmp(content->headers[i].name, "User-Agent") == 0)
            exo_remove_header(message, "User-Agent"); /* the library has written its own */
        code = osip_message_set_header(message, content->headers[i].name, content->headers[i].value);
    }
    return code;
}

int exo_fill(osip_message_t *message, const sb_content *content)
{
    int code;
    if (content == NULL)
        return SB_OK;
    if (sb_check_datagram(content) != SB_OK)
        return SB_ETOOBIG;
    code = add_headers(message, content);
    if (code == 0 && content->content_type != NULL)
        code = osip_message_set_content_type(message, content->content_type);
    if (code == 0 && !have_values(message->content_type))
        code = OSIP_NOMEM;
    if (code == 0 && content->body_len > 0)
        code = osip_message_set_body(message, content->body, content->body_len);
    return exo_error(code);
}

int exo_set_expires(osip_message_t *message, int expires)
{
    osip_header_t *header = NULL;
    char text[16], *copy;
    snprintf(text, sizeof text, "%d", expires);
    if (osip_message_header_get_byname(message, "expires", 0, &header) < 0 || header == NULL)
        return exo_error(osip_message_set_expires(message, text));
    copy = osip_strdup(text);
    if (copy == NULL)
        return SB_ENOMEM;
    osip_free(header->hvalue);
    header->hvalue = copy;
    return SB_OK;
}

int exo_set_reason(osip_message_t *response, const char *reason)
{
    char *copy;
    if (reason == NULL)
        return SB_OK;
    if (strlen(reason) > EXO_MAX_START_LINE)
        return SB_ETOOBIG;
    copy = osip_strdup(reason);
    if (copy == NULL)
        return SB_ENOMEM;
    osip_free(response->reason_phrase);
    osip_message_set_reason_phrase(response, copy);
    return SB_OK;
}

static const char *copy_text(const char *text, int *failed)
{
    char *copy = text == NULL ? NULL : strdup(text);
    if (text != NULL && copy == NULL)
        *failed = 1;
    return copy;
}

struct exo_content *exo_content_copy(const sb_content *content)
{
    struct exo_content *copy = calloc(1, sizeof *copy);
    char *body = NULL;
    int failed = 0;
    size_t i;
    if (copy == NULL || content == NULL)
        return copy;
    copy->content.headers = copy->headers;
    copy->content.header_count = content->header_count;
    for (i = 0; i < content->header_count; i++) {
        copy->headers[i].name = copy_text(content->headers[i].name, &failed);
        copy->headers[i].value = copy_text(content->headers[i].value, &failed);
    }
    copy->content.content_type = copy_text(content->content_type, &failed);
    if (content->body_len > 0) {
        body = malloc(content->body_len);
        if (body != NULL)
            memcpy(body, content->body, content->body_len);
        else
            failed = 1;
        copy->content.body = body;
        copy->content.body_len = content->body_len;
    }
    if (!failed)
        return copy;
    exo_content_free(copy);
    return NULL;
}

void exo_content_free(struct exo_content *copy)
{
    size_t i;
    if (copy == NULL)
        return;
    for (i = 0; i < copy->content.header_count; i++) {
        free((char *)copy->headers[i].name);
        free((char *)copy->headers[i].value);
    }
    free((char *)copy->content.content_type);
    free((char *)copy->content.body);
    free(copy);
}

/* ------------------------------------------------------------------------------------------------------
 * In
 */
int exo_is_method(const osip_message_t *request, const char *method)
{
    return request != NULL && request->sip_method != NULL && strcmp(request->sip_method, method) == 0;
}

int exo_cseq(const osip_message_t *message)
{
    if (message == NULL || message->cseq == NULL || message->cseq->number == NULL)
        return 0;
    return atoi(message->cseq->number);
}

char *exo_call_id(const osip_message_t *message)
{
    char *text = NULL, *copy;
    if (message == NULL || message->call_id == NULL || osip_call_id_to_str(message->call_id, &text) != 0)
        return NULL;
    copy = strdup(text); /* from malloc(), for tfind() and free() here */
    osip_free(text);
    return copy;
}

const char *exo_header(osip_message_t *message, const char *name)
{
    osip_header_t *header = NULL;
    if (message == NULL || osip_message_header_get_byname(message, name, 0, &header) < 0 || header == NULL)
        return NULL;
    return header->hvalue;
}

static size_t uri_length(osip_uri_t *uri)
{
    char *text = NULL;
    size_t length;
    if (uri == NULL || osip_uri_to_str(uri, &text) != 0)
        return 0;
    length = strlen(text);
    osip_free(text);
    return length;
}

static int is_long_address(const osip_from_t *address)
{
    return address != NULL && uri_length(address->url) > EXO_MAX_START_LINE;
}

int exo_is_dangerous(osip_message_t *message)
{
    int i, dangerous;
    if (message == NULL)
        return 0;
    dangerous = message->req_uri != NULL && uri_length(message->req_uri) > EXO_MAX_START_LINE;
    for (i = 0; i < osip_list_size(&message->contacts); i++)
        dangerous |= is_long_address(osip_list_get(&message->contacts, i));
    for (i = 0; i < osip_list_size(&message->record_routes); i++)
        dangerous |= is_long_address(osip_list_get(&message->record_routes, i));
    return dangerous;
}

/* ------------------------------------------------------------------------------------------------------
 * Parts of a body, of which libosip2 makes octets again
 */

/* Add a line to what osip_body_to_str() uses, and to what it allocates for it. */
static void count_line(const char *line, size_t *used, size_t *taken)
{
    size_t length = strlen(line);
    if (*taken < *used + length + 4)
        *taken += length + 4;
    *used += length + 2;
}

/* Up to 4.1, libosip2 writes a NUL beyond its memory when the header of a part fills that memory to the octet
 * (CVE-2016-10326). True for such a part. */
static int is_filled(const osip_body_t *part)
{
    int i, count = osip_list_size(part->headers);
    size_t taken = 15 + (size_t)part->length + 40 * (size_t)count, used = 0;
    char *line = NULL;
    if (part->content_type != NULL && osip_content_type_to_str(part->content_type, &line) == 0) {
        used = strlen("content-type: ");
        count_line(line, &used, &taken);
        osip_free(line);
    }
    for (i = 0; i < count; i++) {
        if (osip_header_to_str(osip_list_get(part->headers, i), &line) != 0)
            return 0;
        count_line(line, &used, &taken);
        osip_free(line);
    }
    return used + 2 == taken;
}

/* Add a blank behind the last line of the header, where it has no meaning: libosip2 allocates more then. Returns 0 when
 * memory is out. */
static int widen(osip_body_t *part)
{
    int count = osip_list_size(part->headers);
    osip_header_t *last = count > 0 ? osip_list_get(part->headers, count - 1) : NULL;
    char **text = last != NULL ? &last->hvalue : &part->content_type->subtype;
    const char *before = *text == NULL ? "" : *text;
    char *wider = osip_malloc(strlen(before) + 2);
    if (wider == NULL)
        return 0;
    strcpy(wider, before);
    strcat(wider, " ");
    osip_free(*text);
    *text = wider;
    return 1;
}

static int make_room(osip_message_t *message)
{
    int i;
    for (i = 0; i < osip_list_size(&message->bodies); i++) {
        osip_body_t *part = osip_list_get(&message->bodies, i);
        if (part->headers != NULL && is_filled(part) && !widen(part))
            return 0;
    }
    return 1;
}

int exo_octets(osip_message_t *message, char **octets, size_t *length)
{
    int returned;
    *octets = NULL;
    if (message->req_uri != NULL && uri_length(message->req_uri) > EXO_MAX_START_LINE)
        return 414;
    if (message->reason_phrase != NULL && strlen(message->reason_phrase) > EXO_MAX_START_LINE)
        return 400;
    if (!can_be_written(message) || !make_room(message))
        return 500;
    returned = osip_message_to_str(message, octets, length);
    if (returned == 0 && *octets != NULL)
        return 0;
    *octets = NULL;
    return returned == OSIP_NOMEM ? 500 : 400;
}

/* Copy a line to *to without its carriage return, and move *to behind it. Returns where the next line begins. */
static char *move_line(char **to, char *from, char *end)
{
    char *line_end = memchr(from, '\n', (size_t)(end - from));
    size_t size = (size_t)((line_end == NULL ? end : line_end) - from);
    if (size > 0 && from[size - 1] == '\r')
        size--;
    memmove(*to, from, size);
    *to += size;
    *(*to)++ = '\n';
    return line_end == NULL ? end : line_end + 1;
}

/* Set the event's headers and body from the octets of a message. The octets change: header lines lose their carriage
 * returns, and a NUL ends them. */
static void split(sb_event *event, char *octets, size_t length)
{
    char *end = octets + length, *from, *to = octets;
    from = memchr(octets, '\n', length); /* of the start line */
    if (from == NULL)
        return;
    event->headers = octets;
    for (from++; from < end && *from != '\r' && *from != '\n';)
        from = move_line(&to, from, end);
    from += from < end && *from == '\r';
    from += from < end && *from == '\n';
    if (from < end) {
        event->body = from;
        event->body_len = (size_t)(end - from);
    }
    *to = '\0'; /* there is room for this octet: a start line is longer */
}

/* Memory that an event points to until it is posted. */
struct borrowed {
    char *octets, *uri;
    struct sb_origin origin;
};

static void give_back(struct borrowed *borrowed)
{
    osip_free(borrowed->octets);
    osip_free(borrowed->uri);
}

/* Set in the event what the message tells. Returns 0; or, when that is not all of it, the status to refuse a request
 * with. */
static int describe(sb_event *event, osip_message_t *message, struct borrowed *borrowed)
{
    size_t length = 0;
    int status;
    exo_take_mark(message, &borrowed->origin);
    sb_origin_tell(&borrowed->origin, event);
    status = exo_octets(message, &borrowed->octets, &length);
    borrowed->uri = NULL;
    if (status == 0)
        split(event, borrowed->octets, length);
    if (message->req_uri != NULL && osip_uri_to_str(message->req_uri, &borrowed->uri) == 0)
        event->request_uri = borrowed->uri;
    else if (message->req_uri != NULL && status == 0)
        status = 500;
    if (event->method == NULL)
        event->method = message->sip_method != NULL ? message->sip_method : message->cseq->method;
    if (event->reason == NULL && message->sip_method == NULL)
        event->reason = message->reason_phrase;
    return status;
}

void exo_post(struct exosip *state, sb_event *event, osip_message_t *message)
{
    struct borrowed borrowed = {NULL, NULL, {0}};
    if (message == NULL && event->status == 408 && event->call == 0)
        exo_note_silence(state, event->registration + event->subscription + event->transaction);
    if (message == NULL)
        sb_core_mark_unreached(state->core, event);
    else
        describe(event, message, &borrowed);
    if (event->reason == NULL && event->status > 0)
        event->reason = osip_message_get_reason(event->status);
    sb_core_post(state->core, event);
    give_back(&borrowed);
}

int exo_post_request(struct exosip *state, sb_event *event, osip_message_t *request)
{
    struct borrowed borrowed = {NULL, NULL, {0}};
    int status = describe(event, request, &borrowed);
    if (status == 0 && sb_core_post(state->core, event) != SB_OK)
        status = 500;
    give_back(&borrowed);
    return status;
}
