/* contract.c - engine.h, for every engine: checks, handles, states. See core.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check.h"
#include "core_private.h"
#include "frames.h"
#include "screened.h"

/* ------------------------------------------------------------------------------------------------------
 * Engines: numbered, and kept while somebody is inside one.
 */
struct engine {
    int id;
    int port;
    int users;   /* calls of the contract that are inside right now */
    int closing;
    int shielded; /* what sb_shielded() says */
    struct engine *next;
    struct sb_core core;
};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t left; /* somebody left an engine */
    struct engine *first;
    int last_id;
} engines = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0};

/* The engine, kept until leave(); NULL when there is none or it is closing. */
static struct engine *enter(int id)
{
    struct engine *engine;
    pthread_mutex_lock(&engines.mutex);
    for (engine = engines.first; engine != NULL && engine->id != id; engine = engine->next)
        ;
    if (engine != NULL && engine->closing)
        engine = NULL;
    if (engine != NULL)
        engine->users++;
    pthread_mutex_unlock(&engines.mutex);
    return engine;
}

static void leave(struct engine *engine)
{
    pthread_mutex_lock(&engines.mutex);
    if (--engine->users == 0 && engine->closing)
        pthread_cond_broadcast(&engines.left);
    pthread_mutex_unlock(&engines.mutex);
}

/* As enter(), with the core locked. */
static struct engine *enter_locked(int id)
{
    struct engine *engine = enter(id);
    if (engine != NULL)
        sb_core_lock(&engine->core);
    return engine;
}

static void leave_locked(struct engine *engine)
{
    sb_core_unlock(&engine->core);
    leave(engine);
}

static int insert_engine(struct engine *engine)
{
    pthread_mutex_lock(&engines.mutex);
    engine->id = ++engines.last_id;
    engine->next = engines.first;
    engines.first = engine;
    pthread_mutex_unlock(&engines.mutex);
    return engine->id;
}

/* Mark it as closing, so that nobody enters any more. NULL when somebody else did, or there is none. */
static struct engine *claim_engine(int id)
{
    struct engine *engine;
    pthread_mutex_lock(&engines.mutex);
    for (engine = engines.first; engine != NULL && engine->id != id; engine = engine->next)
        ;
    if (engine != NULL && engine->closing)
        engine = NULL;
    if (engine != NULL)
        engine->closing = 1;
    pthread_mutex_unlock(&engines.mutex);
    return engine;
}

static void remove_engine(struct engine *engine)
{
    struct engine **link = &engines.first;
    pthread_mutex_lock(&engines.mutex);
    while (engine->users > 0)
        pthread_cond_wait(&engines.left, &engines.mutex);
    while (*link != engine)
        link = &(*link)->next;
    *link = engine->next;
    pthread_mutex_unlock(&engines.mutex);
}

const char *sb_engine_name(void)
{
    return sb_backend.name;
}

const char *sb_engine_version(void)
{
    return sb_backend.version();
}

const char *sb_error_text(int code)
{
    switch (code) {
    case SB_OK: return "success";
    case SB_EINVAL: return "an argument is missing or malformed";
    case SB_ENOENT: return "no such call, registration, subscription or transaction (any more)";
    case SB_ESTATE: return "not possible in the state that it is in";
    case SB_EBUSY: return "the library runs one engine per process, and one is open";
    case SB_EADDRINUSE: return "the port is in use";
    case SB_ENET: return "the address cannot be bound: it is not this machine's, or permission is missing";
    case SB_ENOMEM: return "out of memory, file descriptors or threads";
    case SB_ENOTSUP: return "this engine does not offer it";
    case SB_ETOOBIG: return "longer than a SIP message may carry";
    case SB_ECLOSED: return "the engine is closed";
    case SB_ELIBRARY: return "the SIP library refused, without a reason";
    case SB_EVERSION: return "the SIP library is not of the version that the engine was built for";
    default: return code > 0 ? "success" : "unknown error code";
    }
}

