/* rules.c - the names of the rules, and what happens to a message that breaks one. */
#include "shield.h"

#include <string.h>

static const struct {
    const char *name;
    int status;
} RULES[SHIELD_RULES] = {
    [SHIELD_NONE] = {"", 0},
    [SHIELD_START_LINE] = {"start-line", 400},
    [SHIELD_REQUEST_URI] = {"request-uri", 400},
    [SHIELD_VERSION] = {"version", 505},
    [SHIELD_OCTETS] = {"octets", 400},
    [SHIELD_LIMIT] = {"limit", 400},
    [SHIELD_SIZE] = {"size", 513},
    [SHIELD_FIELD] = {"field", 400},
    [SHIELD_VIA] = {"via", 400},
    [SHIELD_FROM] = {"from", 400},
    [SHIELD_TO] = {"to", 400},
    [SHIELD_CALL_ID] = {"call-id", 400},
    [SHIELD_CSEQ] = {"cseq", 400},
    [SHIELD_CSEQ_METHOD] = {"cseq-method", 400},
    [SHIELD_CONTENT_LENGTH] = {"content-length", 400},
    [SHIELD_CONTENT_TYPE] = {"content-type", 400},
    [SHIELD_BODY] = {"body", 400},
    [SHIELD_MAX_FORWARDS] = {"max-forwards", 400},
    [SHIELD_CONTACT] = {"contact", 400},
    [SHIELD_ROUTE] = {"route", 400},
    [SHIELD_CREDENTIALS] = {"credentials", 400},
    [SHIELD_EVENT] = {"event", 400},
    [SHIELD_DATE] = {"date", 400},
    [SHIELD_SESSION_EXPIRES] = {"session-expires", 400},
    [SHIELD_OVERLOAD_INVITE] = {"overload-invite", 503},
    [SHIELD_OVERLOAD_REGISTER] = {"overload-register", 503},
    [SHIELD_OVERLOAD_SUBSCRIBE] = {"overload-subscribe", 503},
    [SHIELD_OWN_ACK] = {"own-ack", 0},
    [SHIELD_REMEMBERED] = {"remembered", 0},
    [SHIELD_QUEUE_FULL] = {"queue-full", 0},
};

const char *shield_rule_name(enum shield_rule rule)
{
    return rule < SHIELD_RULES ? RULES[rule].name : "";
}

static int is_ack(struct shield_span method)
{
    return method.length == 3 && memcmp(method.at, "ACK", 3) == 0;
}

struct shield_verdict shield_refuse(const struct shield_message *message, enum shield_rule rule)
{
    struct shield_verdict verdict = {SHIELD_DROP, rule, 0};
    if (message->is_request && !is_ack(message->method) && message->top_via.at != NULL &&
        RULES[rule].status != 0) {
        verdict.action = SHIELD_ANSWER;
        verdict.status = RULES[rule].status;
    }
    return verdict;
}
