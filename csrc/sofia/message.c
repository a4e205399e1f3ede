/* message.c - between Sofia-SIP's messages and the contract's strings. */
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>

#include "address.h"
#include "core.h"
#include "datagram.h"
#include "failure.h"
#include "state.h"

const char SOF_ALLOW[] = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, MESSAGE, UPDATE, REFER, NOTIFY, SUBSCRIBE";

/* ------------------------------------------------------------------------------------------------------
 * Out
 */

/* The header is added as text: the library does not need to understand the user's headers. */
int sof_add_header(msg_t *msg, const char *name, const char *value)
{
    su_home_t *home = msg_home(msg);
    msg_header_t *header = msg_header_alloc(home, sip_unknown_class, 0);
    if (header == NULL)
        return SB_ENOMEM;
    header->sh_unknown->un_name = su_strdup(home, name);
    header->sh_unknown->un_value = su_strdup(home, value);
    if (header->sh_unknown->un_name == NULL || header->sh_unknown->un_value == NULL)
        return SB_ENOMEM;
    return msg_header_insert(msg, NULL, header) == 0 ? SB_OK : SB_ENOMEM;
}

int sof_set_expires(msg_t *msg, int seconds)
{
    sip_t *sip = sip_object(msg);
    sip_expires_t *header = sip_expires_create(msg_home(msg), (sip_time_t)seconds);
    if (sip->sip_expires != NULL)
        msg_header_remove(msg, NULL, (msg_header_t *)sip->sip_expires);
    return header != NULL && msg_header_insert(msg, NULL, (msg_header_t *)header) == 0 ? SB_OK : SB_ENOMEM;
}

int sof_lists(msg_t *msg, const char *name, const char *word)
{
    const sip_unknown_t *header;
    for (header = sip_object(msg)->sip_unknown; header != NULL; header = header->un_next)
        if (strcasecmp(header->un_name, name) == 0 && strstr(header->un_value, word) != NULL)
            return 1;
    return 0;
}

int sof_has_header(msg_t *msg, const char *name)
{
    const sip_unknown_t *header;
    for (header = sip_object(msg)->sip_unknown; header != NULL; header = header->un_next)
        if (strcasecmp(header->un_name, name) == 0)
            return 1;
    return 0;
}

static int add_content(msg_t *msg, const sb_content *content)
{
    sip_payload_t *payload;
    size_t i;
    int code = SB_OK;
    for (i = 0; i < content->header_count && code == SB_OK; i++)
        code = sof_add_header(msg, content->headers[i].name, content->headers[i].value);
    if (code == SB_OK && content->content_type != NULL)
        code = sof_add_header(msg, "Content-Type", content->content_type);
    if (code != SB_OK || content->body_len == 0)
        return code;
    payload = sip_payload_create(msg_home(msg), content->body, (isize_t)content->body_len);
    if (payload == NULL || msg_header_insert(msg, NULL, (msg_header_t *)payload) != 0)
        return SB_ENOMEM;
    return SB_OK;
}

static int keep_or_drop(int code, msg_t **draft)
{
    if (code != SB_OK) {
        msg_destroy(*draft);
        *draft = NULL;
    }
    return code;
}

int sof_draft(const sb_content *content, msg_t **draft)
{
    int code = SB_OK;
    *draft = NULL;
    if (content != NULL && (code = sb_check_datagram(content)) != SB_OK)
        return code;
    *draft = msg_create(sip_default_mclass(), 0);
    if (*draft == NULL)
        return SB_ENOMEM;
    if (content != NULL)
        code = add_content(*draft, content);
    return keep_or_drop(code, draft);
}

/* Duplicate a header into the message; NULL is fine. */
static int add_copy(msg_t *msg, const void *header)
{
    return header == NULL || msg_header_add_dup(msg, NULL, header) == 0 ? SB_OK : SB_ENOMEM;
}

/* Whether a request of this method tells the peer where to send the next one (12.1.1, 12.2.1.1). REGISTER has a Contact
 * of its own. */