int sb_open(const sb_config *config)
{
    struct engine *engine;
    sb_config complete;
    int code = sb_check_config(config);
    if (code != SB_OK)
        return code;
    complete = *config;
    if (complete.transport == 0)
        complete.transport = SB_UDP;
    engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return SB_ENOMEM;
    code = sb_core_init(&engine->core);
    if (code != SB_OK) {
        free(engine);
        return code;
    }
    engine->core.last_id = config->last_id;
    sb_screen(sb_backend.screened);
    code = sb_backend.open(&engine->core, &complete, &engine->core.state, &engine->port);
    if (code != SB_OK) {
        sb_core_clear(&engine->core);
        free(engine);
        return code;
    }
    engine->shielded = sb_screened(sb_backend.screened, &complete, engine->port);
    return insert_engine(engine);
}

int sb_close(int id, int grace_ms)
{
    struct engine *engine = claim_engine(id);
    if (engine == NULL)
        return SB_ECLOSED;
    sb_queue_close(engine->core.queue);
    remove_engine(engine);
    sb_core_end_all(&engine->core, grace_ms);
    sb_backend.close(engine->core.state);
    sb_core_clear(&engine->core);
    free(engine);
    return SB_OK;
}

int sb_port(int id)
{
    struct engine *engine = enter(id);
    int port;
    if (engine == NULL)
        return SB_ECLOSED;
    port = engine->port;
    leave(engine);
    return port;
}

int sb_probe(int id)
{
    struct engine *engine = enter_locked(id);
    if (engine == NULL)
        return SB_ECLOSED;
    sb_core_unlock(&engine->core);
    if (sb_backend.probe != NULL)
        sb_backend.probe(engine->core.state);
    leave(engine);
    return SB_OK;
}

int sb_fd(int id)
{
    struct engine *engine = enter(id);
    int fd;
    if (engine == NULL)
        return SB_ECLOSED;
    fd = sb_queue_fd(engine->core.queue);
    leave(engine);
    return fd;
}

int sb_shielded(int id)
{
    struct engine *engine = enter(id);
    int shielded;
    if (engine == NULL)
        return SB_ECLOSED;
    shielded = engine->shielded;
    leave(engine);
    return shielded;
}

int sb_wait(int id, int timeout_ms, sb_event **event)
{
    struct engine *engine;
    int found;
    if (event == NULL)
        return SB_EINVAL;
    *event = NULL;
    engine = enter(id);
    if (engine == NULL)
        return SB_ECLOSED;
    found = sb_queue_pop(engine->core.queue, timeout_ms, event);
    leave(engine);
    return found;
}

/* The frames of these events in one piece of memory, or NULL. */
static char *framed(sb_event *const events[], int count, size_t *length)
{
    char *frames, *end;
    int i;
    *length = 0;
    for (i = 0; i < count; i++)
        *length += sb_frame_size(events[i]);
    frames = end = malloc(*length);
    for (i = 0; frames != NULL && i < count; i++)
        end = sb_frame_put(end, events[i]);
    return frames;
}

int sb_take_frames(int id, int max, char **frames, size_t *length)
{
    sb_event *events[SB_MAX_FRAMES];
    struct engine *engine;
    int count = 0, i, found = 0;
    if (max < 1 || max > SB_MAX_FRAMES || frames == NULL || length == NULL)
        return SB_EINVAL;
    engine = enter(id);
    if (engine == NULL)
        return SB_ECLOSED;
    while (count < max && (found = sb_queue_pop(engine->core.queue, 0, &events[count])) > 0)
        count++;
    leave(engine);
    if (count == 0)
        return found;
    *frames = framed(events, count, length);
    for (i = 0; i < count; i++)
        sb_event_free(events[i]);
    return *frames == NULL ? SB_ENOMEM : count;
}

int sb_credentials(int id, const char *realm, const char *user, const char *password)
{
    struct engine *engine;
    int code;
    if ((code = realm == NULL ? SB_OK : sb_check_quoted(realm)) != SB_OK || (code = sb_check_quoted(user)) != SB_OK ||
        (code = password == NULL ? SB_EINVAL : sb_check_reason(password)) != SB_OK)
        return code;
    if (sb_backend.credentials == NULL)
        return SB_ENOTSUP;
    if ((engine = enter_locked(id)) == NULL)
        return SB_ECLOSED;
    code = sb_backend.credentials(engine->core.state, realm, user, password);
    leave_locked(engine);
    return code;
}

int sb_credentials_clear(int id)
{
    struct engine *engine;
    int code;
    if (sb_backend.credentials_clear == NULL)
        return SB_ENOTSUP;
    if ((engine = enter_locked(id)) == NULL)
        return SB_ECLOSED;
    code = sb_backend.credentials_clear(engine->core.state);
    leave_locked(engine);
    return code;
}

/* ------------------------------------------------------------------------------------------------------
 * Objects that a command starts, and commands for those that there are.
 */

/* A new object of ours. */
static struct sb_object *start(struct engine *engine, int kind, struct sb_object *call)
{
    struct sb_object *object = sb_core_add(&engine->core, kind, call);
    if (object == NULL)
        return NULL;
    object->outgoing = 1;
    if (kind == SB_KIND_CALL)
        object->state = SB_CALL_CALLING;
    else if (kind == SB_KIND_SUBSCRIPTION)
        object->state = SB_SUBSCRIPTION_OURS;
    return object;
}

/* The id of the object that was started, or the code that the backend failed with. Leaves the engine. */
static sb_id started(struct engine *engine, struct sb_object *object, int code)
{
    sb_id id = code;
    if (code == SB_OK)
        id = object->id;
    else
        sb_core_remove(&engine->core, object);
    leave_locked(engine);
    return id;
}

static int left_with(struct engine *engine, int code)
{
    leave_locked(engine);
    return code;
}

/* Enter the engine and find the object: SB_OK, or what is wrong and nothing to leave. */
static int enter_object(int id, int kind, sb_id object_id, struct engine **engine,
                        struct sb_object **object)
{
    *engine = enter_locked(id);
    if (*engine == NULL)
        return SB_ECLOSED;
    *object = sb_core_find(&(*engine)->core, kind, object_id);
    if (*object == NULL)
        return left_with(*engine, SB_ENOENT);
    return SB_OK;
}

/* ------------------------------------------------------------------------------------------------------
 * Registrations
 */
sb_id sb_register(int id, const char *registrar, const sb_parties *parties, const char *contact,
                  int expires)
{
    struct engine *engine;
    struct sb_object *registration;
    int code;
    if ((code = sb_check_uri(registrar)) != SB_OK || (code = sb_check_parties(parties)) != SB_OK ||
        (code = contact == NULL ? SB_OK : sb_check_uri(contact)) != SB_OK ||
        (code = expires == 0 ? SB_EINVAL : sb_check_expires(expires)) != SB_OK)
        return code;
    if (sb_backend.reg == NULL)
        return SB_ENOTSUP;
    if ((engine = enter_locked(id)) == NULL)
        return SB_ECLOSED;
    registration = start(engine, SB_KIND_REGISTRATION, NULL);
    if (registration == NULL)
        return left_with(engine, SB_ENOMEM);
    code = sb_backend.reg(engine->core.state, registration, registrar, parties, contact, expires);
    return started(engine, registration, code);
}

int sb_register_refresh(int id, sb_id registration_id, int expires)
{
    struct engine *engine;
    struct sb_object *registration;
    int code = expires == 0 ? SB_EINVAL : sb_check_expires(expires);
    if (code != SB_OK)
        return code;
    if (sb_backend.reg_refresh == NULL)
        return SB_ENOTSUP;
    if ((code = enter_object(id, SB_KIND_REGISTRATION, registration_id, &engine, &registration)) != SB_OK)
        return code;
    return left_with(engine, sb_backend.reg_refresh(engine->core.state, registration, expires));
}

int sb_unregister(int id, sb_id registration_id)
{
    struct engine *engine;
    struct sb_object *registration;
    int code;
    if (sb_backend.reg_end == NULL)
        return SB_ENOTSUP;
    if ((code = enter_object(id, SB_KIND_REGISTRATION, registration_id, &engine, &registration)) != SB_OK)
        return code;
    return left_with(engine, sb_backend.reg_end(engine->core.state, registration));
}