static int wants_contact(const char *method)
{
    static const char *const METHODS[] = {"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"};
    size_t i;
    for (i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        if (strcmp(method, METHODS[i]) == 0)
            return 1;
    return 0;
}

/* What every request of ours has, within a dialog or outside. */
static int add_common(struct sofia *state, msg_t *msg, const char *method)
{
    int code = SB_OK;
    if (wants_contact(method))
        code = add_copy(msg, state->contact);
    if (code == SB_OK && strcmp(method, "INVITE") == 0 && !sof_has_header(msg, "Allow"))
        code = sof_add_header(msg, "Allow", SOF_ALLOW);
    if (code == SB_OK && strcmp(method, "INVITE") == 0 && !sof_lists(msg, "Supported", "100rel"))
        code = sof_add_header(msg, "Supported", "100rel");
    if (code == SB_OK && !sof_has_header(msg, "User-Agent"))
        code = add_copy(msg, state->user_agent);
    return code;
}

/* Add the Request-URI. The method is set when the request is sent. */
static int add_request_line(msg_t *msg, const char *method, const url_t *url)
{
    sip_method_t code = sip_method_code(method);
    sip_request_t *line = sip_request_create(msg_home(msg), code, method, (const url_string_t *)url, NULL);
    if (line == NULL || msg_header_insert(msg, NULL, (msg_header_t *)line) != 0)
        return SB_ENOMEM;
    return SB_OK;
}

/* Add From, To and Route. */
static int add_parties(struct sofia *state, msg_t *msg, const sb_parties *parties, const url_t **target)
{
    su_home_t *home = msg_home(msg);
    sip_to_t *to = sof_parse_address(home, parties->to);
    sip_from_t *from = sof_parse_address(home, parties->from != NULL ? parties->from : state->address);
    sip_route_t *route = state->route;
    int code;
    if (to == NULL || from == NULL || from->a_url->url_type == url_invalid)
        return SB_EINVAL;
    if ((code = sof_check_target(state, to->a_url)) != SB_OK)
        return code;
    if (parties->route != NULL && (route = sof_route(home, parties->route)) == NULL)
        return SB_EINVAL;
    *target = to->a_url;
    from = sip_from_dup(home, from);
    if (from == NULL || msg_header_insert(msg, NULL, (msg_header_t *)to) != 0 ||
        msg_header_insert(msg, NULL, (msg_header_t *)from) != 0)
        return SB_ENOMEM;
    return add_copy(msg, route);
}

int sof_draft_request(struct sofia *state, const char *method, const char *target, const sb_parties *parties,
                      const sb_content *content, msg_t **draft)
{
    const url_t *url = NULL;
    int code = sof_draft(content, draft);
    if (code != SB_OK)
        return code;
    code = add_parties(state, *draft, parties, &url);
    if (code == SB_OK && target != NULL) {
        url = url_make(msg_home(*draft), target);
        code = url == NULL ? SB_EINVAL : sof_check_target(state, url);
    }
    if (code == SB_OK)
        code = add_request_line(*draft, method, url);
    if (code == SB_OK)
        code = add_common(state, *draft, method);
    return keep_or_drop(code, draft);
}

int sof_draft_within(struct sofia *state, const char *method, const sb_content *content, msg_t **draft)
{
    int code = sof_draft(content, draft);
    return code == SB_OK ? keep_or_drop(add_common(state, *draft, method), draft) : code;
}

/* ------------------------------------------------------------------------------------------------------
 * In
 */
const sip_t *sof_real(const sip_t *sip)
{
    return sip == NULL || nta_sip_is_internal(sip) ? NULL : sip;
}

enum { URI_SIZE = 256 };   /* octets that most URIs fit into */
enum { FIRST_SIZE = 512 }; /* the header of most messages has less than twice as many octets */

struct text {
    char *octets;
    size_t length, size;
    int is_short; /* there was no memory for all of it */
};

static void append(struct text *text, const char *octets, size_t length)
{
    if (text->length + length >= text->size) {
        size_t size = (text->length + length + FIRST_SIZE) * 2;
        char *larger = realloc(text->octets, size);
        if (larger == NULL) {
            text->is_short = 1;
            return;
        }
        text->octets = larger;
        text->size = size;
    }
    memcpy(text->octets + text->length, octets, length);
    text->length += length;
    text->octets[text->length] = '\0';
}

static int is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

/* A header as it came, in one line: a fold becomes a space (7.3.1). */
static void append_raw(struct text *text, const char *octets, size_t length)
{
    size_t i = 0, start;
    while (length > 0 && is_line_end(octets[length - 1]))
        length--;
    while (i < length) {
        for (start = i; i < length && !is_line_end(octets[i]); i++)
            ;
        append(text, octets + start, i - start);
        if (i == length)
            break;
        while (i < length && strchr("\r\n \t", octets[i]) != NULL)
            i++;
        append(text, " ", 1);
    }
    append(text, "\n", 1);
}

static void append_header(struct text *text, const msg_header_t *header)
{
    char printed[2048], *larger;
    issize_t length;
    if (header->sh_data != NULL) {
        /* Where several values stand in one line, the first has the whole line, the others have none. */
        if (header->sh_len > 0)
            append_raw(text, header->sh_data, header->sh_len);
        return;
    }
    length = msg_header_e(printed, sizeof printed, header, 0); /* the library has changed this header: a Via */
    if (length >= 0 && (size_t)length < sizeof printed) {
        append_raw(text, printed, (size_t)length);
    } else if (length > 0 && (larger = malloc((size_t)length + 1)) != NULL) {
        length = msg_header_e(larger, (isize_t)length + 1, header, 0);
        append_raw(text, larger, (size_t)length);
        free(larger);
    } else {
        text->is_short = 1;
    }
}

static int is_header(const msg_header_t *header)
{
    return header->sh_class != sip_request_class && header->sh_class != sip_status_class &&
           header->sh_class != sip_separator_class && header->sh_class != sip_payload_class;
}

static void describe(sb_event *event, const sip_t *sip, const struct sb_origin *origin, struct text *text)
{
    const msg_header_t *header = (const msg_header_t *)(sip->sip_request != NULL
                                                            ? (const void *)sip->sip_request
                                                            : (const void *)sip->sip_status);
    for (; header != NULL; header = header->sh_succ)
        if (is_header(header))
            append_header(text, header);
    sb_origin_tell(origin, event);
    event->headers = text->octets;
    if (sip->sip_payload != NULL) {
        event->body = sip->sip_payload->pl_data;
        event->body_len = sip->sip_payload->pl_len;
    }
    if (event->method == NULL)
        event->method = sip->sip_request != NULL ? sip->sip_request->rq_method_name
                                                 : sip->sip_cseq->cs_method_name;
    if (event->reason == NULL && sip->sip_status != NULL)
        event->reason = sip->sip_status->st_phrase;
}

/* True for the response that nta makes up when it has found no address to send to. */
static int is_unresolved(const sip_t *sip)
{
    return sip != NULL && sof_real(sip) == NULL && sip->sip_status != NULL &&
           strcmp(sip->sip_status->st_phrase, "DNS Error") == 0;
}

/* The Request-URI, in these octets if it fits, or else in the home. NULL when memory is out. */
static const char *uri_of(const sip_t *sip, char *octets, size_t size, su_home_t *home)
{
    issize_t length = url_e(octets, (isize_t)size, sip->sip_request->rq_url);
    return length >= 0 && (size_t)length < size ? octets : url_as_string(home, sip->sip_request->rq_url);
}

void sof_post(struct sofia *state, sb_event *event, const sip_t *sip)
{
    struct text text = {NULL, 0, 0, 0};
    su_home_t home[1] = {SU_HOME_INIT(home)};
    char uri[URI_SIZE];
    if (event->reason == NULL && is_unresolved(sip))
        event->reason = SB_UNRESOLVED;
    if (event->reason == NULL && sof_real(sip) == NULL)
        event->reason = sof_take_failure(sip);
    sip = sof_real(sip);
    if (sip == NULL) {
        sb_core_mark_unreached(state->core, event);
    } else {
        describe(event, sip, &state->origin, &text);
        if (sip->sip_request != NULL)
            event->request_uri = uri_of(sip, uri, sizeof uri, home);
    }
    if (event->reason == NULL && event->status > 0)
        event->reason = sip_status_phrase(event->status);
    sb_core_post(state->core, event);
    free(text.octets);
    su_home_deinit(home);
}

int sof_post_request(struct sofia *state, sb_event *event, const sip_t *sip)
{
    struct text text = {NULL, 0, 0, 0};
    su_home_t home[1] = {SU_HOME_INIT(home)};
    char uri[URI_SIZE];
    int told;
    describe(event, sip, &state->origin, &text);
    event->request_uri = uri_of(sip, uri, sizeof uri, home);
    told = !text.is_short && event->request_uri != NULL && sb_core_post(state->core, event) == SB_OK;
    free(text.octets);
    su_home_deinit(home);
    return told ? 0 : 500;
}