static sb_id bindings(int id, const char *registrar, const sb_parties *parties, int clear)
{
    struct engine *engine;
    struct sb_object *transaction;
    int code;
    if ((code = sb_check_uri(registrar)) != SB_OK || (code = sb_check_parties(parties)) != SB_OK)
        return code;
    if (sb_backend.reg_bindings == NULL)
        return SB_ENOTSUP;
    if ((engine = enter_locked(id)) == NULL)
        return SB_ECLOSED;
    transaction = start(engine, SB_KIND_TRANSACTION, NULL);
    if (transaction == NULL)
        return left_with(engine, SB_ENOMEM);
    code = sb_backend.reg_bindings(engine->core.state, transaction, registrar, parties, clear);
    return started(engine, transaction, code);
}

sb_id sb_register_query(int id, const char *registrar, const sb_parties *parties)
{
    return bindings(id, registrar, parties, 0);
}

sb_id sb_register_clear(int id, const char *registrar, const sb_parties *parties)
{
    return bindings(id, registrar, parties, 1);
}

/* ------------------------------------------------------------------------------------------------------
 * Calls
 */
sb_id sb_call(int id, const sb_parties *parties, const sb_content *content)
{
    struct engine *engine;
    struct sb_object *call;
    int code;
    if ((code = sb_check_parties(parties)) != SB_OK || (code = sb_check_content(content)) != SB_OK)
        return code;
    if ((engine = enter_locked(id)) == NULL)
        return SB_ECLOSED;
    call = start(engine, SB_KIND_CALL, NULL);
    if (call == NULL)
        return left_with(engine, SB_ENOMEM);
    return started(engine, call, sb_backend.call(engine->core.state, call, parties, content));
}

int sb_call_ring(int id, sb_id call_id, int status, const sb_content *content)
{
    struct engine *engine;
    struct sb_object *call;
    int code;
    if (status < 101 || status > 199)
        return SB_EINVAL;
    if ((code = sb_check_content(content)) != SB_OK ||
        (code = enter_object(id, SB_KIND_CALL, call_id, &engine, &call)) != SB_OK)
        return code;
    code = SB_ESTATE;
    if (call->state == SB_CALL_INCOMING)
        code = sb_backend.ring(engine->core.state, call, status, content);
    return left_with(engine, code);
}

int sb_call_answer(int id, sb_id call_id, const sb_content *content)
{
    struct engine *engine;
    struct sb_object *call;
    int code;
    if ((code = sb_check_content(content)) != SB_OK ||
        (code = enter_object(id, SB_KIND_CALL, call_id, &engine, &call)) != SB_OK)
        return code;
    code = SB_ESTATE;
    if (call->state == SB_CALL_INCOMING)
        code = sb_backend.answer_call(engine->core.state, call, content);
    if (code == SB_OK)
        call->state = SB_CALL_ACCEPTED;
    return left_with(engine, code);
}

/* A final response other than 2xx to the INVITE of a call. Under the lock. */
static int refuse(struct engine *engine, struct sb_object *call, int status, const char *reason,
                  const char *contact, const sb_content *content)
{
    int code;
    if (call->state != SB_CALL_INCOMING)
        return SB_ESTATE;
    code = sb_backend.refuse(engine->core.state, call, status, reason, contact, content);
    if (code == SB_OK)
        call->state = SB_CALL_ENDING;
    return code;
}

int sb_call_reject(int id, sb_id call_id, int status, const char *reason, const sb_content *content)
{
    struct engine *engine;
    struct sb_object *call;
    int code;
    if (status < 400 || status > 699)
        return SB_EINVAL;
    if ((code = sb_check_reason(reason)) != SB_OK || (code = sb_check_content(content)) != SB_OK ||
        (code = enter_object(id, SB_KIND_CALL, call_id, &engine, &call)) != SB_OK)
        return code;
    return left_with(engine, refuse(engine, call, status, reason, NULL, content));
}

int sb_call_redirect(int id, sb_id call_id, int status, const char *contact)
{
    struct engine *engine;
    struct sb_object *call;
    int code;
    if (status < 300 || status > 399)
        return SB_EINVAL;
    if ((code = sb_check_address(contact)) != SB_OK ||
        (code = enter_object(id, SB_KIND_CALL, call_id, &engine, &call)) != SB_OK)
        return code;
    return left_with(engine, refuse(engine, call, status, NULL, contact, NULL));
}

int sb_call_ack(int id, sb_id call_id, const sb_content *content)
{
    struct engine *engine;
    struct sb_object *call;
    int code;
    if ((code = sb_check_content(content)) != SB_OK ||
        (code = enter_object(id, SB_KIND_CALL, call_id, &engine, &call)) != SB_OK)
        return code;
    if (!call->ack_due || call->state == SB_CALL_ENDING)
        return left_with(engine, SB_ESTATE);
    code = sb_backend.ack(engine->core.state, call, content);
    if (code == SB_OK) {
        call->ack_due = 0;
        call->state = SB_CALL_ESTABLISHED;
    }
    return left_with(engine, code);
}

int sb_call_hangup(int id, sb_id call_id, const sb_content *content)
{
    struct engine *engine;
    struct sb_object *call;
    int code;
    if ((code = sb_check_content(content)) != SB_OK ||
        (code = enter_object(id, SB_KIND_CALL, call_id, &engine, &call)) != SB_OK)
        return code;
    if (call->state == SB_CALL_INCOMING)
        return left_with(engine, refuse(engine, call, 603, NULL, NULL, content));
    if (call->state == SB_CALL_ENDING)
        return left_with(engine, SB_ESTATE);
    code = sb_backend.hangup(engine->core.state, call, content);
    if (code == SB_OK)
        call->state = SB_CALL_ENDING;
    return left_with(engine, code);
}

/* Methods that the functions above send, or that the engine sends by itself. */
static int is_call_method(const char *method)
{
    static const char *const METHODS[] = {"INVITE", "ACK", "BYE", "CANCEL", "PRACK"};
    size_t i;
    for (i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        if (strcmp(method, METHODS[i]) == 0)
            return 1;
    return 0;
}

sb_id sb_call_request(int id, sb_id call_id, const char *method, const sb_content *content)
{
    struct engine *engine;
    struct sb_object *call, *transaction;
    int code;
    if ((code = sb_check_token(method)) != SB_OK || (code = sb_check_content(content)) != SB_OK)
        return code;
    if (is_call_method(method))
        return SB_EINVAL;
    if ((code = enter_object(id, SB_KIND_CALL, call_id, &engine, &call)) != SB_OK)
        return code;
    if (call->state != SB_CALL_ESTABLISHED)
        return left_with(engine, SB_ESTATE);
    transaction = start(engine, SB_KIND_TRANSACTION, call);
    if (transaction == NULL)
        return left_with(engine, SB_ENOMEM);
    code = sb_backend.call_request(engine->core.state, call, transaction, method, content);
    return started(engine, transaction, code);
}

sb_id sb_call_reinvite(int id, sb_id call_id, const sb_content *content)
{
    struct engine *engine;
    struct sb_object *call, *transaction;
    int code;
    if ((code = sb_check_content(content)) != SB_OK ||
        (code = enter_object(id, SB_KIND_CALL, call_id, &engine, &call)) != SB_OK)
        return code;
    if (call->state != SB_CALL_ESTABLISHED || call->invite_pending || call->ack_due)
        return left_with(engine, SB_ESTATE);
    transaction = start(engine, SB_KIND_TRANSACTION, call);
    if (transaction == NULL)
        return left_with(engine, SB_ENOMEM);
    transaction->is_invite = 1;
    code = sb_backend.reinvite(engine->core.state, call, transaction, content);
    if (code == SB_OK)
        call->invite_pending = 1;
    return started(engine, transaction, code);
}

int sb_answer(int id, sb_id transaction_id, int status, const char *reason, const sb_content *content)
{
    struct engine *engine;
    struct sb_object *transaction;
    int code;
    if (status < 200 || status > 699)
        return SB_EINVAL;
    if ((code = sb_check_reason(reason)) != SB_OK || (code = sb_check_content(content)) != SB_OK ||
        (code = enter_object(id, SB_KIND_TRANSACTION, transaction_id, &engine, &transaction)) != SB_OK)
        return code;
    if (transaction->outgoing)
        return left_with(engine, SB_ESTATE);
    code = sb_backend.answer(engine->core.state, transaction, status, reason, content);
    if (code == SB_OK) {
        if (transaction->is_invite)
            transaction->call->invite_pending = 0;
        sb_core_remove(&engine->core, transaction);
    }
    return left_with(engine, code);
}

/* ------------------------------------------------------------------------------------------------------
 * Outside dialogs
 */
sb_id sb_request(int id, const char *method, const sb_parties *parties, const sb_content *content)
{
    struct engine *engine;
    struct sb_object *transaction;
    int code;
    if ((code = sb_check_token(method)) != SB_OK || (code = sb_check_parties(parties)) != SB_OK ||
        (code = sb_check_content(content)) != SB_OK)
        return code;
    if (is_call_method(method) || strcmp(method, "REGISTER") == 0 || strcmp(method, "SUBSCRIBE") == 0)
        return SB_EINVAL;
    if (sb_backend.request == NULL)
        return SB_ENOTSUP;
    if ((engine = enter_locked(id)) == NULL)
        return SB_ECLOSED;
    transaction = start(engine, SB_KIND_TRANSACTION, NULL);
    if (transaction == NULL)
        return left_with(engine, SB_ENOMEM);
    code = sb_backend.request(engine->core.state, transaction, method, parties, content);
    return started(engine, transaction, code);
}

/* What subscriptions and publications have arguments for. */
static int check_event_content(const sb_content *content)
{
    static const char *const NAMES[] = {"Event", "o", "Expires", "Subscription-State", "SIP-If-Match"};
    int code = sb_check_content(content);
    size_t i, name;
    for (i = 0; code == SB_OK && content != NULL && i < content->header_count; i++)
        for (name = 0; name < sizeof NAMES / sizeof *NAMES; name++)
            if (strcasecmp(content->headers[i].name, NAMES[name]) == 0)
                code = SB_EINVAL;
    return code;
}

/* A package, a token with parameters (RFC 6665, 8.4). */
static int check_event(const char *event)
{
    char package[64];
    size_t length;
    int code = sb_check_text(event);
    if (code != SB_OK)
        return code;
    length = strcspn(event, "; \t");
    if (length >= sizeof package)
        return SB_EINVAL;
    memcpy(package, event, length);
    package[length] = '\0';
    event += length + strspn(event + length, " \t");
    if (*event != '\0' && *event != ';')
        return SB_EINVAL;
    return sb_check_token(package);
}

sb_id sb_publish(int id, const sb_parties *parties, const char *event, const char *etag, int expires,
                 const sb_content *content)
{
    struct engine *engine;
    struct sb_object *transaction;
    int code;
    if ((code = sb_check_parties(parties)) != SB_OK || (code = check_event(event)) != SB_OK ||
        (code = sb_check_optional_text(etag)) != SB_OK || (code = sb_check_expires(expires)) != SB_OK ||
        (code = check_event_content(content)) != SB_OK)
        return code;
    if (sb_backend.publish == NULL)
        return SB_ENOTSUP;
    if ((engine = enter_locked(id)) == NULL)
        return SB_ECLOSED;
    transaction = start(engine, SB_KIND_TRANSACTION, NULL);
    if (transaction == NULL)
        return left_with(engine, SB_ENOMEM);
    code = sb_backend.publish(engine->core.state, transaction, parties, event, etag, expires, content);
    return started(engine, transaction, code);
}

/* ------------------------------------------------------------------------------------------------------
 * Subscriptions
 */
sb_id sb_subscribe(int id, const sb_parties *parties, const char *event, int expires,
                   const sb_content *content)
{
    struct engine *engine;
    struct sb_object *subscription;
    int code;
    if ((code = sb_check_parties(parties)) != SB_OK || (code = check_event(event)) != SB_OK ||
        (code = sb_check_expires(expires)) != SB_OK || (code = check_event_content(content)) != SB_OK)
        return code;
    if (sb_backend.subscribe == NULL)
        return SB_ENOTSUP;
    if ((engine = enter_locked(id)) == NULL)
        return SB_ECLOSED;
    subscription = start(engine, SB_KIND_SUBSCRIPTION, NULL);
    if (subscription == NULL)
        return left_with(engine, SB_ENOMEM);
    code = sb_backend.subscribe(engine->core.state, subscription, parties, event, expires, content);
    return started(engine, subscription, code);
}

int sb_subscribe_refresh(int id, sb_id subscription_id, int expires)
{
    struct engine *engine;
    struct sb_object *subscription;
    int code = expires == 0 ? SB_EINVAL : sb_check_expires(expires);
    if (code != SB_OK)
        return code;
    if (sb_backend.subscribe_refresh == NULL)
        return SB_ENOTSUP;
    if ((code = enter_object(id, SB_KIND_SUBSCRIPTION, subscription_id, &engine, &subscription)) != SB_OK)
        return code;
    if (subscription->state != SB_SUBSCRIPTION_OURS)
        return left_with(engine, SB_ESTATE);
    return left_with(engine, sb_backend.subscribe_refresh(engine->core.state, subscription, expires));
}

int sb_unsubscribe(int id, sb_id subscription_id)
{
    struct engine *engine;
    struct sb_object *subscription;
    int code;
    if (sb_backend.unsubscribe == NULL)
        return SB_ENOTSUP;
    if ((code = enter_object(id, SB_KIND_SUBSCRIPTION, subscription_id, &engine, &subscription)) != SB_OK)
        return code;
    code = SB_ESTATE;
    if (subscription->state == SB_SUBSCRIPTION_OURS)
        code = sb_backend.unsubscribe(engine->core.state, subscription);
    if (code == SB_OK)
        subscription->state = SB_SUBSCRIPTION_ENDING;
    return left_with(engine, code);
}

int sb_subscription_accept(int id, sb_id subscription_id, int status, int expires)
{
    struct engine *engine;
    struct sb_object *subscription;
    int code;
    if (status < 200 || status > 299)
        return SB_EINVAL;
    if ((code = sb_check_expires(expires)) != SB_OK)
        return code;
    if (sb_backend.subscription_accept == NULL)
        return SB_ENOTSUP;
    if ((code = enter_object(id, SB_KIND_SUBSCRIPTION, subscription_id, &engine, &subscription)) != SB_OK)
        return code;
    code = SB_ESTATE;
    if (subscription->state == SB_SUBSCRIPTION_ASKED)
        code = sb_backend.subscription_accept(engine->core.state, subscription, status, expires);
    if (code == SB_OK)
        subscription->state = SB_SUBSCRIPTION_GRANTED;
    return left_with(engine, code);
}

int sb_subscription_reject(int id, sb_id subscription_id, int status, const char *reason)
{
    struct engine *engine;
    struct sb_object *subscription;
    int code;
    if (status < 300 || status > 699)
        return SB_EINVAL;
    if ((code = sb_check_reason(reason)) != SB_OK)
        return code;
    if (sb_backend.subscription_reject == NULL)
        return SB_ENOTSUP;
    if ((code = enter_object(id, SB_KIND_SUBSCRIPTION, subscription_id, &engine, &subscription)) != SB_OK)
        return code;
    code = SB_ESTATE;
    if (subscription->state == SB_SUBSCRIPTION_ASKED)
        code = sb_backend.subscription_reject(engine->core.state, subscription, status, reason);
    if (code == SB_OK)
        sb_core_remove(&engine->core, subscription);
    return left_with(engine, code);
}

/* Whether a Subscription-State ends it. */
static int is_last(const char *state)
{
    size_t length = strcspn(state, "; \t");
    return length == strlen("terminated") && strncasecmp(state, "terminated", length) == 0;
}

int sb_notify(int id, sb_id subscription_id, const char *state, const sb_content *content)
{
    struct engine *engine;
    struct sb_object *subscription;
    int code;
    if ((code = sb_check_text(state)) != SB_OK || (code = check_event_content(content)) != SB_OK)
        return code;
    if (sb_backend.notify == NULL)
        return SB_ENOTSUP;
    if ((code = enter_object(id, SB_KIND_SUBSCRIPTION, subscription_id, &engine, &subscription)) != SB_OK)
        return code;
    code = SB_ESTATE;
    if (subscription->state == SB_SUBSCRIPTION_GRANTED)
        code = sb_backend.notify(engine->core.state, subscription, state, content);
    if (code == SB_OK && is_last(state))
        subscription->state = SB_SUBSCRIPTION_ENDING;
    return left_with(engine, code);
}
